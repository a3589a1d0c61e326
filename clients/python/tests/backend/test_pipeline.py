"""Parts of the pipeline: publishing, recording, the lock, and a fork."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import hub
from obby_clients._lock import Lock
from obby_clients.backend.checkpointing import checkpoint, checkpoint_now
from obby_clients.backend.publishing import Cursor, publish_to_go
from obby_clients.backend.recording import Recorder
from obby_clients.backend.watching import outermost
from obby_clients.changes import Changes
from obby_clients.fallback import AsyncContentTracker, ContentTracker
from obby_clients.flags import Backend, Service
from obby_clients.tracker import ChangeType as Step
from obby_clients.watcher import ChangeType, EntryKind, Event

from ..conftest import wait_until
from ..processes import Process
from .test_event_streams import World


@pytest.fixture
def world(tmp_path: Path, root: Path) -> Iterator[World]:
    made = World(tmp_path, root)
    yield made
    made.changes.close()
    made.tracker.close()


class Sides:
    """The Go hub, switched on or off."""

    def __init__(self, target: str) -> None:
        self.on = True
        self._client = oc.AsyncSSEHubClient(target)

    def setting(self, _: Service) -> Any:
        class Setting:
            go_possible = self.on

        return Setting

    def of(self, _: Service, side: Backend) -> oc.AsyncSSEHubClient:
        assert side is Backend.GO
        return self._client


def published(process: Process) -> list[int]:
    """Return the changes that the Go hub holds."""
    with (
        oc.SSEHubClient(process.target) as client,
        client.subscribe("changes", last_count=1000) as stream,
    ):
        end = str(uuid.uuid4())
        client.publish("changes", json.dumps({"end": end}))
        found: list[int] = []
        for item in stream:
            told = json.loads(item.data) if isinstance(item, hub.Event) else {}
            if told.get("end") == end:
                return found
            if "change_id" in told:
                found.append(int(told["change_id"]))
        raise AssertionError("the stream ended")


def test_publishing_follows_the_database_and_goes_on_where_it_was(
    tmp_path: Path, world: World, start: Callable[..., Process]
) -> None:
    process = start("sse-hub")

    async def publish_while(sides: Sides, until: int, do: Callable[[], Any]) -> None:
        """Let a publisher run, do something, and end it when a change is published."""
        cursor = Cursor(tmp_path / "obby.db")
        running = asyncio.ensure_future(publish_to_go(world.changes, cursor, sides))  # type: ignore[arg-type]
        with oc.SSEHubClient(process.target) as client:
            stream = client.subscribe("changes", last_count=1000).connect()
            await asyncio.to_thread(do)
            await asyncio.to_thread(_read_until, stream, until)
            stream.close()
        running.cancel()
        await asyncio.wait({running})

    async def run() -> None:
        sides = Sides(process.target)
        world.change(2)  # before the hub was ever used
        marked = Cursor(tmp_path / "obby.db")
        marked.write(marked.read(world.changes))
        await publish_while(sides, 4, lambda: world.change(2))
        assert published(process) == [3, 4]
        world.change(3)  # while no process publishes
        await publish_while(sides, 8, world.change)
        assert published(process) == [3, 4, 5, 6, 7, 8]
        # As after a kill -9, when the file is behind: the keys tell.
        behind = Cursor(tmp_path / "obby.db")
        behind.write(world.changes.before_newest(4))
        await publish_while(sides, 9, world.change)
        assert published(process) == [3, 4, 5, 6, 7, 8, 9]

    asyncio.run(run())


def _read_until(stream: Any, change: int) -> None:
    for item in stream:
        if isinstance(item, hub.Event) and json.loads(item.data).get("change_id") == str(change):
            return


def test_nothing_is_published_to_go_while_nobody_may_be_there(
    tmp_path: Path, world: World, start: Callable[..., Process]
) -> None:
    process = start("sse-hub")

    async def run() -> None:
        sides = Sides(process.target)
        cursor = Cursor(tmp_path / "obby.db")
        cursor.write(cursor.read(world.changes))
        running = asyncio.ensure_future(publish_to_go(world.changes, cursor, sides))  # type: ignore[arg-type]
        saved = tmp_path / "obby.db.published"
        world.change()
        await asyncio.to_thread(wait_until, lambda: published(process) == [1])
        sides.on = False
        world.change(2)
        await asyncio.to_thread(wait_until, lambda: '"change_id": 1' in saved.read_text())
        assert published(process) == [1]
        sides.on = True
        await asyncio.to_thread(wait_until, lambda: published(process) == [1, 2, 3])
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(run())


def test_a_cursor_of_another_database_does_not_count(tmp_path: Path, world: World) -> None:
    world.change(3)
    cursor = Cursor(tmp_path / "obby.db")
    assert cursor.read(world.changes).change_id == 3  # the very first time
    cursor.write(world.changes.before_newest(1))
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 2
    (tmp_path / "obby.db.published").write_text('{"database_id": "other", "change_id": 1}')
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 3
    (tmp_path / "obby.db.published").write_text("cut of")
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 3


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


def test_nested_roots_have_the_outermost_as_subject_case_53() -> None:
    """case 53."""
    roots = ["/a/b", "/a", "/a/b/c", "/ab", "/"]
    assert outermost("/a/b/c", roots[:4]) == "/a"
    assert outermost("/ab", roots[:4]) == "/ab"
    assert outermost("/ab", roots) == "/"


def test_the_log_is_copied_while_no_content_tracker_does_it(
    tmp_path: Path, root: Path, world: World, start: Callable[..., Process]
) -> None:
    database = str(tmp_path / "obby.db")
    log = tmp_path / "obby.db-wal"
    world.change(3)
    assert checkpoint_now(database)
    world.change(3)
    assert checkpoint_now(database, large=0)
    assert log.stat().st_size == 0
    process = start("content-tracker", "--database", database, "--root", str(root))
    world.change()
    # It takes the lock with the first thing that it copies, and keeps it.
    wait_until(lambda: not _free(f"{database}-checkpoint"))
    assert not checkpoint_now(database)
    process.kill()
    world.change()
    assert checkpoint_now(database)


def _free(path: str) -> bool:
    with Lock(path) as lock:
        return lock.taken()


def test_the_backend_checkpoints_by_itself(tmp_path: Path, world: World) -> None:
    """What was copied stands in the file itself."""
    file = tmp_path / "obby.db"
    copied = file.stat().st_mtime_ns

    async def run() -> None:
        running = asyncio.ensure_future(checkpoint(str(file)))
        world.change()
        await asyncio.to_thread(wait_until, lambda: file.stat().st_mtime_ns > copied)
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(run())


def test_one_process_at_a_time_has_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    other = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys; from obby_clients._lock import Lock\n"
            f"lock = Lock({path!r}); print(lock.taken(), flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other, Lock(path) as lock:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not lock.taken()
        other.kill()
        other.wait()
        wait_until(lock.taken)


def test_an_application_made_before_a_fork_works_after_it_case_56(
    tmp_path: Path, root: Path, start: Callable[..., Process]
) -> None:
    """case 56: gunicorn's preload_app makes the application in the parent."""
    (root / "a.md").write_text("milk\n")
    with ContentTracker(tmp_path / "obby.db", [root]) as tracker:
        assert tracker.track_change(root / "a.md").change_type is Step.CREATED
    process = start("query-service", "--database", str(tmp_path / "obby.db"))
    program = """
        import os, sys
        from fastapi import FastAPI
        from fastapi.testclient import TestClient
        from obby_clients import fastapi as obby
        from obby_clients.metrics import COUNTERS

        app = FastAPI()
        obby.install(app, obby.ObbySettings(database=sys.argv[1]))
        app.include_router(obby.diffs_router())

        def work():
            with TestClient(app) as client:
                items = client.get("/diffs").json()["items"]
            assert [item["change_type"] for item in items] == ["created"], items
            assert COUNTERS.value("obby_calls_total", backend="go", outcome="ok") == 1
            return 0

        children = []
        for _ in range(2):
            if (child := os.fork()) == 0:
                os._exit(work())
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        sys.exit(max(statuses) or work())
    """
    environ = {
        **os.environ,
        "USE_GO_QUERY_SERVICE": "on",
        "GO_QUERY_SERVICE_TARGET": process.target,
    }
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "obby.db")]
    subprocess.run(command, check=True, timeout=120, env=environ)
