"""Unary calls and lists, in both kinds of client, against a server in this process."""

from __future__ import annotations

import inspect
import math
import os
import threading
from collections.abc import Callable
from itertools import islice
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby_clients import _channel
from obby_clients._contract import query_pb2, tracker_pb2, watcher_pb2

from .conftest import Server

Connect = Callable[..., Any]
Serve = Callable[..., Server]


def content(text: bytes = b"text") -> query_pb2.GetVersionContentResponse:
    return query_pb2.GetVersionContentResponse(content=text)


def test_a_call(connect: Connect, serve: Serve) -> None:
    seen: dict[str, Any] = {}

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        seen.update(context.invocation_metadata(), id=request.version_id)
        return content()

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetVersionContent=answer).target)
    assert client.version_content(7).content == b"text"
    assert seen["id"] == 7
    assert seen["x-obby-client"] == f"py/{oc.__version__}"
    first = seen["x-request-id"]
    client.version_content(7)
    assert first != seen["x-request-id"]


def test_documentation_and_signature_are_there() -> None:
    for kind in (oc.QueryClient, oc.AsyncQueryClient):
        method = kind().version_content
        assert inspect.getdoc(method) == inspect.getdoc(kind.version_content)
        assert list(inspect.signature(method).parameters) == ["version_id", "timeout"]
        assert "Return a version with its content." in (inspect.getdoc(method) or "")


@pytest.mark.parametrize(
    ("kind", "method", "rpc", "arguments", "deadline"),
    [
        (oc.FileWatcherClient, "start_watching", "StartWatching", ("/x",), 5),
        (oc.FileWatcherClient, "stop_watching", "StopWatching", ("w",), 2),
        (oc.FileWatcherClient, "update_patterns", "UpdatePatterns", ("w", None), 2),
        (oc.FileWatcherClient, "server_info", "GetServerInfo", (), 1),
        (oc.ContentTrackerClient, "track_change", "TrackChange", ("/x",), 2),
        (oc.ContentTrackerClient, "content_hash", "GetContentHash", ("/x",), 2),
        (oc.ContentTrackerClient, "generate_diff", "GenerateDiff", (b"", b""), 5),
        (oc.QueryClient, "version_content", "GetVersionContent", (1,), 5),
        (oc.QueryClient, "diff", "GetDiff", (1, 2), 5),
        (oc.QueryClient, "time_analysis", "GetTimeAnalysis", (), 5),
        (oc.QueryClient, "activity_stats", "GetActivityStats", (), 5),
        (oc.SSEHubClient, "publish", "Publish", ("t", "d"), 2),
    ],
)
def test_every_unary_call_has_a_deadline(  # noqa: PLR0917
    connect: Connect, serve: Serve, kind: Any, method: str, rpc: str, arguments: Any, deadline: int
) -> None:
    left: list[float] = []

    def answer(_: Any, context: grpc.ServicerContext) -> None:
        left.append(context.time_remaining())
        context.abort(grpc.StatusCode.NOT_FOUND, "no")

    client = connect(kind, serve(kind, **{rpc: answer}).target)
    for timeout in (None, 100.0, math.inf):
        with pytest.raises(oc.NotFoundError):
            getattr(client, method)(*arguments, timeout=timeout)
    # On the wire, gRPC rounds up to three significant digits.
    assert 0 < left[0] < 1.02 * deadline < left[1] < 102
    assert left[2] is None or left[2] > 1e6


@pytest.mark.parametrize("timeout", [0, -1, math.nan, -math.inf])
def test_case_64_no_time_is_no_call(connect: Connect, timeout: float) -> None:
    # No network call: nobody listens there, which would be UnavailableError.
    query = connect(oc.QueryClient, "127.0.0.1:1")
    with pytest.raises(oc.DeadlineError, match=r"no time for /obby\.query"):
        query.version_content(1, timeout=timeout)
    with pytest.raises(oc.DeadlineError):
        next(iter(query.recent_diffs(timeout=timeout)))
    with pytest.raises(oc.DeadlineError):
        next(query.diffs_since("token", timeout=timeout))
    assert not query._links


def test_deadline_exceeded(connect: Connect, serve: Serve) -> None:
    release = threading.Event()

    def answer(*_: Any) -> Any:
        release.wait(60)
        return content()

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetVersionContent=answer).target)
    with pytest.raises(oc.DeadlineError):
        client.version_content(1, timeout=0.05)
    release.set()


def test_nobody_listens(connect: Connect) -> None:
    for kind in (oc.QueryClient, oc.SSEHubClient):
        with pytest.raises(oc.UnavailableError) as caught:
            connect(kind, "127.0.0.1:1").server_info()
        assert caught.value.code is oc.StatusCode.UNAVAILABLE


def test_reads_are_retried_and_writes_are_not(connect: Connect, serve: Serve) -> None:
    calls: list[str] = []

    def fail_twice(request: Any, context: grpc.ServicerContext) -> Any:
        name = type(request).__name__
        calls.append(name)
        if calls.count(name) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "database locked")
        return tracker_pb2.GetContentHashResponse(size_bytes=1)

    server = serve(oc.ContentTrackerClient, GetContentHash=fail_twice, TrackChange=fail_twice)
    client = connect(oc.ContentTrackerClient, server.target)
    assert client.content_hash("/x").size_bytes == 1
    with pytest.raises(oc.UnavailableError):
        client.track_change("/x")
    assert calls == ["GetContentHashRequest"] * 3 + ["TrackChangeRequest"]


def test_case_35_a_proxy_is_set(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    server = serve(oc.QueryClient, GetVersionContent=lambda *_: content())
    assert connect(oc.QueryClient, server.target).version_content(1).content == b"text"


def test_wait_ready(connect: Connect, serve: Serve) -> None:
    server = serve(oc.QueryClient)
    server.stop()
    client = connect(oc.QueryClient, server.target)
    with pytest.raises(oc.DeadlineError):
        client.wait_ready(0.05)
    info = query_pb2.GetServerInfoResponse(version="1.2", features=["search"])
    serve(oc.QueryClient, address=server.target, GetServerInfo=lambda *_: info)
    assert client.wait_ready().version == "1.2"
    assert client.server_info().features == ("search",)


def pages(total: int, seen: list[tuple[int, str]]) -> Any:
    """Serve `total` watches, two at most on a page."""

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        seen.append((request.page_size, request.page_token))
        start = int(request.page_token or 0)
        end = min(total, start + min(request.page_size or 2, 2))
        return watcher_pb2.ListWatchesResponse(
            watches=[watcher_pb2.Watch(watch_id=str(n)) for n in range(start, end)],
            next_page_token=str(end) if end < total else "",
        )

    return answer


@pytest.mark.parametrize(
    ("arguments", "ids", "requests"),
    [
        ({}, 5, [(0, ""), (0, "2"), (0, "4")]),
        ({"limit": 3}, 3, [(3, ""), (1, "2")]),
        ({"limit": 4}, 4, [(4, ""), (2, "2")]),
        ({"limit": 0}, 0, []),
        ({"limit": 3, "page_size": 1}, 3, [(1, ""), (1, "1"), (1, "2")]),
        ({"limit": 1, "page_size": 2}, 1, [(2, "")]),
        ({"limit": 1 << 40}, 5, [(1_000, ""), (1_000, "2"), (1_000, "4")]),
    ],
)
def test_pages(connect: Connect, serve: Serve, arguments: Any, ids: int, requests: Any) -> None:
    seen: list[tuple[int, str]] = []
    server = serve(oc.FileWatcherClient, ListWatches=pages(5, seen))
    client = connect(oc.FileWatcherClient, server.target)
    found = [watch.watch_id for watch in client.list_watches(**arguments)]
    assert found == [str(n) for n in range(ids)]
    assert seen == requests


def test_pages_are_fetched_when_needed(connect: Connect, serve: Serve) -> None:
    seen: list[tuple[int, str]] = []
    server = serve(oc.FileWatcherClient, ListWatches=pages(5, seen))
    watches = connect(oc.FileWatcherClient, server.target).list_watches()
    assert seen == []
    assert [watch.watch_id for watch in islice(watches, 2)] == ["0", "1"]
    assert len(seen) == 1


def test_arguments_that_no_request_can_carry() -> None:
    with oc.QueryClient() as query, oc.ContentTrackerClient() as tracker:
        with pytest.raises(ValueError, match="limit is -1"):
            query.recent_diffs(limit=-1)
        with pytest.raises(ValueError, match=r"."):
            query.version_content(1 << 63)
        with pytest.raises(UnicodeEncodeError):
            query.search_content(os.fsdecode(b"\xff"))
        with pytest.raises(TypeError, match="either path or content"):
            tracker.content_hash()


def test_case_46_unknown_enum_value_arrives(connect: Connect, serve: Serve) -> None:
    # Over the wire, in both directions.
    asked: list[int] = []

    def answer(request: Any, _: Any) -> Any:
        asked.extend(request.filter.change_types)
        diff = query_pb2.Diff.FromString(b"\x30\x4d")  # change_type = 77
        return query_pb2.GetRecentDiffsResponse(diffs=[diff])

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetRecentDiffs=answer).target)
    (diff,) = client.recent_diffs(change_types=[oc.query.ChangeType(78)])
    assert repr(diff.change_type) == "<ChangeType.UNKNOWN(77): 77>"
    assert asked == [78]


def test_case_45_large_messages(connect: Connect, serve: Serve) -> None:
    # 5 MiB pass; beyond the limit there is an error, on either way.
    def answer(request: Any, _: Any) -> Any:
        return content(bytes(request.version_id))

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetVersionContent=answer).target)
    assert len(client.version_content(5 << 20).content) == 5 << 20
    with pytest.raises(oc.ResourceExhaustedError):
        client.version_content(_channel.MAX_MESSAGE_BYTES + 1, timeout=60)
    with pytest.raises(oc.ResourceExhaustedError):
        connect(oc.SSEHubClient, client._target).publish("t", bytes(_channel.MAX_MESSAGE_BYTES))
