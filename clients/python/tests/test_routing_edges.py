"""Routing where two things happen at once, or nobody can answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby.tracker.v1 import tracker_pb2
from obby_clients import hub, tracker
from obby_clients.flags import Backend, Flags, Service
from obby_clients.flags.variables import SHADOW
from obby_clients.metrics import COUNTERS
from obby_clients.routing import AsyncObby, Breaker, Fallbacks, Obby
from obby_clients.routing.breaker import Admission
from obby_clients.routing.calls import Effect
from obby_clients.routing.livestreams import _read
from obby_clients.routing.verdict import Mark, verdict
from obby_clients.routing.watching import Root

from .conftest import Server, until_cancelled, wait_until
from .routed import SERVING, HealthServer, Routed

Serve = Callable[..., Server]
Route = Callable[..., Routed]


@pytest.fixture(params=["sync", "asyncio"])
def route(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, serve: object
) -> Iterator[Route]:
    """Makes an Obby, blocking and asyncio in turn; closed before the servers."""
    made: list[Routed] = []

    def route(environ: dict[str, str], **python: Any) -> Routed:
        made.append(Routed(loop if request.param == "asyncio" else None, environ, **python))
        return made[-1]

    yield route
    for one in made:
        one.close()


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


def test_the_end_of_a_source_that_was_replaced_ends_nothing() -> None:
    """The new one was given up without being closed: everything came twice."""
    with Obby(fallback=Fallbacks(), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        old: Iterator[Any] = iter(())
        stream._live.sources[Backend.GO] = new = _Source()
        _read(lambda: stream, Backend.GO, old)  # type: ignore[arg-type]
        assert stream._live.failed == set()
        _read(lambda: stream, Backend.GO, new)  # type: ignore[arg-type]
        assert stream._live.failed == {Backend.GO}


class _Source:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def close(self) -> None:
        self.closed.set()


def test_a_stream_that_is_closed_while_it_opens_keeps_nothing_open() -> None:
    source, opening, go_on = _Source(), threading.Event(), threading.Event()

    class Hub:
        def subscribe(self, **_: Any) -> _Source:
            opening.set()
            assert go_on.wait(60)
            return source

    with Obby(fallback=Fallbacks(hub=Hub()), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        connecting = threading.Thread(target=stream.connect)
        connecting.start()
        assert opening.wait(60)
        stream.close()
        go_on.set()
        connecting.join()
        assert source.closed.wait(60)


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


def test_two_calls_give_a_hub_what_it_has_missed() -> None:
    """One of them found nothing left, and raised IndexError."""
    published: list[str] = []

    class Hub:
        async def publish(self, topic: str, data: str, **_: Any) -> hub.Published:
            await asyncio.sleep(0)
            published.append(data)
            return hub.Published(data, 1, False)

    async def main() -> None:
        environ = {"USE_GO_SSE_HUB": "1"}
        obby = AsyncObby(fallback=Fallbacks(hub=Hub()), flags=Flags(environ))
        side = obby.router.side(Service.SSE_HUB)
        side.breaker.admit()
        side.breaker.probed(well=True)
        side._client = go = _Go(published)
        side._target = obby.flags.setting(Service.SSE_HUB).target or ""
        missed = vars(obby.hub)["_publishing"]._missed
        missed += [(("t", "first"), {}), (("t", "second"), {})]
        await asyncio.gather(obby.hub.publish("t", "third"), obby.hub.publish("t", "fourth"))
        assert sorted(go.published) == ["first", "fourth", "second", "third"]
        await obby.close()

    asyncio.run(main())


class _Go:
    def __init__(self, published: list[str]) -> None:
        self.published = published

    async def publish(self, topic: str, data: str, **_: Any) -> hub.Published:
        await asyncio.sleep(0)
        self.published.append(data)
        return hub.Published(data, 1, False)

    async def close(self) -> None:
        """Nothing is open."""


def test_every_kind_of_call_says_why_it_is_made(route: Route, serve: Serve) -> None:
    told: list[tuple[str | None, str | None]] = []

    def note(context: Any) -> None:
        sent = dict(context.invocation_metadata())
        told.append((sent.get("x-obby-decision"), sent.get("traceparent")))

    def diffs(_: Any, context: Any) -> Any:
        note(context)
        return query_pb2.GetRecentDiffsResponse(diffs=[query_pb2.Diff(change_id=1)])

    def reconcile(_: Any, context: Any) -> Iterator[Any]:
        note(context)
        yield tracker_pb2.ReconcileResponse()

    def batch(_: Any, context: Any) -> Iterator[Any]:
        note(context)
        yield tracker_pb2.TrackBatchResponse(index=0)

    asked = serve(oc.QueryClient, GetRecentDiffs=diffs)
    tracked = serve(oc.ContentTrackerClient, TrackBatch=batch, Reconcile=reconcile)
    obby = route(
        {
            "USE_GO_QUERY_SERVICE": "1",
            "GO_QUERY_SERVICE_TARGET": asked.target,
            "USE_GO_CONTENT_TRACKER": "1",
            "GO_CONTENT_TRACKER_TARGET": tracked.target,
        }
    )
    obby.router.headers.append(lambda: (("traceparent", "00-1-2-00"),))
    assert len(list(obby.query.recent_diffs())) == 1
    assert len(list(obby.tracker.reconcile("/a"))) == 1
    assert len(list(obby.tracker.track_batch([tracker.TrackChange("/a")]))) == 1
    assert told == [("PERCENT_ALL", "00-1-2-00")] * 3


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


def test_case_38_a_cancelled_call_of_a_closed_router_is_cancelled(serve: Serve) -> None:
    """ClosedError instead would have swallowed the cancellation."""
    running = threading.Event()

    def slow(_: Any, context: Any) -> Any:
        running.set()
        until_cancelled(context)
        return query_pb2.GetVersionContentResponse()

    server = serve(oc.QueryClient, GetVersionContent=slow)
    environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": server.target}

    async def main() -> None:
        async with AsyncObby(fallback=Fallbacks(), flags=Flags(environ)) as obby:
            side = obby.router.side(Service.QUERY_SERVICE)
            side.breaker.admit()
            side.breaker.probed(well=True)  # so that the short way is taken
            call = asyncio.ensure_future(obby.query.version_content(1, timeout=60))
            await asyncio.to_thread(running.wait, 60)
            call.cancel()
            obby.router.closed = True
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(main())


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("CLIENT: Sent message larger than max (20 vs. 10)", True),
        ("grpc: received message larger than max (20 vs. 10)", True),
        ("Received message larger than max (20 vs. 10)", False),
        ("CLIENT: Received message larger than max (20 vs. 10)", False),
    ],
)
def test_what_was_done_once_is_not_done_again_for_a_long_answer(message: str, again: bool) -> None:
    error = oc.ResourceExhaustedError(message)
    assert verdict(error, Effect.ONCE).fall_back is again
    assert verdict(error, Effect.READ).fall_back
    assert verdict(error, Effect.READ).mark is Mark.NEUTRAL


def test_case_41_a_batch_that_ends_too_soon_is_finished_by_python(
    route: Route, serve: Serve
) -> None:
    def batch(_: Any, context: Any) -> Iterator[Any]:
        yield tracker_pb2.TrackBatchResponse(index=1)

    def python(changes: Any, **_: Any) -> list[tracker.BatchItem]:
        return [tracker.BatchItem(i, None, oc.NotFoundError(c.path)) for i, c in enumerate(changes)]

    server = serve(oc.ContentTrackerClient, TrackBatch=batch)
    environ = {"USE_GO_CONTENT_TRACKER": "1", "GO_CONTENT_TRACKER_TARGET": server.target}
    obby = route(environ, tracker={"track_batch": python})
    items = obby.tracker.track_batch([tracker.TrackChange(path) for path in ("/a", "/b", "/c")])
    found = [(item.index, item.error and item.error.message) for item in items]
    assert found == [(1, None), (0, "/a"), (2, "/c")]
    label = {"service": "content-tracker", "method": "track_batch", "reason": "FALLBACK"}
    assert COUNTERS.value("obby_calls_total", **label) >= 1


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


def test_what_must_not_happen_twice_asks_for_the_health_each_time(route: Route) -> None:
    server = HealthServer(lambda: SERVING)
    environ = {"USE_GO_CONTENT_TRACKER": "1", "GO_CONTENT_TRACKER_TARGET": server.target}
    obby = route(environ, tracker={"content_hash": "python", "forget": "python"})
    assert obby.tracker.content_hash("/a") == "python"  # the server lacks the method
    assert (server.checks, obby.obby.health()["content-tracker"]) == (1, "closed")
    assert obby.tracker.forget("/a") == "python"
    assert server.checks == 2
    server.stop()


def test_case_38_a_probe_that_is_cancelled_leaves_the_next_caller_one() -> None:
    go_on = threading.Event()

    def slow() -> bytes:
        go_on.wait(60)
        return SERVING

    server = HealthServer(slow)
    environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": server.target}

    async def main() -> None:
        async with AsyncObby(fallback=Fallbacks(), flags=Flags(environ)) as obby:
            call = asyncio.ensure_future(obby.query.version_content(1))
            breaker = obby.router.side(Service.QUERY_SERVICE).breaker
            while not breaker._probe.locked():
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert breaker.admit() is Admission.PROBE

    asyncio.run(main())
    go_on.set()
    server.stop()


def test_case_33_silence_makes_the_next_probe_wait_longer() -> None:
    now = [0.0]
    breaker = Breaker(open_for=1.0, clock=lambda: now[0])
    waits = []
    for _ in range(7):
        assert breaker.admit() is Admission.PROBE
        breaker.probed(well=False, silent=True)
        waits.append(breaker._until - now[0])
        now[0] = breaker._until
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert breaker.admit() is Admission.PROBE
    breaker.probed(well=False)  # refused: it costs nothing to ask
    now[0] = breaker._until
    assert breaker.admit() is Admission.PROBE
    breaker.probed(well=False)
    assert breaker._until - now[0] == 1
