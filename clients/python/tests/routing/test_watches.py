"""A routed watcher: watches and their events, while an operator changes his mind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import watcher
from obby_clients.flags import Backend, Flags, Service
from obby_clients.routing import Fallbacks, Obby
from obby_clients.routing.watching import Root

from ..conftest import wait_until
from . import small
from .routed import Route, Routed, Start, side_of


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


def test_a_watch_that_is_started_while_events_are_named() -> None:
    """Another thread's start_watching must not end the reader of the events."""
    with Obby(fallback=Fallbacks(), flags=Flags({})) as obby:
        watching: Any = vars(obby.watcher)["_watching"]

        class Id(str):
            __slots__ = ()
            __hash__ = str.__hash__

            def __eq__(self, other: object) -> bool:
                add(f"/other{len(watching._roots)}")
                return str(self) == other

        def add(path: str) -> None:
            watching._roots[path] = Root(path, {}, path, Backend.PYTHON, path)

        add("/one")
        add("/two")
        watching._roots["/two"].watch_id = Id("mine")
        assert watching.named(Backend.PYTHON, _Event(Id("none"))).watch_id == "none"
        with pytest.raises(oc.NotFoundError):
            watching.known(["nobody's"])


@dataclass
class _Event:
    watch_id: str


def opened(obby: Routed, name: str) -> Any:
    """Return a stream without end; in asyncio its queue belongs to the loop."""
    return obby.watcher.events() if name == "watcher" else obby.hub.subscribe("notes")


@pytest.mark.parametrize("name", ["watcher", "hub"])
def test_a_stream_that_nobody_can_serve_says_so(route: Route, name: str) -> None:
    """It waited for ever."""
    obby = route({})
    with pytest.raises(oc.FailedPreconditionError, match="no Python implementation"):
        opened(obby, name).connect()
    with pytest.raises(oc.FailedPreconditionError, match="no Python implementation"):
        next(opened(obby, name))


def test_a_watcher_that_is_back_at_once_watches_again(world: Any, start: Start, root: Path) -> None:
    """Its stream goes on by itself, but the new process knew nothing of the watch."""
    go = start("file-watcher", "--debounce", "20ms")
    w = world(watching(go.target))
    started = w.drive.run(w.obby.watcher.start_watching(root))
    changes = w.listen(w.obby.watcher.events)
    (root / "one.md").write_text("1")
    changes.until(is_event(root / "one.md"))
    go.kill()
    go.restart()  # within the time that the stream waits for it
    changes.until(is_resync)
    with oc.FileWatcherClient(go.target) as client:
        wait_until(lambda: w.python["watcher"].roots or list(client.list_watches()))
    (root / "two.md").write_text("2")
    found = changes.until(is_event(root / "two.md"))
    assert found[-1].watch_id == started.watch.watch_id
