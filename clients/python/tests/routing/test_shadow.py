"""Shadow mode: the other side answers too, and nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby_clients import query
from obby_clients.fallback import ContentTracker, QueryService
from obby_clients.flags import Flags, Service
from obby_clients.flags.variables import SHADOW
from obby_clients.metrics import COUNTERS
from obby_clients.routing import Fallbacks, Obby, Shadow, shadow

from ..conftest import Server, abort, wait_until
from .routed import Routed

Serve = Callable[..., Server]
QUERY = Service.QUERY_SERVICE


@pytest.fixture(params=["sync", "asyncio"])
def route(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, serve: object
) -> Iterator[Callable[..., Routed]]:
    made: list[Routed] = []

    def route(target: str, percentage: str = "0", **python: Any) -> Routed:
        environ = {
            QUERY.switch: "1",
            QUERY.target: target,
            QUERY.percentage: percentage,
            "OBBY_SHADOW_PERCENTAGE": "100",
        }
        made.append(Routed(loop if request.param == "asyncio" else None, environ, **python))
        return made[-1]

    yield route
    for one in made:
        one.close()


def counted(outcome: str) -> int:
    return COUNTERS.value("obby_shadow_total", service="query-service", outcome=outcome)


def until_counted(loop: asyncio.AbstractEventLoop, outcome: str, more_than: int) -> None:
    """Wait for the background, which in asyncio needs the loop to run."""

    def happened() -> bool:
        loop.run_until_complete(asyncio.sleep(0.01))
        return counted(outcome) > more_than

    wait_until(happened)


def diff(number: int, added: int = 1) -> query_pb2.Diff:
    return query_pb2.Diff(change_id=number, path=f"/{number}", lines_added=added)


def listed(*diffs: Any) -> Callable[..., Any]:
    return lambda *_: query_pb2.GetRecentDiffsResponse(diffs=diffs)


def values(serve: Serve, *diffs: Any) -> list[query.Diff]:
    server = serve(oc.QueryClient, GetRecentDiffs=listed(*diffs))
    with oc.QueryClient(server.target) as client:
        return list(client.recent_diffs())


@pytest.mark.parametrize("percentage", ["0", "100"])
def test_the_same_answers(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop, percentage: str
) -> None:
    server = serve(oc.QueryClient, GetRecentDiffs=listed(diff(1), diff(2)))
    obby = route(server.target, percentage, query={"recent_diffs": values(serve, diff(1), diff(2))})
    before = counted("same")
    assert len(list(obby.query.recent_diffs())) == 2
    until_counted(loop, "same", before)
    assert not obby.router.shadow.differences()


def test_different_answers(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(oc.QueryClient, GetRecentDiffs=listed(diff(1), diff(2, added=5)))
    python = values(serve, diff(1), diff(2, added=6))
    obby = route(server.target, query={"recent_diffs": python})
    before = counted("different")
    assert list(obby.query.recent_diffs(limit=9)) == python
    until_counted(loop, "different", before)
    (difference,) = obby.router.shadow.differences()
    assert difference.lines == ("[1].lines_added: go 5, python 6",)
    assert "query-service.recent_diffs(limit=9)\n  [1].lines_added" in str(difference)
    assert "differ: query-service.recent_diffs: [1].lines_added" in caplog.text


def test_an_error_is_an_answer_too(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop
) -> None:
    server = serve(
        oc.QueryClient, GetVersionContent=lambda _, c: abort(c, grpc.StatusCode.NOT_FOUND)
    )
    obby = route(server.target, query={"version_content": "found"})
    before = counted("different")
    assert obby.query.version_content(1) == "found"
    until_counted(loop, "different", before)


def test_data_that_changes_is_no_difference(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop
) -> None:
    answers = iter([diff(1), diff(2)])
    server = serve(oc.QueryClient, GetRecentDiffs=lambda *_: listed(next(answers))())
    obby = route(server.target, query={"recent_diffs": values(serve, diff(2))})
    before = counted("moving")
    list(obby.query.recent_diffs())
    until_counted(loop, "moving", before)


def test_case_65_too_much_waits(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave = threading.Event()

    def slow(*_: Any) -> Any:
        assert leave.wait(60)
        return listed(diff(1))()

    monkeypatch.setattr(shadow, "_WAITING", 3)
    server = serve(oc.QueryClient, GetRecentDiffs=slow)
    obby = route(server.target, query={"recent_diffs": []})
    dropped, different = counted("dropped"), counted("different")
    for _ in range(10):  # each returns while the other side hangs
        assert list(obby.query.recent_diffs()) == []
    assert 6 <= counted("dropped") - dropped <= 7  # one may be in the worker's hands
    leave.set()
    until_counted(loop, "different", different)


def test_case_66_a_comparison_that_fails(
    route: Any,
    serve: Serve,
    loop: asyncio.AbstractEventLoop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(shadow, "_lines", broken)
    server = serve(oc.QueryClient, GetRecentDiffs=listed(diff(1)))
    obby = route(server.target, query={"recent_diffs": []})
    before = counted("failed")
    assert list(obby.query.recent_diffs()) == []
    until_counted(loop, "failed", before)
    assert "comparison failed" in caplog.text


@pytest.mark.parametrize("name", ["tracker.track_change", "hub.publish", "watcher.events"])
def test_case_67_never_a_write(name: str) -> None:
    with pytest.raises(TypeError, match="cannot be compared"):
        Obby(fallback=Fallbacks(), shadow=[name])


@pytest.mark.parametrize("name", ["query.nothing", "query", "other.files"])
def test_a_call_that_there_is_not(name: str) -> None:
    with pytest.raises(ValueError, match=f"no call {name}"):
        Obby(fallback=Fallbacks(), shadow=[name])


def test_only_what_is_named(serve: Serve) -> None:
    with Obby(fallback=Fallbacks(), shadow=["query.files"]) as obby:
        calls: Shadow = obby.router.shadow
        assert {name for _, name in calls._calls} == {"files"}


def test_the_kill_switch_stops_it(route: Any, serve: Serve) -> None:
    asked: list[str] = []
    server = serve(oc.QueryClient, GetRecentDiffs=lambda *_: asked.append("go"))
    obby = route(server.target, query={"recent_diffs": []})
    obby.flags._environ["EMERGENCY_ROLLBACK"] = "1"
    assert list(obby.query.recent_diffs()) == []
    assert obby.router.known(QUERY) is None
    assert not asked


def test_what_is_done_does_not_wait(
    route: Any, serve: Serve, loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shadow, "_WAITING", 2)
    server = serve(oc.QueryClient, GetRecentDiffs=listed())
    obby = route(server.target, query={"recent_diffs": []})
    dropped = counted("dropped")
    for _ in range(5):
        before = counted("same")
        list(obby.query.recent_diffs())
        until_counted(loop, "same", before)
    assert counted("dropped") == dropped


def test_a_closed_router_compares_nothing_more(serve: Serve) -> None:
    """The thread that compares waited for the next answer for ever."""
    answer = query_pb2.GetVersionContentResponse(content=b"x")
    server = serve(oc.QueryClient, GetVersionContent=lambda *_: answer)
    environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": server.target}
    obby = Obby(fallback=Fallbacks(query=_Query()), flags=Flags({**environ, SHADOW: "100"}))
    before = COUNTERS.value("obby_shadow_total")
    obby.query.version_content(1)
    wait_until(lambda: COUNTERS.value("obby_shadow_total") > before)
    worker = obby.router.shadow._worker
    assert worker is not None
    obby.close()
    worker.join(60)
    assert not worker.is_alive()


class _Query:
    def version_content(self, version_id: int) -> None:
        raise oc.NotFoundError("secret")


def test_case_68_the_log_of_a_difference_has_no_contents(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    answer = query_pb2.GetVersionContentResponse(content=b"x")
    server = serve(oc.QueryClient, GetVersionContent=lambda *_: answer)
    environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": server.target}
    flags = Flags({**environ, SHADOW: "100"})
    with Obby(fallback=Fallbacks(query=_Query()), flags=flags) as obby:
        obby.query.version_content(1)
        wait_until(obby.router.shadow.differences)
        wait_until(lambda: "differ" in caplog.text)
        assert "secret" in str(obby.router.shadow.differences()[0])
    assert "secret" not in caplog.text


def test_two_equal_sides_never_differ_while_somebody_writes(
    root: Path, tmp_path: Path, start: Callable[..., Any]
) -> None:
    database = tmp_path / "obby.db"
    with ContentTracker(database, [root]) as tracker, QueryService(database) as python:
        process = start("query-service", "--database", str(database))
        environ = {QUERY.switch: "1", QUERY.target: process.target, "OBBY_SHADOW_PERCENTAGE": "100"}
        ended = threading.Event()

        def write() -> None:
            count = 0
            while not ended.is_set():
                count += 1
                (root / "a.md").write_text(f"{count}\n")
                tracker.track_change(root / "a.md")

        wait_until(lambda: process.said("database opened"))
        writing = threading.Thread(target=write)
        writing.start()
        different, moving, same = map(counted, ("different", "moving", "same"))
        try:
            with Obby(fallback=Fallbacks(query=python), flags=Flags(environ)) as obby:
                asked = 0
                for _ in range(20):
                    obby.query.time_analysis()
                    obby.query.activity_stats()
                    assert list(obby.query.recent_diffs(limit=5)) is not None
                    asked += 3
                wait_until(lambda: counted("moving") + counted("same") - moving - same == asked)
        finally:
            ended.set()
            writing.join()
        assert counted("different") == different
        # When nobody writes, each side's own `now` is no difference either.
        with Obby(fallback=Fallbacks(query=python), flags=Flags(environ)) as obby:
            before = counted("moving") + counted("same")
            obby.query.time_analysis()
            wait_until(lambda: counted("moving") + counted("same") > before)
        assert counted("different") == different
