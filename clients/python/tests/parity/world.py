"""One disk, and both sides looking at it, each with a database of its own."""

from __future__ import annotations

from collections.abc import Callable
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


@dataclass(frozen=True)
class Side:
    """One side of every operation: clients of the services, or the fallbacks."""

    name: str
    database: Path
    tracker: Any
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
        list(client.reconcile(root))  # as it does by itself when it starts: nothing is there yet
        python = fallback.ContentTracker(
            databases[1],
            [root],
            max_content=MAX_CONTENT,
            publish=True,
        )
        self.sides = (
            Side("go", databases[0], client, elsewhere[0]),
            Side("python", databases[1], python, elsewhere[1]),
        )
        list(python.reconcile(root))
        self._ids = Ids(databases)
        self.corpus.fill()

    def close(self) -> None:
        """End both sides."""
        self._ids.close()
        for side in self.sides:
            side.tracker.close()
        self._process.stop()

    def ask(self, name: str, what: str, call: Callable[[Side], Any]) -> None:
        """Ask both sides the same, and compare."""
        answers = Answers(self.report, name, self._ids.name)
        answers.compare(what, *(outcome(lambda side=side: call(side)) for side in self.sides))

    def track(self, changes: list[TrackChange], *, batch: bool) -> None:
        """Have both sides record what has happened."""
        if batch:
            self.ask(
                "tracker.track_batch",
                f"{len(changes)} files",
                lambda side: sorted(
                    side.tracker.track_batch(changes, timeout=300.0), key=lambda item: item.index
                ),
            )
            return
        for c in changes:
            self.ask(
                "tracker.track_change",
                repr(c.path),
                lambda side, c=c: side.tracker.track_change(
                    c.path,
                    change_type=c.change_type,
                    old_path=c.old_path,
                    request_id=c.request_id,
                    timeout=60.0,
                ),
            )

    def reconcile(self, missed: str) -> None:
        """Have both sides find what they have missed."""
        self.ask(
            "tracker.reconcile",
            missed,
            lambda side: list(side.tracker.reconcile(self.corpus.root))[-1],
        )

    def compare_databases(self) -> None:
        """Compare every table, once the service's index has caught up."""
        wait_until(lambda: indexed(self.sides[0].database))
        compare_tables(self.report, *(side.database for side in self.sides))
