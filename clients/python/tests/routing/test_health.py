"""A service that is away, or says that it does not serve: the breaker and its probes."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby_clients.flags import Flags, Service
from obby_clients.routing import AsyncObby, Breaker, Fallbacks
from obby_clients.routing.breaker import Admission

from ..conftest import abort, wait_until
from .routed import (
    NOT_SERVING,
    QUERY,
    SERVING,
    HealthServer,
    Route,
    Routed,
    Serve,
    closed_port,
    content,
    on,
    ran,
)


def test_case_32_a_closed_port(route: Route) -> None:
    obby = route(on(QUERY, closed_port()), query={"version_content": "python"})
    before = ran("query-service", reason="GO_UNAVAILABLE")
    reasons: list[str] = []
    obby.router.observers.append(lambda outcome: reasons.append(str(outcome.decision)))
    for _ in range(3):
        assert obby.query.version_content(1) == "python"
    assert reasons == ["GO_UNAVAILABLE:UNAVAILABLE", *["GO_UNAVAILABLE:breaker open"] * 2]
    assert ran("query-service", reason="GO_UNAVAILABLE") == before + 3
    assert obby.obby.health()["query-service"] == "open"


def test_case_33_a_host_that_says_nothing(route: Route) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connects, and never speaks
        target = f"127.0.0.1:{silent.getsockname()[1]}"
        obby = route(on(QUERY, target), query={"version_content": "python"})
        reasons: list[str] = []
        obby.router.observers.append(lambda outcome: reasons.append(str(outcome.decision)))
        assert obby.query.version_content(1) == "python"
        assert obby.query.version_content(1) == "python"
    assert reasons == ["GO_UNAVAILABLE:DEADLINE_EXCEEDED", "GO_UNAVAILABLE:breaker open"]


def test_case_34_a_service_that_restarts(route: Route, start: Any, tmp_path: Any) -> None:
    service = start("content-tracker", "--database", f"{tmp_path}/o.db", "--root", f"{tmp_path}")
    obby = route(on(Service.CONTENT_TRACKER, service.target), tracker={"content_hash": "python"})
    assert obby.tracker.content_hash(content=b"x") != "python"
    service.kill()
    assert obby.tracker.content_hash(content=b"x") == "python"
    service.restart()
    assert wait_until(lambda: obby.tracker.content_hash(content=b"x") != "python")
    assert obby.obby.health()["content-tracker"] == "closed"


def test_case_36_not_serving(route: Route) -> None:
    status = [NOT_SERVING]
    server = HealthServer(lambda: status[0])
    try:
        obby = route(on(QUERY, server.target), query={"version_content": "python"})
        assert obby.query.version_content(1) == "python"
        assert obby.router.side(QUERY).breaker.state == "open"
    finally:
        server.stop()


def test_case_36_a_query_service_without_a_database(
    route: Route, start: Any, tmp_path: Any
) -> None:
    service = start("query-service", "--database", str(tmp_path / "none.db"))
    obby = route(on(QUERY, service.target), query={"version_content": "python"})
    assert obby.query.version_content(1) == "python"


def test_case_37_an_old_server(route: Route, serve: Serve) -> None:
    asked: list[str] = []

    def lacks(_: Any, context: grpc.ServicerContext) -> None:
        asked.append("version_content")
        abort(context, grpc.StatusCode.UNIMPLEMENTED)

    stats = query_pb2.GetActivityStatsResponse
    methods = {"GetActivityStats": lambda *_: stats(), "GetVersionContent": lacks}
    server = serve(oc.QueryClient, **methods)
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    for _ in range(3):
        assert obby.query.version_content(1) == "python"
        obby.query.activity_stats()
    assert asked == ["version_content"]
    assert obby.obby.health()["query-service"] == "closed"
    server.stop()
    obby.python["query"]._methods["activity_stats"] = "python"
    assert obby.query.activity_stats() == "python"  # the connection is gone, and what it told
    serve(oc.QueryClient, address=server.target, GetVersionContent=content("new"))
    wait_until(lambda: obby.query.version_content(1) != "python")


def test_case_44_one_probe_at_half_open() -> None:
    asked, answer = threading.Semaphore(0), threading.Event()

    def check() -> bytes:
        asked.release()
        assert answer.wait(60)
        return SERVING

    handler = grpc.unary_unary_rpc_method_handler(
        lambda *_: query_pb2.GetVersionContentResponse().SerializeToString()
    )
    methods = {"GetVersionContent": handler}
    other = grpc.method_handlers_generic_handler("obby.query.v1.QueryService", methods)
    server = HealthServer(check, other)
    routed = Routed(None, on(QUERY, server.target), query={"version_content": "python"})
    # The channel's own watch asks too; a connection that stands leaves the probe alone.
    routed.router.side(QUERY)
    with ThreadPoolExecutor(50) as pool:
        calls = [pool.submit(routed.query.version_content, 1) for _ in range(50)]
        wait_until(lambda: sum(call.done() for call in calls) == 49)
        answer.set()
        answers = [call.result(60) for call in calls]
    assert answers.count("python") == 49
    assert server.checks == 1
    routed.close()
    server.stop()


def test_case_61_the_clock_steps_back(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = Breaker(open_for=0.0)
    breaker.admit()
    breaker.probed(well=False)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert breaker.state == "half-open"
    now = [100.0]
    breaker = Breaker(open_for=5.0, clock=lambda: now[0])
    breaker.admit()
    breaker.probed(well=True)
    breaker.failure(gone=True)
    assert breaker.state == "open"
    now[0] += 5
    assert breaker.state == "half-open"


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
