"""The whole comparison, in its order: what happens to the files, then the questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from .adopted import adopt, make_alone
from .corpus import MISSED, ROUNDS
from .operations import TRACKER, Operation
from .report import Report
from .world import Side, World

__all__ = ["databases", "run"]

_BATCHES = {"everything is new", "edits"}  # rounds whose items do not depend on each other


def run(folder: Path, say: Callable[[str], None] = lambda _: None) -> Report:
    """Compare both sides below an empty folder, and report."""
    world = World(folder)
    try:
        world.report.files = len(world.corpus.files)
        for name, happen in ROUNDS.items():
            say(name)
            world.track(happen(world.corpus), batch=name in _BATCHES)
        for name, happen in MISSED.items():
            say(f"reconcile: {name}")
            happen(world.corpus)
            world.reconcile(name)
        say("questions")
        ask_all(world, TRACKER)
        say("databases")
        world.compare_databases()
    finally:
        world.close()
    return world.report


def databases(folder: Path) -> list[Path]:
    """Return those that `run` has made, and one in which Go never ran, with odd rows in all."""
    made = [folder / side / "obby.db" for side in ("go", "python")]
    alone = folder / "python-alone.db"
    if not alone.exists():
        make_alone(alone)
        for database in (*made, alone):
            adopt(database)
    return [*made, alone]


def ask_all(world: World, operations: Iterable[Operation]) -> None:
    """Ask both sides every question of every operation."""
    for operation in operations:
        for argument in operation.arguments(world.corpus):
            world.ask(
                operation.name,
                f"{argument!r:.100}",
                partial(_asked, operation.call, argument),
            )


def _asked(call: Callable[[Side, Any], Any], argument: Any, side: Side) -> Any:
    return call(side, argument)
