"""Recording what a watcher reports: in order, again where it fails, and what nobody told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.backend.recording import Recorder
from obby_clients.changes import Changes
from obby_clients.fallback import AsyncContentTracker
from obby_clients.watcher import ChangeType, EntryKind, Event

from ..conftest import wait_until
from .committing import World


class Failing:
    """A tracker that cannot be reached a few times."""

    def __init__(self, inner: AsyncContentTracker, failures: int) -> None:
        self._inner, self._failures = inner, failures

    async def track_change(self, *args: Any, **kwargs: Any) -> Any:
        if self._failures:
            self._failures -= 1
            raise oc.UnavailableError("locked")
        return await self._inner.track_change(*args, **kwargs)

    def reconcile(self, *args: Any, **kwargs: Any) -> Any:
        return self._inner.reconcile(*args, **kwargs)


def seen(kind: ChangeType, path: Path, old: Path | None = None) -> Event:
    now = datetime.now(timezone.utc)
    old_path = None if old is None else str(old)
    return Event("w", kind, EntryKind.FILE, str(path), old_path, None, None, now, False)


def steps(database: Path, script: Callable[[Recorder], Any], root: Path, failures: int = 0) -> None:
    """Let a recorder run until a script is done."""

    async def run() -> None:
        inner = AsyncContentTracker(database, [root])

        class Obby:
            tracker = Failing(inner, failures)

        recorder = Recorder(Obby, str(root), timedelta(milliseconds=10))  # type: ignore[arg-type]
        running = asyncio.ensure_future(recorder.run())
        await script(recorder)
        running.cancel()
        await asyncio.wait({running})
        await inner.close()

    asyncio.run(run())


async def recorded(changes: Changes, *expected: str) -> None:
    def told() -> list[str]:
        every = changes.after(changes.before_newest(1000))
        return [f"{c.event_type} {Path(json.loads(c.data)['path']).name}" for c in every]

    await asyncio.to_thread(wait_until, lambda: told() == list(expected))


def test_a_rename_stays_one_also_when_the_file_changes_again(root: Path, world: World) -> None:
    async def script(recorder: Recorder) -> None:
        (root / "a.md").write_text("milk\n")
        recorder.report(seen(ChangeType.CREATED, root / "a.md"))
        await recorded(world.changes, "created a.md")
        (root / "a.md").rename(root / "b.md")
        recorder.report(seen(ChangeType.RENAMED, root / "b.md", root / "a.md"))
        recorder.report(seen(ChangeType.MODIFIED, root / "b.md"))
        await recorded(world.changes, "created a.md", "moved b.md")

    steps(Path(world.tracker._db.path), script, root)


def test_what_fails_for_the_moment_is_tried_again(root: Path, world: World) -> None:
    async def script(recorder: Recorder) -> None:
        (root / "a.md").write_text("milk\n")
        recorder.report(seen(ChangeType.CREATED, root / "a.md"))
        await recorded(world.changes, "created a.md")

    steps(Path(world.tracker._db.path), script, root, failures=2)


def test_a_file_that_contradicts_its_event_is_looked_at_again(root: Path, world: World) -> None:
    """Its watcher never tells that it went: it had told of no file."""

    async def script(recorder: Recorder) -> None:
        (root / "a.md").write_text("milk\n")
        recorder.report(seen(ChangeType.DELETED, root / "a.md"))
        await recorded(world.changes, "created a.md")
        (root / "a.md").unlink()
        await recorded(world.changes, "created a.md", "deleted a.md")

    steps(Path(world.tracker._db.path), script, root)


def test_a_resync_finds_what_no_event_told(root: Path, world: World) -> None:
    async def script(recorder: Recorder) -> None:
        (root / "a.md").write_text("milk\n")
        recorder.resync()
        await recorded(world.changes, "created a.md")

    steps(Path(world.tracker._db.path), script, root)


def test_the_log_names_each_cause_once_and_the_end(
    root: Path, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    async def script(recorder: Recorder) -> None:
        for name in ("a.md", "b.md", "c.md"):
            (root / name).write_text("milk\n")
            recorder.report(seen(ChangeType.CREATED, root / name))
        await asyncio.to_thread(wait_until, lambda: len(caplog.records) > 1)

    steps(Path(world.tracker._db.path), script, root, failures=5)
    said = [r.getMessage() for r in caplog.records if r.name == "obby_clients.backend"]
    assert said == [
        "not recorded yet, trying again: 3 files, the first is"
        f" {root / 'a.md'}: locked (UNAVAILABLE)",
        "every file is recorded that had to wait: at most 3 files at one time",
    ]
