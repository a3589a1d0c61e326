"""A call that fails on Go, on Python or for its caller, and what follows."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby_clients.flags import Backend, Flags, Service
from obby_clients.routing import AsyncObby, Fallbacks

from ..conftest import abort, until_cancelled
from .routed import QUERY, Route, Routed, Serve, closed_port, content, error_of, fail, on


def test_case_38_cancelling_is_no_failure(loop: asyncio.AbstractEventLoop, serve: Serve) -> None:
    entered, leave = threading.Event(), threading.Event()

    def wait(_: Any, context: grpc.ServicerContext) -> None:
        entered.set()
        assert leave.wait(60)

    server = serve(oc.QueryClient, GetVersionContent=wait)
    routed = Routed(loop, on(QUERY, server.target), query={"version_content": "python"})

    async def cancel() -> None:
        call = asyncio.ensure_future(routed.obby.query.version_content(1, timeout=60))
        await loop.run_in_executor(None, entered.wait, 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    loop.run_until_complete(cancel())
    leave.set()
    assert not routed.python["query"].calls
    side = routed.router.side(QUERY)
    assert (side.breaker.state, side.breaker._row) == ("closed", 0)
    routed.close()


ANSWERS = ["INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "FAILED_PRECONDITION", "OUT_OF_RANGE"]


@pytest.mark.parametrize("name", [*ANSWERS, "ABORTED"])
def test_case_39_an_answer_is_an_answer(route: Route, serve: Serve, name: str) -> None:
    server = serve(oc.QueryClient, GetVersionContent=fail(grpc.StatusCode[name]))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    for _ in range(10):
        error = error_of(lambda: obby.query.version_content(1))
        assert isinstance(error, oc.ObbyError)
        assert error.code.name == name
    assert not obby.python["query"].calls
    assert obby.obby.health()["query-service"] == "closed"


FAILURES = ["DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "DATA_LOSS"]
FAILURES += ["UNAUTHENTICATED", "PERMISSION_DENIED"]


@pytest.mark.parametrize("name", FAILURES)
def test_failures_fall_back_and_open_the_breaker(route: Route, serve: Serve, name: str) -> None:
    server = serve(oc.QueryClient, GetVersionContent=fail(grpc.StatusCode[name]))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    reasons: list[str] = []
    obby.router.observers.append(lambda outcome: reasons.append(str(outcome.decision)))
    for _ in range(6):
        assert obby.query.version_content(1) == "python"
    assert reasons == [f"FALLBACK:{name}"] * 5 + ["GO_UNAVAILABLE:breaker open"]


@pytest.mark.parametrize("name", ["UNAVAILABLE", "CANCELLED"])
def test_a_server_that_is_gone_opens_it_at_once(route: Route, serve: Serve, name: str) -> None:
    server = serve(oc.QueryClient, GetVersionContent=fail(grpc.StatusCode[name]))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    assert obby.query.version_content(1) == "python"
    assert obby.obby.health()["query-service"] == "open"


def test_what_cannot_be_sent_is_pythons(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient)
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    assert obby.query.version_content(2**80) == "python"  # no int64 holds it
    assert obby.obby.health()["query-service"] == "closed"


def test_case_45_a_message_over_the_limit(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("x" * (17 << 20)))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    for _ in range(6):
        assert obby.query.version_content(1, timeout=60) == "python"
    assert obby.obby.health()["query-service"] == "closed"  # it says nothing about the service


def test_case_42_both_fail(route: Route, serve: Serve) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise oc.InternalError("python broke")

    server = serve(oc.QueryClient, GetVersionContent=fail(grpc.StatusCode.INTERNAL))
    obby = route(on(QUERY, server.target), query={"version_content": broken})
    error = error_of(lambda: obby.query.version_content(1))
    assert str(error) == "python broke (INTERNAL)"
    assert isinstance(error.__cause__, oc.InternalError)
    assert "said the server" in str(error.__cause__)


def test_case_43_python_fails_by_itself(route: Route, serve: Serve) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug")

    server = serve(oc.QueryClient)
    obby = route(
        on(QUERY, server.target, GO_QUERY_ROLLOUT_PERCENTAGE="0"), query={"version_content": broken}
    )
    for _ in range(10):
        assert isinstance(error_of(lambda: obby.query.version_content(1)), RuntimeError)
    side = obby.router.side(QUERY)
    assert (side.breaker._row, side.guard._of(Backend.GO)) == (0, (0, 0))


def test_case_58_a_closed_router(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    obby.query.version_content(1)
    obby.close()
    obby.close()
    assert isinstance(error_of(lambda: obby.query.version_content(1)), oc.ClosedError)
    assert not obby.python["query"].calls


def test_case_57_a_second_event_loop(serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    obby = AsyncObby(fallback=Fallbacks(), flags=Flags(on(QUERY, server.target)))

    async def ask() -> bytes:
        return (await obby.query.version_content(1)).content

    assert [asyncio.run(ask()) for _ in range(2)] == [b"go", b"go"]
    asyncio.run(obby.close())


@pytest.mark.parametrize("timeout", [0, -1.5, float("nan")])
def test_case_64_no_time_is_no_call(route: Route, timeout: float) -> None:
    obby = route(on(QUERY, closed_port()), query={"version_content": "python"})
    error = error_of(lambda: obby.query.version_content(1, timeout=timeout))
    assert isinstance(error, oc.DeadlineError)
    assert not obby.python["query"].calls
    assert obby.obby.health()["query-service"] in ("unused", "half-open")  # nobody was asked


def test_python_gets_what_is_left_of_the_time(route: Route, serve: Serve) -> None:
    def late(_: Any, context: grpc.ServicerContext) -> None:
        abort(context, grpc.StatusCode.INTERNAL)

    server = serve(oc.QueryClient, GetVersionContent=late)
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    assert obby.query.version_content(1, timeout=30) == "python"
    ((_, _, kwargs),) = obby.python["query"].calls
    assert 0 < kwargs["timeout"] < 30


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
