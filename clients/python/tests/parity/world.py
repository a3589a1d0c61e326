"""One disk, and both sides looking at it, each with a database of its own."""

from __future__ import annotations

import dataclasses
import functools
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import obby_clients as oc
from obby_clients import fallback
from obby_clients.tracker import TrackChange

from ..conftest import wait_until
from ..processes import Process
from .compare import Answers, outcome
from .corpus import Corpus
from .report import Report
from .tables import Ids, compare_tables, indexed

__all__ = ["MAX_CONTENT", "Side", "World"]

MAX_CONTENT = 1 << 20


def by_path(answer: Any, below: str = "") -> Any:
    """Order what was restored, and name places that each side has for itself alike."""
    if not isinstance(answer, list):
        return answer
    named = [dataclasses.replace(one, path=one.path.removeprefix(below)) for one in answer]
    return sorted(named, key=lambda one: one.path)


@dataclass(frozen=True)
class Side:
    """One side of every operation: clients of the services, or the fallbacks."""

    name: str
    database: Path
    tracker: Any
    hub: Any
    watcher: Any
    elsewhere: Path
    """Where files may be restored to."""


class World:
    """Both sides and what they look at."""

    def __init__(self, folder: Path) -> None:
        self.corpus = Corpus(folder / "notes")
        self.report = Report()
        elsewhere = [folder / name / "restored" for name in ("go", "python")]
        for place in elsewhere:
            place.mkdir(parents=True)
        databases = [place.with_name("obby.db") for place in elsewhere]
        root = self.corpus.root
        self._process = Process(
            "content-tracker",
            *("--database", str(databases[0]), "--root", str(root)),
            *("--restore-to", str(elsewhere[0]), "--max-content", str(MAX_CONTENT)),
            *("--hub", "127.0.0.1:1"),  # nobody is there: the outbox is kept
        )
        client = oc.ContentTrackerClient(self._process.target)
        client.wait_ready(60)
        python = fallback.ContentTracker(
            databases[1],
            [root],
            max_content=MAX_CONTENT,
            publish=True,
            restore_to=[elsewhere[1]],
        )
        self._hub_process = Process("sse-hub", "--history-events", "150")
        hub = oc.SSEHubClient(self._hub_process.target)
        hub.wait_ready(60)
        self._watcher_process = Process("file-watcher")
        watcher = oc.FileWatcherClient(self._watcher_process.target)
        watcher.wait_ready(60)
        self.sides = (
            Side("go", databases[0], client, hub, watcher, elsewhere[0]),
            Side(
                "python",
                databases[1],
                python,
                fallback.SSEHub(history_events=150),
                fallback.FileWatcher(),
                elsewhere[1],
            ),
        )
        list(python.reconcile(root))
        self._ids = Ids(databases)
        self.corpus.fill()

    def close(self) -> None:
        """End both sides."""
        self._ids.close()
        for side in self.sides:
            side.tracker.close()
            side.hub.close()
            side.watcher.close()
        self._process.stop()
        self._hub_process.stop()
        self._watcher_process.stop()

    def ask(self, name: str, what: str, call: Callable[[Side], Any]) -> None:
        """Ask both sides the same, and compare."""
        both = [outcome(functools.partial(call, side)) for side in self.sides]
        self.answers(name).compare(what, *both)

    def track(self, changes: list[TrackChange], *, batch: bool) -> None:
        """Have both sides record what has happened."""

        def all_of_them(side: Side) -> Any:
            items = list(side.tracker.track_batch(changes, timeout=300.0))
            return sorted(items, key=lambda item: item.index)

        def one_of_them(side: Side) -> Any:
            return side.tracker.track_change(
                change.path,
                change_type=change.change_type,
                old_path=change.old_path,
                request_id=change.request_id,
                timeout=60.0,
            )

        if batch:
            self.ask("tracker.track_batch", f"{len(changes)} files", all_of_them)
            return
        for change in changes:
            self.ask("tracker.track_change", repr(change.path), one_of_them)

    def acknowledge(self) -> None:
        """Empty the outbox, as a hub would that took everything."""
        for side in self.sides:
            with closing(sqlite3.connect(side.database, timeout=10)) as connection:
                connection.execute("PRAGMA wal_autocheckpoint = 0")
                connection.execute("DELETE FROM obby_outbox")
                connection.commit()

    def restore_in_place(self, what: str, folder: Path, **wanted: Any) -> None:
        """Have both sides restore the same disk: it is put back in between."""
        kept = folder.with_name(f"{folder.name} kept")
        shutil.copytree(folder, kept, symlinks=True)
        answers, disks = [], []
        for n, side in enumerate(self.sides):
            if n:
                shutil.rmtree(folder)
                shutil.copytree(kept, folder, symlinks=True)
            restored = functools.partial(side.tracker.restore, folder, timeout=60.0, **wanted)
            answers.append(by_path(outcome(restored)))
            files = filter(Path.is_file, folder.rglob("*"))
            disks.append({str(path): path.read_bytes() for path in files})
        shutil.rmtree(kept)
        self.answers("tracker.restore").compare(what, *answers)
        self.answers("tracker.restore, disk").compare(what, *disks)

    def restore_elsewhere(self, what: str, **wanted: Any) -> None:
        """Have each side restore to a place of its own."""
        answers, disks = [], []
        for side in self.sides:
            place = side.elsewhere / "files"
            restored = functools.partial(
                side.tracker.restore, destination=place, timeout=60.0, **wanted
            )
            answers.append(by_path(outcome(restored), below=str(side.elsewhere)))
            files = filter(Path.is_file, place.rglob("*"))
            disks.append({str(path.relative_to(place)): path.read_bytes() for path in files})
        self.answers("tracker.restore").compare(what, *answers)
        self.answers("tracker.restore, disk").compare(what, *disks)

    def answers(self, name: str) -> Answers:
        """Return what compares the answers of an operation."""
        return Answers(self.report, name, self._ids.name)

    def reconcile(self, missed: str) -> None:
        """Have both sides find what they have missed."""
        self.ask(
            "tracker.reconcile",
            missed,
            lambda side: list(side.tracker.reconcile(self.corpus.root))[-1],
        )

    def compare_databases(self, *, restored: bool) -> None:
        """Compare every table, once the service's index has caught up."""
        wait_until(lambda: indexed(self.sides[0].database))
        compare_tables(self.report, *(side.database for side in self.sides), restored=restored)
