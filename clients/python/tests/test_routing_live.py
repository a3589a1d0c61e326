"""Streams that do not end, while an operator changes his mind."""

from __future__ import annotations

import gc
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import hub, watcher
from obby_clients.flags import Backend, Flags, Service
from obby_clients.routing import Change

from . import small
from .conftest import wait_until
from .operated import Drive, World

Start = Callable[..., Any]


@pytest.fixture(params=["sync", "asyncio"])
def world(request: pytest.FixtureRequest, tmp_path: Path, start: Start) -> Iterator[Any]:
    worlds: list[World] = []

    def make(environ: dict[str, str]) -> World:
        drive = Drive(request.param == "asyncio")
        prefix = "Async" if drive.loop else ""
        python = {name.lower(): getattr(small, prefix + name)() for name in ("Watcher", "Hub")}
        worlds.append(World(drive, tmp_path, environ, **python))
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()


def watching(target: str, **more: str) -> dict[str, str]:
    return {"USE_GO_FILE_WATCHER": "1", "GO_FILE_WATCHER_TARGET": target, **more}


def is_event(path: Path) -> Callable[[Any], bool]:
    return lambda item: isinstance(item, watcher.Event) and item.path == str(path)


def is_resync(item: Any) -> bool:
    return isinstance(item, watcher.Resync)


def test_case_52_the_kill_switch_during_a_watch(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher", "--debounce", "20ms")
    w = world(watching(go.target))
    started = w.drive.run(w.obby.watcher.start_watching(root))
    changes = w.listen(w.obby.watcher.events)
    (root / "one.md").write_text("1")
    assert changes.until(is_event(root / "one.md"))
    stop_gap = threading.Event()
    written: list[Path] = []

    def edit() -> None:
        while not stop_gap.wait(0.005):
            path = root / f"gap{len(written)}.md"
            whole = root / "not-watched"  # an empty file is a state of its own
            whole.write_text("once")
            whole.rename(path)
            written.append(path)

    editing = threading.Thread(target=edit)
    editing.start()
    w.admin.rollback()
    before = changes.until(is_resync)
    stop_gap.set()
    editing.join()
    assert (before[-1].path, before[-1].watch_id) == (str(root), started.watch.watch_id)
    (root / "last.md").write_text("2")
    after = changes.until(is_event(root / "last.md"))
    names = [item.path for item in before + after if isinstance(item, watcher.Event)]
    assert len(names) == len(set(names))  # nothing twice, whoever saw it
    assert {item.watch_id for item in after} == {started.watch.watch_id}
    with oc.FileWatcherClient(go.target) as client:
        assert not list(client.list_watches())  # Go has let go
    # What neither of them has reported was there before the Resync: that is its purpose.
    missed = {str(path) for path in written} - set(names)
    assert all(Path(path).exists() for path in missed)
    wait_until(lambda: w.obby.health()["file-watcher"] != "closed")

    w.admin.rollback(on=False)
    changes.until(is_resync)
    wait_until(lambda: not w.python["watcher"].roots)
    (root / "back.md").write_text("3")
    changes.until(is_event(root / "back.md"))


def test_case_52_python_is_ready_before_go_is_left(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher", "--debounce", "20ms")
    w = world(watching(go.target))
    w.drive.run(w.obby.watcher.start_watching(root))
    changes = w.listen(w.obby.watcher.events)
    watches: list[int] = []
    python = w.python["watcher"]

    def count(item: str) -> None:
        with oc.FileWatcherClient(go.target) as client:
            watches.append(len(list(client.list_watches())))

    python.log = Log(count)
    w.admin.rollback()
    changes.until(is_resync)
    assert watches == [1]  # Go was still watching when Python had begun


class Log(list[str]):
    """Tells what is appended."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self._told = told

    def append(self, item: str) -> None:
        super().append(item)
        self._told(item)


def test_a_watcher_that_dies_is_replaced(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher", "--debounce", "20ms")
    w = world(watching(go.target))
    w.drive.run(w.obby.watcher.start_watching(root))
    changes = w.listen(w.obby.watcher.events)
    go.kill()
    changes.until(is_resync)
    (root / "a.md").write_text("1")
    changes.until(is_event(root / "a.md"))
    go.restart()
    changes.until(is_resync)
    with oc.FileWatcherClient(go.target) as client:
        assert [watch.path for watch in client.list_watches()] == [str(root)]
    (root / "b.md").write_text("2")
    changes.until(is_event(root / "b.md"))


def side_of(service: Service, percentage: str, subject: str) -> Backend:
    environ = {service.switch: "1", service.percentage: percentage}
    return Flags(environ).decide(service, subject).backend


def test_case_53_nested_roots_have_one_side(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher")
    names = map(str, range(1000))
    inner = next(
        n
        for n in names
        if side_of(Service.FILE_WATCHER, "50", f"{root}/{n}")
        is not side_of(Service.FILE_WATCHER, "50", str(root))
    )
    (root / inner).mkdir()
    w = world(watching(go.target, GO_WATCHER_ROLLOUT_PERCENTAGE="50"))
    w.drive.run(w.obby.watcher.start_watching(root))
    w.drive.run(w.obby.watcher.start_watching(root / inner))
    with oc.FileWatcherClient(go.target) as client:
        here, there = len(w.python["watcher"].roots), len(list(client.list_watches()))
    outer_is_go = side_of(Service.FILE_WATCHER, "50", str(root)) is Backend.GO
    assert (here, there) == ((0, 2) if outer_is_go else (2, 0))


def test_case_53_the_inner_root_follows(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher")
    inner = next(
        n
        for n in map(str, range(1000))
        if side_of(Service.FILE_WATCHER, "50", f"{root}/{n}")
        is not side_of(Service.FILE_WATCHER, "50", str(root))
    )
    (root / inner).mkdir()
    w = world(watching(go.target, GO_WATCHER_ROLLOUT_PERCENTAGE="50"))
    w.drive.run(w.obby.watcher.start_watching(root / inner))
    w.drive.run(w.obby.watcher.start_watching(root))
    with oc.FileWatcherClient(go.target) as client:
        here, there = len(w.python["watcher"].roots), len(list(client.list_watches()))
    assert 0 in (here, there)
    assert here + there == 2


def hubs(target: str, **more: str) -> dict[str, str]:
    return {"USE_GO_SSE_HUB": "1", "GO_SSE_HUB_TARGET": target, **more}


def client_on(side: Backend) -> str:
    clients = (f"client-{number}" for number in range(1000))
    return next(c for c in clients if side_of(Service.SSE_HUB, "50", c) is side)


def is_hub_event(item: Any) -> bool:
    return isinstance(item, hub.Event)


def test_case_54_publishing_at_50_percent(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target, GO_SSE_ROLLOUT_PERCENTAGE="50"))
    listeners = [w.listen(w.obby.hub.subscribe, "t", client_id=client_on(side)) for side in Backend]
    for number in range(5):
        published = w.drive.run(w.obby.hub.publish("t", str(number)))
        assert published.receivers == 2
    for listener in listeners:
        heard = listener.until(lambda item: is_hub_event(item) and item.data == b"4")
        assert [item.data for item in heard] == [b"0", b"1", b"2", b"3", b"4"]


def test_case_55_a_subscriber_moves(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    events = w.listen(w.obby.hub.subscribe, "t", client_id="c")
    w.drive.run(w.obby.hub.publish("t", "on go"))
    assert events.until(is_hub_event)[-1].data == b"on go"
    w.admin.rollback()
    (reset,) = events.until(lambda item: isinstance(item, hub.Reset))
    assert reset.reason is hub.ResetReason.EPOCH
    w.drive.run(w.obby.hub.publish("t", "on python"))
    assert [item.data for item in events.until(is_hub_event)] == [b"on python"]
    w.admin.rollback(on=False)
    (reset,) = events.until(lambda item: isinstance(item, hub.Reset))
    w.drive.run(w.obby.hub.publish("t", "on go again"))
    assert [item.data for item in events.until(is_hub_event)] == [b"on go again"]


def test_an_operators_change_is_told(world: Any, start: Start) -> None:
    w = world(hubs("127.0.0.1:1"))
    told: queue.Queue[Change] = queue.Queue()
    end = w.obby.on_change(Service.SSE_HUB, told.put)
    w.admin.rollback()
    change = told.get(timeout=60)
    assert (change.before.killed, change.now.killed) == (False, True)
    end()


def test_a_cursor_goes_on_in_another_stream(world: Any, start: Start, root: Path) -> None:
    go = start("file-watcher", "--debounce", "20ms")
    w = world(watching(go.target))
    w.drive.run(w.obby.watcher.start_watching(root))
    changes = w.listen(w.obby.watcher.events)
    (root / "one.md").write_text("1")
    changes.until(is_event(root / "one.md"))
    cursor = changes.stream.cursor
    changes.close()
    (root / "two.md").write_text("2")
    more = w.listen(w.obby.watcher.events, cursor)
    assert [item.path for item in more.until(is_event(root / "two.md"))] == [str(root / "two.md")]
    with pytest.raises(oc.InvalidArgumentError, match="resume_token"):
        w.obby.watcher.events("nonsense")


def test_a_hub_that_was_away_gets_what_it_missed(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target, GO_SSE_ROLLOUT_PERCENTAGE="50"))
    w.drive.run(w.obby.hub.publish("t", "0"))
    with oc.SSEHubClient(go.target) as client, client.subscribe("t") as stream:
        stream.connect()
        w.obby.router.side(Service.SSE_HUB).breaker.failure(gone=True)  # as it seems to us
        w.drive.run(w.obby.hub.publish("t", "1"))
        w.drive.run(w.obby.hub.publish("t", "2"))
        wait_until(lambda: w.obby.health()["sse-hub"] == "half-open")
        w.drive.run(w.obby.hub.publish("t", "3"))
        heard = [next(stream) for _ in range(3)]
    assert [item.data for item in heard if isinstance(item, hub.Event)] == [b"1", b"2", b"3"]
    assert len(w.python["hub"].published) == 4


def test_the_kill_switch_closes_the_connections(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    w.drive.run(w.obby.hub.publish("t", "1"))
    client = w.obby.router.side(Service.SSE_HUB).now
    assert not client._closed
    w.admin.rollback()
    wait_until(lambda: client._closed)


def event(kind: watcher.ChangeType, size: int | None) -> watcher.Event:
    modified = None if size is None else small.NOW
    return watcher.Event(
        *("id", kind, watcher.EntryKind.FILE, "/a.md", None, size, modified, small.NOW, False)
    )


def test_case_52_both_sides_report_one_state(world: Any) -> None:
    w = world({})
    live = w.drive.call(w.obby.watcher.events)._live
    live._both = True
    created, changed, gone = (
        event(watcher.ChangeType.CREATED, 1),
        event(watcher.ChangeType.MODIFIED, 2),
        event(watcher.ChangeType.DELETED, None),
    )
    given = [
        live.accept(side, item, "") is not None
        for side, item in (
            *((Backend.GO, created), (Backend.PYTHON, created), (Backend.PYTHON, changed)),
            *((Backend.GO, gone), (Backend.PYTHON, gone)),
            *((Backend.PYTHON, created), (Backend.PYTHON, gone)),
        )
    ]
    assert given == [True, False, True, True, False, True, True]


def test_a_stream_that_nobody_has_ends(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    stream = w.drive.call(w.obby.hub.subscribe, "t")
    w.drive.run(stream.connect())
    assert w.drive.run(w.obby.hub.publish("t", "1")).receivers == 1
    del stream
    gc.collect()
    wait_until(lambda: w.drive.run(w.obby.hub.publish("t", "1")).receivers == 0)
