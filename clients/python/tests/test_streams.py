"""How a stream goes on, and when it does not: events, in both kinds of client."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
from collections.abc import Callable, Iterator
from itertools import count, islice
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby_clients import watcher
from obby_clients._contract import watcher_pb2
from obby_clients.watcher import client as watcher_client

from .conftest import Server, abort, until_cancelled

Connect = Callable[..., Any]
Serve = Callable[..., Server]


def ready(token: str = "0") -> watcher_pb2.StreamEventsResponse:
    return watcher_pb2.StreamEventsResponse(resume_token=token, ready=watcher_pb2.Ready())


def event(number: int) -> watcher_pb2.StreamEventsResponse:
    return watcher_pb2.StreamEventsResponse(
        resume_token=str(number), event=watcher_pb2.Event(path=f"/{number}")
    )


HEARTBEAT = watcher_pb2.StreamEventsResponse(heartbeat=watcher_pb2.Heartbeat())


def events_after(token: str) -> Iterator[watcher_pb2.StreamEventsResponse]:
    """Give the endless stream of events after a token, as the file-watcher does."""
    yield ready(token or "0")
    yield from map(event, count(int(token or 0) + 1))


def paths(items: Any, number: int) -> list[str]:
    return [item.path for item in islice(items, number)]


def test_events(connect: Connect, serve: Serve) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request)
        yield ready()
        yield HEARTBEAT
        yield event(1)
        yield watcher_pb2.StreamEventsResponse(resume_token="x")  # of a newer server
        yield watcher_pb2.StreamEventsResponse(
            resume_token="2",
            resync=watcher_pb2.Resync(reason=watcher_pb2.RESYNC_REASON_RESTARTED, path="/notes"),
        )
        until_cancelled(context)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events(
        "t", watch_ids=["w"], path_prefix=b"/\xff", change_types=[watcher.ChangeType.CREATED]
    )
    assert asked == []  # not opened before it is needed
    one, two = next(stream), next(stream)
    assert isinstance(one, watcher.Event)
    assert one.path == "/1"
    assert two == watcher.Resync(watcher.ResyncReason.RESTARTED, None, "/notes")
    assert stream.cursor == "2"
    stream.close()
    stream.close()
    assert list(stream) == []
    assert asked == [
        watcher_pb2.StreamEventsRequest(
            resume_token="t",
            watch_ids=["w"],
            raw_path_prefix=b"/\xff",
            change_types=[watcher_pb2.CHANGE_TYPE_CREATED],
        )
    ]


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.CANCELLED, None],
)
def test_an_interrupted_stream_goes_on(connect: Connect, serve: Serve, code: Any) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield from islice(events_after(request.resume_token), len(asked))
        if code:
            abort(context, code)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events()
    assert paths(stream, 6) == ["/1", "/2", "/3", "/4", "/5", "/6"]
    stream.close()
    assert asked == ["", "0", "1", "3"]


def test_a_restarted_server(connect: Connect, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield from islice(events_after(request.resume_token), 3)
        until_cancelled(context)

    server = serve(oc.FileWatcherClient, StreamEvents=answer)
    client = connect(oc.FileWatcherClient, server.target)
    stream = client.events()
    assert paths(stream, 2) == ["/1", "/2"]
    server.stop()
    timer = threading.Timer(
        0.3, serve, (oc.FileWatcherClient,), {"address": server.target, "StreamEvents": answer}
    )
    timer.start()
    assert paths(stream, 2) == ["/3", "/4"]
    timer.join()
    stream.close()
    assert asked == ["", "2"]


def test_an_outage_ends_it_at_last(connect: Connect, serve: Serve) -> None:
    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        yield from islice(events_after(request.resume_token), 2)
        abort(context)

    server = serve(oc.FileWatcherClient, StreamEvents=answer)
    stream = connect(oc.FileWatcherClient, server.target).events(retry_for=0.2)
    assert paths(stream, 1) == ["/1"]
    server.stop()
    with pytest.raises(oc.UnavailableError) as caught:
        next(stream)
    assert caught.value.code is oc.StatusCode.UNAVAILABLE
    assert list(stream) == []


def test_without_patience_it_ends_at_once(connect: Connect, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield event(1)
        abort(context)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events(retry_for=0)
    assert paths(stream, 1) == ["/1"]
    with pytest.raises(oc.UnavailableError, match="said the server"):
        next(stream)
    assert asked == [""]


def test_a_long_outage_with_endless_patience() -> None:
    with oc.FileWatcherClient() as client:
        course = client.events(retry_for=math.inf)._course
    course.accept(ready())
    pauses = [course.interrupted(oc.UnavailableError("down")) for _ in range(5_000)]
    assert pauses[0] <= 0.1
    assert 0.5 <= max(pauses) <= 1
    course.accept(HEARTBEAT)
    assert course.interrupted(oc.UnavailableError("down")) <= 0.1


def test_a_service_that_was_never_there(connect: Connect) -> None:
    with pytest.raises(oc.UnavailableError):
        next(connect(oc.FileWatcherClient, "127.0.0.1:1").events())
    with pytest.raises(oc.UnavailableError):
        connect(oc.SSEHubClient, "127.0.0.1:1").subscribe("t").connect()


def test_an_answer_is_not_retried(connect: Connect, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        if request.resume_token:
            abort(context, grpc.StatusCode.INVALID_ARGUMENT)
        yield event(1)
        abort(context)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    with pytest.raises(oc.InvalidArgumentError):
        list(client.events())
    assert asked == ["", "1"]


def test_case_49_silence(connect: Connect, serve: Serve) -> None:
    # A peer that died without a word is noticed; the time of the test is short.
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield from islice(events_after(request.resume_token), 2)
        until_cancelled(context)  # the silent call is cancelled, not left behind

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events(idle_timeout=0.2)
    assert paths(stream, 3) == ["/1", "/2", "/3"]
    stream.close()
    assert asked == ["", "1", "2"]


def test_case_49_heartbeats_keep_it(connect: Connect, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield ready()
        for _ in range(6):
            threading.Event().wait(0.1)  # in all longer than the limit
            yield HEARTBEAT
        yield event(1)
        until_cancelled(context)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events(idle_timeout=0.5)
    assert paths(stream, 1) == ["/1"]
    stream.close()
    assert asked == [""]


def test_silence_from_the_beginning(connect: Connect, serve: Serve) -> None:
    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        until_cancelled(context)
        yield ready()

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    with pytest.raises(oc.DeadlineError, match=r"nothing came for 0\.2 s"):
        client.events(idle_timeout=0.2).connect()


def test_case_49_a_dead_peer_is_noticed_within_45_seconds() -> None:
    # The defaults; the file-watcher says something every 5 s, the hub every 15 s.
    assert watcher_client._STREAM_EVENTS(watcher_pb2.StreamEventsRequest()).idle == 15
    with oc.SSEHubClient() as client:
        assert client.subscribe("t")._course.patience() == 45


def test_a_busy_reader_is_no_silence(connect: Connect, serve: Serve) -> None:
    asked: list[str] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request.resume_token)
        yield from islice(events_after(request.resume_token), 4)
        until_cancelled(context)

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events(idle_timeout=0.3)
    for number in range(1, 4):
        assert paths(stream, 1) == [f"/{number}"]
        threading.Event().wait(0.5)  # the reader's own work, longer than the limit
    stream.close()
    assert asked == [""]


def test_case_51_a_slow_reader_holds_the_server_back(connect: Connect, serve: Serve) -> None:
    # What is not read stays with the server, which decides (Resync).
    sent = queue.Queue[int]()
    blob = "x" * 10_000

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        for number in range(10_000):
            sent.put(number)
            item = event(number)
            item.event.watch_id = blob
            yield item

    client = connect(oc.FileWatcherClient, serve(oc.FileWatcherClient, StreamEvents=answer).target)
    stream = client.events().connect()
    last = 0
    with contextlib.suppress(queue.Empty):  # the server is being held back
        while last < 9_999:
            last = sent.get(timeout=1)
    assert 0 < last < 5_000  # of 100 MB
    stream.close()
