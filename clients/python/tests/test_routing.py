"""One call: who answers it, and what happens where Go cannot."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby.tracker.v1 import tracker_pb2
from obby_clients import tracker
from obby_clients.flags import Backend, Flags, Reason, Service
from obby_clients.metrics import COUNTERS
from obby_clients.routing import AsyncObby, Breaker, Fallbacks, Obby, forced

from .conftest import Server, abort, wait_until
from .routed import NOT_SERVING, SERVING, HealthServer, Routed, error_of, ran

Serve = Callable[..., Server]
Route = Callable[..., Routed]
QUERY = Service.QUERY_SERVICE


@pytest.fixture(params=["sync", "asyncio"])
def route(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, start: object, serve: object
) -> Iterator[Route]:
    """Makes an Obby, blocking and asyncio in turn; closed before the servers."""
    made: list[Routed] = []

    def route(environ: dict[str, str], **python: Any) -> Routed:
        made.append(Routed(loop if request.param == "asyncio" else None, environ, **python))
        return made[-1]

    yield route
    for one in made:
        one.close()


def on(service: Service, target: str, **more: str) -> dict[str, str]:
    return {service.switch: "1", service.target: target, **more}


def content(text: str) -> Callable[..., Any]:
    """Return a GetVersionContent that answers with a text."""
    return lambda *_: query_pb2.GetVersionContentResponse(content=text.encode())


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def fail(code: grpc.StatusCode) -> Callable[..., Any]:
    return lambda _, context: abort(context, code)


def test_go_answers(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("from go"))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    assert obby.query.version_content(1).content == b"from go"
    assert not obby.python["query"].calls


def test_python_answers_where_the_flag_is_off(route: Route) -> None:
    obby = route({}, query={"version_content": "python"})
    assert obby.query.version_content(1, subject="s", timeout=5) == "python"
    assert obby.python["query"].calls == [("version_content", (1,), {"timeout": 5})]
    assert obby.obby.health()["query-service"] == "unused"


def test_a_percentage_splits_by_subject(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    obby = route(
        on(QUERY, server.target, GO_QUERY_ROLLOUT_PERCENTAGE="30"),
        query={"version_content": "python"},
    )
    for subject in map(str, range(30)):
        expected = obby.flags.decide(QUERY, subject).backend
        answer = obby.query.version_content(1, subject=subject)
        assert (answer == "python") == (expected is Backend.PYTHON)
    assert obby.query.version_content(1) == "python"  # no subject


def test_the_subject_of_a_path_is_what_the_kernel_knows() -> None:
    def canonical(path: Any) -> Any:
        return Obby.decide(obby, Service.CONTENT_TRACKER, path).bucket

    with Obby(
        fallback=Fallbacks(),
        flags=Flags({"USE_GO_CONTENT_TRACKER": "1", "GO_TRACKER_ROLLOUT_PERCENTAGE": "30"}),
    ) as obby:
        assert canonical("/home/u/notes/a.md") == 1347
        same = ["//home/u/notes//a.md", "/home/u/./notes/a.md/", b"/home/u/x/../notes/a.md"]
        assert {canonical(path) for path in same} == {1347}


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


def test_case_40_a_write_that_may_have_happened_has_its_id(route: Route, serve: Serve) -> None:
    seen: list[str] = []

    def slow(request: Any, context: grpc.ServicerContext) -> None:
        seen.append(request.request_id)
        abort(context, grpc.StatusCode.DEADLINE_EXCEEDED)  # after it was committed

    server = serve(oc.ContentTrackerClient, TrackChange=slow)
    obby = route(on(Service.CONTENT_TRACKER, server.target), tracker={"track_change": "python"})
    assert obby.tracker.track_change("/notes/a.md") == "python"
    assert obby.tracker.track_change("/notes/a.md", request_id="mine") == "python"
    given = [kwargs["request_id"] for _, _, kwargs in obby.python["tracker"].calls]
    assert given == seen
    assert len(given[0]) == 36
    assert given[1] == "mine"


def test_a_publication_has_its_key(route: Route, serve: Serve) -> None:
    seen: list[str] = []

    def slow(request: Any, context: grpc.ServicerContext) -> None:
        seen.append(request.idempotency_key)
        abort(context, grpc.StatusCode.INTERNAL)

    server = serve(oc.SSEHubClient, Publish=slow)
    obby = route(on(Service.SSE_HUB, server.target), hub={"publish": "python"})
    assert obby.hub.publish("t", "x") == "python"
    ((_, args, kwargs),) = obby.python["hub"].calls
    assert args == ("t", "x")
    assert [kwargs["idempotency_key"]] == seen


def test_what_could_happen_twice_is_not_repeated(route: Route, serve: Serve) -> None:
    server = serve(oc.ContentTrackerClient, Forget=fail(grpc.StatusCode.UNAVAILABLE))
    obby = route(on(Service.CONTENT_TRACKER, server.target), tracker={"forget": "python"})
    assert isinstance(error_of(lambda: obby.tracker.forget("/a")), oc.UnavailableError)
    assert not obby.python["tracker"].calls
    server.stop()
    obby.router.side(Service.CONTENT_TRACKER).breaker.half_open()
    assert obby.tracker.forget("/a") == "python"  # the probe said that nothing was sent


def test_case_41_a_batch_breaks_after_40_of_100(route: Route, serve: Serve) -> None:
    ids: list[str] = []

    def breaks(request: Any, context: grpc.ServicerContext) -> Any:
        ids.extend(item.request_id for item in request.items)
        for index in range(0, 80, 2):  # in any order, says the contract
            yield tracker_pb2.TrackBatchResponse(index=index)
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    def python(changes: Any, **_: Any) -> Any:
        for index, change in enumerate(changes):
            repeated.append(change.request_id)
            yield tracker.BatchItem(index, None, None)

    repeated: list[str] = []
    server = serve(oc.ContentTrackerClient, TrackBatch=breaks)
    obby = route(on(Service.CONTENT_TRACKER, server.target), tracker={"track_batch": python})
    changes = [tracker.TrackChange(f"/notes/{n}.md") for n in range(100)]
    answered = [item.index for item in obby.tracker.track_batch(changes)]
    assert sorted(answered) == list(range(100))
    assert answered[:40] == list(range(0, 80, 2))
    assert len(set(ids)) == 100
    assert repeated == [ids[n] for n in range(100) if n >= 80 or n % 2]


def test_a_batch_goes_to_both_sides(route: Route, serve: Serve) -> None:
    def answer(request: Any, _: Any) -> Any:
        gone.extend(item.path for item in request.items)
        for index in range(len(request.items)):
            yield tracker_pb2.TrackBatchResponse(index=index)

    gone: list[str] = []
    server = serve(oc.ContentTrackerClient, TrackBatch=answer)
    here: list[str] = []

    def python(changes: Any, **_: Any) -> Any:
        for index, change in enumerate(changes):
            here.append(str(change.path))
            yield tracker.BatchItem(index, None, None)

    environ = on(Service.CONTENT_TRACKER, server.target, GO_TRACKER_ROLLOUT_PERCENTAGE="30")
    obby = route(environ, tracker={"track_batch": python})
    paths = [f"/notes/{n}.md" for n in range(50)]
    stream = obby.tracker.track_batch(map(tracker.TrackChange, paths))
    assert sorted(item.index for item in stream) == list(range(50))
    for path in paths:
        go = obby.obby.decide(Service.CONTENT_TRACKER, path).backend is Backend.GO
        assert (path in gone, path in here) == (go, not go)


def test_a_batch_for_a_service_that_is_away(route: Route) -> None:
    def python(changes: Any, **_: Any) -> Any:
        return [tracker.BatchItem(index, None, None) for index, _ in enumerate(changes)]

    obby = route(on(Service.CONTENT_TRACKER, closed_port()), tracker={"track_batch": python})
    reasons: list[str] = []
    obby.router.observers.append(lambda outcome: reasons.append(str(outcome.decision)))
    changes = [tracker.TrackChange("/a.md"), tracker.TrackChange("/b.md")]
    assert [item.index for item in obby.tracker.track_batch(changes)] == [0, 1]
    assert reasons == ["GO_UNAVAILABLE:UNAVAILABLE"]


def page(first: int, last: int) -> query_pb2.GetRecentDiffsResponse:
    token = "more" if last < 100 else ""
    diffs = [query_pb2.Diff(change_id=n, path=f"/{n}") for n in range(first, last)]
    return query_pb2.GetRecentDiffsResponse(diffs=diffs, next_page_token=token)


def test_a_list_goes_on_in_python(route: Route, serve: Serve) -> None:
    def pages(request: Any, context: grpc.ServicerContext) -> Any:
        if request.page_token:
            abort(context, grpc.StatusCode.INTERNAL)
        return page(0, 40)

    every = serve(oc.QueryClient, GetRecentDiffs=lambda *_: page(0, 100))
    with oc.QueryClient(every.target) as client:
        diffs = list(client.recent_diffs())
    server = serve(oc.QueryClient, GetRecentDiffs=pages)
    obby = route(on(QUERY, server.target), query={"recent_diffs": diffs})
    assert list(obby.query.recent_diffs()) == diffs
    strange = route(on(QUERY, server.target), query={"recent_diffs": diffs[50:]})
    given = strange.query.recent_diffs()
    assert [next(given).change_id for _ in range(40)] == list(range(40))
    assert isinstance(error_of(lambda: next(given)), oc.InternalError)  # Python cannot know


def test_a_list_that_is_left_early_is_no_failure(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetRecentDiffs=lambda *_: page(0, 40))
    obby = route(on(QUERY, server.target), query={"recent_diffs": []})
    assert next(obby.query.recent_diffs()).change_id == 0
    assert obby.obby.health()["query-service"] == "closed"


def test_streams_that_end(route: Route, serve: Serve) -> None:
    def since(request: Any, context: grpc.ServicerContext) -> Any:
        yield query_pb2.GetDiffsSinceResponse(
            diff=query_pb2.Diff(change_id=1, path="/a"), resume_token="after 1"
        )

    server = serve(oc.QueryClient, GetDiffsSince=since)
    obby = route(on(QUERY, server.target), query={"diffs_since": []})
    stream = obby.query.diffs_since("cursor").connect()
    assert [diff.change_id for diff in stream] == [1]
    assert stream.cursor == "after 1"
    stream.close()


def test_a_call_may_be_forced(route: Route, serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    with forced(Backend.PYTHON):
        assert obby.query.version_content(1) == "python"
    assert obby.query.version_content(1) != "python"


def test_the_guard_turns_a_service_off(route: Route, serve: Serve) -> None:
    turn = iter(range(1_000_000))

    def every_other(_: Any, context: grpc.ServicerContext) -> Any:
        if next(turn) % 2:
            abort(context, grpc.StatusCode.INTERNAL)
        return query_pb2.GetVersionContentResponse()

    server = serve(oc.QueryClient, GetVersionContent=every_other)
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    calls = 0
    while obby.flags.decide(QUERY).reason is not Reason.GUARD_TRIPPED:
        obby.query.version_content(1)
        calls += 1
        assert calls < 200
    assert calls > 10  # not by chance
    assert "failed on Go" in obby.flags.tripped[QUERY]
    assert obby.query.version_content(1) == "python"


def test_case_68_no_label_and_no_log_tells_the_subject(
    route: Route, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    environ = on(QUERY, server.target, GO_QUERY_ROLLOUT_PERCENTAGE="50")
    obby = route(environ, query={"version_content": "python"})
    caplog.set_level("DEBUG", logger="obby_clients")
    for subject in ("secret-1", "secret-2", "secret-3"):
        obby.query.version_content(1, subject=subject)
    assert "secret" not in str(list(COUNTERS.read()))
    logged = [vars(record) for record in caplog.records if record.name == "obby_clients.routing"]
    assert "secret" not in str(logged)
    assert {len(entry["subject_hash"]) for entry in logged if "subject_hash" in entry} == {12}


def test_a_service_without_a_python_side(route: Route) -> None:
    error = error_of(lambda: route({}).query.version_content(1))
    assert isinstance(error, oc.FailedPreconditionError)
    assert "query-service" in str(error)
