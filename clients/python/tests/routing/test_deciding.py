"""Who is asked, and how it is told why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby.tracker.v1 import tracker_pb2
from obby_clients import tracker
from obby_clients.flags import Backend, Flags, Reason, Service
from obby_clients.metrics import COUNTERS
from obby_clients.routing import Fallbacks, Obby, forced

from ..conftest import abort
from .routed import QUERY, Route, Serve, content, error_of, on


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
