"""The whole comparison, in its order: what happens to the files, then the questions."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .corpus import ROUNDS
from .missed import MISSED
from .operations import CHANGES, HUB, TRACKER, Operation
from .report import Report
from .watching import WATCHER
from .world import Side, World

__all__ = ["run"]

_BATCHES = {"everything is new", "edits"}  # rounds whose items do not depend on each other


def run(folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """Compare both sides below an empty folder, and report."""
    world = World(folder)
    try:
        world.report.files = len(world.corpus.files)
        moments: dict[str, datetime] = {}
        for name, happen in ROUNDS.items():
            say(name)
            world.track(happen(world.corpus), batch=name in _BATCHES)
            moments[name] = datetime.now(timezone.utc)
        for name, happen in MISSED.items():
            say(f"reconcile: {name}")
            happen(world.corpus)
            world.reconcile(name)
        say("questions")
        ask_all(world, TRACKER)
        ask_all(world, HUB)
        ask_all(world, WATCHER)
        world.compare_databases(restored=False)
        say("restore")
        restore(world, moments)
        world.compare_databases(restored=True)
        say("labels, retention, forgetting")
        world.acknowledge()
        ask_all(world, CHANGES)
        world.compare_databases(restored=True)
    finally:
        world.close()
    return world.report


def restore(world: World, moments: dict[str, datetime]) -> None:
    """Restore a folder as it was after some rounds, in place and elsewhere."""
    root = world.corpus.root
    for n, (name, moment) in enumerate(list(moments.items())[::3]):
        folder = root / f"d{9 + n % 10}"
        world.restore_in_place(f"{name}, dry", folder, as_of=moment, dry_run=True)
        world.restore_in_place(name, folder, as_of=moment, remove_others=bool(n % 2))
        world.restore_elsewhere(name, path=folder, as_of=moment)
    for wanted in ({}, {"path": root}, {"version_id": -1}, {"version_id": 1, "path": root}):
        world.restore_elsewhere(f"{wanted}", **wanted)
    world.restore_elsewhere("long ago", path=root, as_of=datetime(2001, 1, 1, tzinfo=timezone.utc))
    world.reconcile("after all that was restored")


def ask_all(world: World, operations: Iterable[Operation]) -> None:
    """Ask both sides every question of every operation."""
    for operation in operations:
        for argument in operation.arguments(world.corpus):
            asked = functools.partial(_asked, operation.call, argument)
            world.ask(operation.name, f"{argument!r:.100}", asked)


def _asked(call: Callable[[Side, Any], Any], argument: Any, side: Side) -> Any:
    return call(side, argument)
