"""The built file-watcher and sse-hub, and what travels between the services."""

from __future__ import annotations

import base64
import hmac
import json
import os
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import hub, watcher

from .conftest import NOT_UTF8, wait_until
from .processes import Process

Connect = Callable[..., Any]
Start = Callable[..., Process]


def test_case_47_watching(connect: Connect, start: Start, root: Path) -> None:
    # The name that is not UTF-8 among them.
    client = connect(oc.FileWatcherClient, start("file-watcher").target)
    begun = client.start_watching(root, debounce=timedelta(milliseconds=30))
    assert begun.created
    assert begun.watch.path == str(root)
    assert begun.watch.debounce == timedelta(milliseconds=30)
    assert not client.start_watching(root).created
    events = client.events(path_prefix=root).connect()
    for name in ("a.md", NOT_UTF8):
        (root / name).write_text("x")
        event = next(events)
        assert event.change_type is watcher.ChangeType.CREATED
        assert event.path == str(root / name)
        assert event.size_bytes == os.stat(event.path).st_size
        modified = timedelta(microseconds=os.stat(event.path).st_mtime_ns // 1_000)
        assert event.modify_time - datetime(1970, 1, 1, tzinfo=timezone.utc) == modified
    os.rename(root / "a.md", root / "b.md")
    moved = next(events)
    assert (moved.change_type, moved.old_path) == (watcher.ChangeType.RENAMED, str(root / "a.md"))
    watch = client.update_patterns(begun.watch.watch_id, watcher.PatternSet(watch=("*.txt",)))
    assert watch.patterns == watcher.PatternSet(("*.txt",), ())
    assert [watch.watch_id for watch in client.list_watches()] == [begun.watch.watch_id]
    client.stop_watching(begun.watch.watch_id)
    with pytest.raises(oc.NotFoundError):
        client.stop_watching(begun.watch.watch_id)
    with pytest.raises(oc.NotFoundError):
        client.start_watching(root / "missing")
    events.close()


def test_case_50_a_resume_token_that_is_too_old(connect: Connect, start: Start, root: Path) -> None:
    # One Resync that names the tree, then what happens from there on.
    flags = ("--root", str(root), "--debounce", "10ms", "--journal-events", "3")
    client = connect(oc.FileWatcherClient, start("file-watcher", *flags).target)
    events = client.events().connect()
    old = events.cursor
    for number in range(5):  # one by one: a burst would overtake this reader too
        (root / f"{number}.md").write_text("x")
        assert next(events).path == str(root / f"{number}.md")
    late = client.events(old)
    expected = watcher.ResyncReason.TOKEN_EXPIRED
    resync = next(late)
    assert isinstance(resync, watcher.Resync)
    assert (resync.reason, resync.path) == (expected, str(root))
    (root / "new.md").write_text("x")
    assert next(late).path == str(root / "new.md")
    late.close()
    events.close()


@pytest.mark.parametrize("end", [Process.kill, Process.stop])
def test_a_watcher_that_ends_and_returns(
    connect: Connect, start: Start, root: Path, end: Callable[[Process], None]
) -> None:
    process = start("file-watcher", "--root", str(root), "--debounce", "30ms")
    client = connect(oc.FileWatcherClient, process.target)
    events = client.events()
    events.connect()
    (root / "a.md").write_text("x")
    assert next(events).path == str(root / "a.md")
    end(process)
    (root / "missed.md").write_text("x")
    process.restart()
    resync = next(events)
    assert isinstance(resync, watcher.Resync)
    assert resync.reason is watcher.ResyncReason.RESTARTED
    (root / "b.md").write_text("x")
    while next(events).path != str(root / "b.md"):
        pass
    events.close()


def test_case_51_a_slow_consumer(connect: Connect, start: Start, root: Path) -> None:
    # Memory stays bounded, because the service drops and says so (Resync).
    process = start(
        *("file-watcher", "--root", str(root), "--debounce", "0s", "--journal-events", "100")
    )
    client = connect(oc.FileWatcherClient, process.target)
    slow = client.events().connect()
    # Long paths, to fill what gRPC and the kernel buffer on the way.
    deep = root.joinpath(*["d" * 240] * 14)
    deep.mkdir(parents=True)
    for number in range(5_000):
        (deep / f"{number}.md").touch()
    wait_until(lambda: next(iter(client.list_watches())).file_count == 5_000)
    received = 0
    while isinstance(item := next(slow), watcher.Event):
        received += 1
    assert received < 5_000
    assert item.reason is watcher.ResyncReason.SLOW_CONSUMER
    slow.close()


def test_publish_and_subscribe(connect: Connect, start: Start) -> None:
    client = connect(oc.SSEHubClient, start("sse-hub").target)
    live = client.subscribe("changes").connect()
    one = client.publish("changes", json.dumps({"n": 1}), event_type="created")
    assert (one.receivers, one.duplicate) == (1, False)
    client.publish("other", "x")
    two = client.publish("changes", b"\xe2\x82\xac", idempotency_key="k")
    assert client.publish("changes", "again", idempotency_key="k").duplicate
    event = next(live)
    assert (event.event_id, event.topic, event.event_type) == (one.event_id, "changes", "created")
    assert json.loads(event.data) == {"n": 1}
    assert next(live).data == "\u20ac".encode()
    assert live.cursor == two.event_id
    later = client.subscribe(["changes", "other"], last_event_id=one.event_id)
    assert [next(later).topic for _ in range(2)] == ["other", "changes"]
    held = client.subscribe(["changes"], last_count=1)
    assert next(held).event_id == two.event_id
    with pytest.raises(oc.InvalidArgumentError):
        client.subscribe([]).connect()
    with pytest.raises(oc.InvalidArgumentError):
        client.publish("no spaces", "x")
    for stream in (live, later, held):
        stream.close()


def test_a_hub_that_is_killed_and_returns(connect: Connect, start: Start) -> None:
    process = start("sse-hub")
    client = connect(oc.SSEHubClient, process.target)
    live = client.subscribe("t")
    live.connect()
    first = client.publish("t", "1")
    assert next(live).event_id == first.event_id
    process.kill()
    process.restart()
    client.wait_ready()
    # What the earlier process held is gone; the stream says so and goes on.
    reset = next(live)
    assert isinstance(reset, hub.Reset)
    assert reset.reason is hub.ResetReason.EPOCH
    second = client.publish("t", "2")
    assert next(live).event_id == second.event_id
    live.close()


def test_a_hub_with_its_history_on_disk(connect: Connect, start: Start, tmp_path: Path) -> None:
    kept = ("--history-in-memory=false", "--history-dir", str(tmp_path / "history"))
    process = start("sse-hub", *kept)
    client = connect(oc.SSEHubClient, process.target)
    live = client.subscribe("t.*")
    live.connect()
    first = client.publish("t.a", "1", idempotency_key="k")
    assert next(live).event_id == first.event_id
    process.kill()
    process.restart()
    client.wait_ready()
    again = client.publish("t.a", "1", idempotency_key="k")
    assert (again.event_id, again.duplicate) == (first.event_id, True)
    second = client.publish("t.b", "2")
    assert next(live).event_id == second.event_id
    live.close()


def test_one_stream_for_a_client(connect: Connect, start: Start) -> None:
    client = connect(oc.SSEHubClient, start("sse-hub").target)
    older = client.subscribe("t", client_id="c").connect()
    newer = client.subscribe("t", client_id="c").connect()
    with pytest.raises(oc.AlreadyExistsError):
        next(older)
    newer.close()


def test_a_hub_that_asks_for_a_token(connect: Connect, start: Start, tmp_path: Path) -> None:
    secret = "s" * 32
    key = tmp_path / "key"
    key.write_text(secret)
    target = start("sse-hub", "--auth-key", str(key)).target
    claims = {"exp": int(time.time()) + 3600, "obby": {"publish": ["t"]}}
    token = signed(secret, claims)
    with pytest.raises(oc.UnauthenticatedError):
        connect(oc.SSEHubClient, target).publish("t", "x")
    client = connect(oc.SSEHubClient, target, token=lambda: token)
    client.publish("t", "x")
    with pytest.raises(oc.PermissionDeniedError):
        client.publish("u", "x")
    with pytest.raises(oc.PermissionDeniedError):
        client.subscribe("t").connect()


def signed(secret: str, claims: object) -> str:
    """Return a JWT with HS256, made by hand: what any issuer would make."""

    def encode(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    header = encode(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    text = f"{header}.{encode(json.dumps(claims).encode())}"
    return f"{text}.{encode(hmac.digest(secret.encode(), text.encode(), 'sha256'))}"


def test_the_pipeline(connect: Connect, start: Start, root: Path, tmp_path: Path) -> None:
    watching = start("file-watcher", "--root", str(root), "--debounce", "30ms")
    distributing = start("sse-hub")
    start(
        *("content-tracker", "--database", str(tmp_path / "obby.db"), "--root", str(root)),
        *("--watcher", watching.target, "--hub", distributing.target),
    )
    live = connect(oc.SSEHubClient, distributing.target).subscribe("changes").connect()
    (root / NOT_UTF8).write_text("x\n")
    event = next(live)
    assert event.event_type == "created"
    while json.loads(event.data)["line_count"] != 1:  # the file may have been seen while empty
        event = next(live)
    live.close()
