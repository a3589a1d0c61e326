"""What the fallbacks promise beside the parity suite: their form, their streams, their ends."""

from __future__ import annotations

import asyncio
import inspect
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import fallback, hub, tracker, watcher

from .conftest import NOT_UTF8, wait_until

PAIRS = [
    (oc.FileWatcherClient, fallback.FileWatcher, fallback.AsyncFileWatcher),
    (oc.ContentTrackerClient, fallback.ContentTracker, fallback.AsyncContentTracker),
    (oc.SSEHubClient, fallback.SSEHub, fallback.AsyncSSEHub),
]
FAST = 0.02  # seconds of quiet delay: the tests wait for events, whenever they come


@pytest.mark.parametrize(("client", "blocking", "asynchronous"), PAIRS)
def test_same_calls(client: type, blocking: type, asynchronous: type) -> None:
    """A fallback has the client's calls, with the same parameters, in both kinds."""
    made = client("127.0.0.1:1")
    names = [name for name in dir(client) if not name.startswith("_") and name != "close"]
    calls = [name for name in names if callable(getattr(made, name))]
    assert len(calls) > 3
    for name in calls:
        wanted = inspect.signature(getattr(made, name)).parameters
        for cls in (blocking, asynchronous):
            call = inspect.getattr_static(cls, name)
            given = inspect.signature(call._sync).parameters
            assert [(p.name, p.kind, p.default) for p in list(given.values())[1:]] == [
                (p.name, p.kind, p.default) for p in wanted.values()
            ], f"{cls.__name__}.{name}"
    made.close()


def test_without_grpc() -> None:
    """Client case 60: the fallbacks work where grpcio and protobuf are not installed."""
    program = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"grpc", "google"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
import tempfile
from obby_clients import fallback

with tempfile.TemporaryDirectory() as folder, fallback.SSEHub() as hub:
    with fallback.ContentTracker(f"{folder}/obby.db", [folder]) as tracker:
        print(tracker.track_change(f"{folder}/obby.db").outcome)
    with fallback.FileWatcher([folder]) as watcher:
        print(len(list(watcher.list_watches())))
    print(hub.publish("t", "x").receivers)
assert "grpc" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, text=True
    )
    assert (done.stdout, done.returncode) == ("RECORDED\n1\n0\n", 0), done.stderr


def test_closed_and_late(tmp_path: Path) -> None:
    """Client cases 58 and 64: closing twice, calls after it, calls without time."""
    made = fallback.ContentTracker(tmp_path / "obby.db", [tmp_path])
    for timeout in (0.0, -1.0, float("nan")):
        with pytest.raises(oc.DeadlineError):
            made.track_change(tmp_path / "a", timeout=timeout)
    made.close()
    made.close()
    with pytest.raises(oc.ClosedError):
        made.server_info()


def test_asyncio(tmp_path: Path) -> None:
    """The asyncio kind: calls are awaited, lists and streams iterated."""
    root = tmp_path / "notes"
    root.mkdir()
    (root / ".obbywatch").write_text("*.md\n")

    async def use() -> None:
        async with (
            fallback.AsyncFileWatcher([root], debounce=FAST) as watching,
            fallback.AsyncContentTracker(tmp_path / "obby.db", [root]) as tracking,
            fallback.AsyncSSEHub() as hubs,
        ):
            assert [w.path async for w in watching.list_watches()] == [str(root.resolve())]
            async with watching.events() as events, hubs.subscribe("changes") as published:
                (root / "a.md").write_text("one\n")
                event = await events.__anext__()
                assert isinstance(event, watcher.Event)
                result = await tracking.track_change(event.path)
                await hubs.publish("changes", str(result.change_id))
                item = await published.__anext__()
                assert isinstance(item, hub.Event)
                assert item.data == b"1"
            batch = [item async for item in tracking.track_batch([tracker.TrackChange(event.path)])]
            assert batch[0].result
            assert batch[0].result.outcome is tracker.TrackOutcome.UNCHANGED

    asyncio.run(use())


def test_a_read_that_is_cancelled_loses_nothing() -> None:
    async def use() -> None:
        async with fallback.AsyncSSEHub() as hubs, hubs.subscribe("t") as stream:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(stream.__anext__(), 0.01)
            await hubs.publish("t", "x")
            assert (await stream.__anext__()).event_id

    asyncio.run(use())


def test_streams_end_with_their_fallback() -> None:
    """Client case 59: who reads learns that it is closed."""
    hubs = fallback.SSEHub()
    stream = hubs.subscribe("t")
    failed: list[BaseException] = []

    def read() -> None:
        try:
            next(stream)
        except oc.ClosedError as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    hubs.close()
    reader.join(60)
    assert failed


def watched(root: Path, **options: Any) -> fallback.FileWatcher:
    return fallback.FileWatcher([root], debounce=FAST, **options)


@pytest.mark.parametrize("method", [watcher.WatchMethod.NOTIFY, watcher.WatchMethod.POLL])
def test_names_that_are_not_utf8(root: Path, method: watcher.WatchMethod) -> None:
    """Client case 47: an event has the exact name; the stream lives."""
    with watched(root, method=method, poll_interval=0.05) as made, made.events() as events:
        for name in (NOT_UTF8, "b.md"):
            (root / name).write_text("x")
            event = next(events)
            assert isinstance(event, watcher.Event)
            assert (event.path, os.path.exists(event.path)) == (str(root / name), True)


def test_resume(root: Path) -> None:
    """Client case 50: a cursor goes on where it was; one of an earlier process compares first."""
    with watched(root) as made:
        with made.events() as events:
            (root / "a.md").write_text("x")
            assert next(events).path == str(root / "a.md")
            cursor = events.cursor
        (root / "b.md").write_text("x")
        with made.events(cursor) as events:
            assert next(events).path == str(root / "b.md")
        with pytest.raises(oc.InvalidArgumentError, match="never made this resume token"):
            made.events("nonsense")
    with watched(root) as again, again.events(cursor) as events:
        item = next(events)
        assert isinstance(item, watcher.Resync)
        assert (item.reason, item.path) == (watcher.ResyncReason.RESTARTED, str(root))
        (root / "c.md").write_text("x")
        assert next(events).path == str(root / "c.md")


def test_slow_watcher_stream(root: Path) -> None:
    """Client case 51: who is overtaken compares; nothing is kept for him meanwhile."""
    with watched(root, journal_events=3) as made, made.events() as slow, made.events() as quick:
        for n in range(10):
            (root / f"{n}.md").write_text("x")
        assert {next(quick).path for _ in range(1)}
        wait_until(lambda: made._watcher.journal.head() == 10)
        item = next(slow)
        assert isinstance(item, watcher.Resync)
        assert item.reason is watcher.ResyncReason.SLOW_CONSUMER
        (root / "last.md").write_text("x")
        assert next(slow).path == str(root / "last.md")


def test_slow_hub_stream() -> None:
    """Client case 51: the same of a hub's stream."""
    with fallback.SSEHub(history_events=3) as made, made.subscribe("t") as slow:
        ids = [made.publish("t", str(n)).event_id for n in range(10)]
        item = next(slow)
        assert isinstance(item, hub.Reset)
        assert (item.reason, item.event_id) == (hub.ResetReason.EXPIRED, ids[-1])
        assert item.oldest_event_id == ids[-3]
        made.publish("t", "x")
        assert next(slow).data == b"x"  # type: ignore[union-attr]


def test_make_before_break(root: Path, tmp_path: Path, start: Callable[..., Any]) -> None:
    """Client case 52: the Python watcher is ready before the other stops; one report each.

    A file that is written while both watch is reported by both, once with the same path
    and content: whoever hands over keeps one of each.
    """
    go = oc.FileWatcherClient(start("file-watcher", "--debounce", "20ms").target)
    go.wait_ready(60)
    go.start_watching(root)
    with go, go.events() as before, fallback.ContentTracker(tmp_path / "d.db", [root]) as tracking:
        before.connect()
        (root / "a.md").write_text("1")
        seen = [(next(before).path, tracking.content_hash(root / "a.md").content_hash)]
        with watched(root) as made, made.events() as after:
            (root / "b.md").write_text("2")  # in the gap: both are watching
            hashed = tracking.content_hash(root / "b.md").content_hash
            seen += [(next(before).path, hashed), (next(after).path, hashed)]
            before.close()
            (root / "c.md").write_text("3")
            hashed = tracking.content_hash(root / "c.md").content_hash
            seen.append((next(after).path, hashed))
    assert [Path(path or "").name for path, _ in dict.fromkeys(seen)] == ["a.md", "b.md", "c.md"]


def test_two_hubs(start: Callable[..., Any]) -> None:
    """Client cases 54 and 55: an id of one hub asks the other for a reset, never for silence."""
    with (
        oc.SSEHubClient(start("sse-hub").target) as go,
        fallback.SSEHub() as python,
    ):
        go.wait_ready(60)
        for there, here in ((go, python), (python, go)):
            there.publish("changes", "1", idempotency_key="k")
            with there.subscribe("changes", last_count=1) as stream:
                first = next(stream)
            here.publish("changes", "1", idempotency_key="k")  # to both, once each
            with here.subscribe("changes", last_event_id=first.event_id) as stream:
                item = next(stream)
                assert isinstance(item, hub.Reset)
                assert item.reason is hub.ResetReason.EPOCH
                assert here.publish("changes", "1", idempotency_key="k").duplicate
                here.publish("changes", "2")
                event = next(stream)
                assert isinstance(event, hub.Event)
                assert event.data == b"2"
