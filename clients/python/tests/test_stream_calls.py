"""The other streams, in both kinds of client, against a server in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from itertools import count, islice
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby_clients import hub, tracker
from obby_clients._contract import query_pb2, sse_pb2, tracker_pb2
from obby_clients._rpc_types import status_pb2

from .conftest import Server, abort, until_cancelled

Connect = Callable[..., Any]
Serve = Callable[..., Server]


def test_diffs_since(connect: Connect, serve: Serve) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(query_pb2.GetDiffsSinceRequest.FromString(request.SerializeToString()))
        start = int(request.resume_token or 0)
        for number in range(start + 1, 6):
            if number == 4 and len(asked) == 1:
                abort(context)
            yield query_pb2.GetDiffsSinceResponse(
                diff=query_pb2.Diff(change_id=number), resume_token=str(number)
            )

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetDiffsSince=answer).target)
    since = datetime(2026, 1, 1, tzinfo=timezone.utc)
    stream = client.diffs_since(since, path_prefix="/notes", text=False)
    assert [diff.change_id for diff in stream] == [1, 2, 3, 4, 5]
    assert stream.cursor == "5"
    assert [request.WhichOneof("since") for request in asked] == ["since_time", "resume_token"]
    assert asked[0].since_time.ToDatetime(timezone.utc) == since
    assert asked[1].filter.path_prefix == asked[0].filter.path_prefix == "/notes"
    assert asked[1].view == query_pb2.DIFF_VIEW_BASIC
    assert [diff.change_id for diff in client.diffs_since("4")] == [5]


def test_a_deadline_for_the_whole_stream(connect: Connect, serve: Serve) -> None:
    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        yield query_pb2.GetDiffsSinceResponse(resume_token="1")
        until_cancelled(context)

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetDiffsSince=answer).target)
    with pytest.raises(oc.DeadlineError):
        list(client.diffs_since("t", timeout=0.3))


def result(change_id: int) -> tracker_pb2.TrackChangeResponse:
    return tracker_pb2.TrackChangeResponse(change_id=change_id)


def test_case_41_track_batch_breaks_after_40_of_100(connect: Connect, serve: Serve) -> None:
    # What was answered is known, so that only the rest is done elsewhere.
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        assert len(request.items) == 100
        for index in reversed(range(60, 100)):
            yield tracker_pb2.TrackBatchResponse(
                index=index, status=status_pb2.Status(), result=result(index)
            )
        abort(context)

    server = serve(oc.ContentTrackerClient, TrackBatch=answer)
    client = connect(oc.ContentTrackerClient, server.target)
    changes = [tracker.TrackChange(f"/{number}") for number in range(100)]
    answered: list[int] = []
    stream = client.track_batch(changes)
    for item in islice(stream, 40):
        assert item.result.change_id == item.index
        answered.append(item.index)
    with pytest.raises(oc.UnavailableError):
        next(stream)
    assert answered == list(reversed(range(60, 100)))


def test_track_batch_has_results_and_errors(connect: Connect, serve: Serve) -> None:
    seen: list[Any] = []

    def answer(request: Any, _: Any) -> Any:
        seen.extend(request.items)
        failed = status_pb2.Status(code=5, message="gone and never recorded")
        yield tracker_pb2.TrackBatchResponse(index=1, status=failed)
        yield tracker_pb2.TrackBatchResponse(
            index=0,
            result=tracker_pb2.TrackChangeResponse(outcome=tracker_pb2.TRACK_OUTCOME_UNCHANGED),
        )

    server = serve(oc.ContentTrackerClient, TrackBatch=answer)
    client = connect(oc.ContentTrackerClient, server.target)
    moved = tracker.TrackChange("/b", tracker.ChangeType.MOVED, b"/\xff", "id")
    bad, good = client.track_batch(iter([tracker.TrackChange("/a"), moved]))
    assert (bad.index, bad.result) == (1, None)
    assert isinstance(bad.error, oc.NotFoundError)
    assert bad.error.message == "gone and never recorded"
    assert (good.index, good.error) == (0, None)
    assert good.result.outcome is tracker.TrackOutcome.UNCHANGED
    assert seen == [
        tracker_pb2.TrackChangeRequest(path="/a"),
        tracker_pb2.TrackChangeRequest(
            path="/b",
            change_type=tracker_pb2.CHANGE_TYPE_MOVED,
            raw_old_path=b"/\xff",
            request_id="id",
        ),
    ]


def test_reconcile_is_not_repeated(connect: Connect, serve: Serve) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request)
        yield tracker_pb2.ReconcileResponse(path="/notes", files_seen=1)
        abort(context)

    server = serve(oc.ContentTrackerClient, Reconcile=answer)
    stream = connect(oc.ContentTrackerClient, server.target).reconcile("/notes")
    assert next(stream).files_seen == 1
    with pytest.raises(oc.UnavailableError):
        next(stream)
    assert len(asked) == 1


class Hub:
    """A hub that holds a history and interrupts every subscription after some items."""

    def __init__(self, held: int, *breaks: int) -> None:
        self.newest = held
        self.breaks = list(breaks)
        self.asked: list[tuple[str, int]] = []

    def subscribe(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append((request.last_event_id, request.last_count))
        yield from islice(self.items(request), self.breaks.pop(0) if self.breaks else None)
        abort(context)

    def items(self, request: Any) -> Iterator[sse_pb2.SubscribeResponse]:
        yield sse_pb2.SubscribeResponse(ready=sse_pb2.Ready(event_id=f"e-{self.newest}"))
        if request.last_event_id:
            first = int(request.last_event_id.removeprefix("e-")) + 1
        else:
            first = self.newest - request.last_count + 1
        for number in count(first):
            self.newest = max(self.newest, number)
            yield sse_pb2.SubscribeResponse(
                event=sse_pb2.Event(event_id=f"e-{number}", topic="t", data=b"{}")
            )
            yield sse_pb2.SubscribeResponse(heartbeat=sse_pb2.Heartbeat())


@pytest.mark.parametrize(
    ("begin", "asked", "ids"),
    [
        # Broken after `ready`, which must not skip what was to be replayed.
        ({"last_event_id": "e-7"}, [("e-7", 0)] * 2 + [("e-8", 0)], [8, 9, 10, 11]),
        ({"last_count": 2}, [("", 2)] * 2 + [("e-9", 2)], [9, 10, 11, 12]),
        # Live only: nothing between the break and the new subscription is missed.
        ({}, [("", 0), ("e-10", 0), ("e-11", 0)], [11, 12, 13, 14]),
    ],
)
def test_subscribe_without_gap_or_duplicate(
    connect: Connect, serve: Serve, begin: Any, asked: Any, ids: list[int]
) -> None:
    history = Hub(10, 1, 2)
    server = serve(oc.SSEHubClient, Subscribe=history.subscribe)
    stream = connect(oc.SSEHubClient, server.target).subscribe("t", **begin)
    assert [item.event_id for item in islice(stream, 4)] == [f"e-{number}" for number in ids]
    assert stream.cursor == f"e-{ids[-1]}"
    stream.close()
    assert history.asked == asked


def test_subscribe_after_a_reset(connect: Connect, serve: Serve) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append((list(request.topics), request.last_event_id))
        yield sse_pb2.SubscribeResponse(ready=sse_pb2.Ready(event_id="b-9"))
        if request.last_event_id.startswith("a-"):
            yield sse_pb2.SubscribeResponse(
                reset=sse_pb2.Reset(reason=sse_pb2.RESET_REASON_EPOCH, event_id="b-9")
            )
            abort(context, grpc.StatusCode.ABORTED)  # read too slowly
        yield sse_pb2.SubscribeResponse(event=sse_pb2.Event(event_id="b-10"))
        until_cancelled(context)

    server = serve(oc.SSEHubClient, Subscribe=answer)
    stream = connect(oc.SSEHubClient, server.target).subscribe(["t", "u"], last_event_id="a-5")
    assert next(stream) == hub.Reset(hub.ResetReason.EPOCH, "b-9", None)
    assert next(stream).event_id == "b-10"
    stream.close()
    assert asked == [(["t", "u"], "a-5"), (["t", "u"], "b-9")]
