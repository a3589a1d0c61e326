"""Answers that come in parts: batches, lists and streams that end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby.tracker.v1 import tracker_pb2
from obby_clients import tracker
from obby_clients.flags import Backend, Service
from obby_clients.metrics import COUNTERS

from ..conftest import abort
from .routed import QUERY, Route, Serve, closed_port, error_of, on


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
