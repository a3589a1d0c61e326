"""The calls of the query-service, in both kinds of client, against a server in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

import obby_clients as oc
from obby_clients import query
from obby_clients._contract import query_pb2 as pb

from .conftest import NOT_UTF8, Server, abort

Connect = Callable[..., Any]
Serve = Callable[..., Server]

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
END = datetime(2026, 1, 2, tzinfo=timezone.utc)
_BEGIN, _END = Timestamp(seconds=1_767_225_600), Timestamp(seconds=1_767_312_000)
_THREE, _FOUR = pb.DiffSide(version_id=3), pb.DiffSide(version_id=4)
FILTER: dict[str, Any] = {
    "path_prefix": "/n",
    "path_glob": "*.md",
    "change_types": [query.ChangeType.MOVED],
    "end_time": END,
}
_FILTER = pb.DiffFilter(
    path_prefix="/n", path_glob="*.md", change_types=[pb.CHANGE_TYPE_MOVED], end_time=_END
)
_BETWEEN = pb.DiffFilter(
    path_prefix="/n",
    path_glob="*.md",
    change_types=[pb.CHANGE_TYPE_MOVED],
    start_time=_BEGIN,
    end_time=_END,
)


@pytest.mark.parametrize(
    ("method", "arguments", "options", "request_"),
    [
        (
            "recent_diffs",
            (),
            {**FILTER, "start_time": BEGIN, "text": False},
            pb.GetRecentDiffsRequest(filter=_BETWEEN, view=pb.DIFF_VIEW_BASIC),
        ),
        (
            "diffs_since",
            (BEGIN,),
            {**FILTER, "follow": True},
            pb.GetDiffsSinceRequest(
                since_time=_BEGIN, filter=_FILTER, view=pb.DIFF_VIEW_FULL, follow=True
            ),
        ),
        (
            "file_versions",
            (NOT_UTF8,),
            {},
            pb.GetFileVersionsRequest(raw_path=b"caf\xe9.md", filter=pb.DiffFilter()),
        ),
        (
            "file_versions",
            (),
            {**FILTER, "start_time": BEGIN},
            pb.GetFileVersionsRequest(filter=_BETWEEN),
        ),
        (
            "diff",
            (3, END),
            {"path": "/a", "context_lines": 0},
            pb.GetDiffRequest(
                path="/a", old=_THREE, new=pb.DiffSide(as_of_time=_END), context_lines=0
            ),
        ),
        ("diff", (3, 4), {}, pb.GetDiffRequest(old=_THREE, new=_FOUR)),
        (
            "search_content",
            ("milk*",),
            {
                "mode": query.SearchMode.ADVANCED,
                "path_prefix": b"/n/\xff",
                "path_glob": "[!a]*",
                "extensions": "md",
                "start_time": BEGIN,
                "end_time": END,
                "max_lines": 5,
                "context_lines": 1,
            },
            pb.SearchContentRequest(
                query="milk*",
                mode=pb.SEARCH_MODE_ADVANCED,
                raw_path_prefix=b"/n/\xff",
                path_glob="[!a]*",
                extensions=["md"],
                start_time=_BEGIN,
                end_time=_END,
                max_lines=5,
                context_lines=1,
            ),
        ),
        (
            "search_content",
            ("x",),
            {"extensions": (".md", "txt")},
            pb.SearchContentRequest(
                query="x", mode=pb.SEARCH_MODE_PLAIN, extensions=[".md", "txt"]
            ),
        ),
        (
            "search_history",
            ("a\nb",),
            {"ignore_case": True, "path": "/a", "path_prefix": "/", "path_glob": "*"},
            pb.SearchHistoryRequest(
                text="a\nb", ignore_case=True, path="/a", path_prefix="/", path_glob="*"
            ),
        ),
        (
            "activity_stats",
            (),
            {"start_time": BEGIN, "list_size": 3, "time_zone": "Asia/Tokyo"},
            pb.GetActivityStatsRequest(start_time=_BEGIN, list_size=3, time_zone="Asia/Tokyo"),
        ),
    ],
)
def test_what_is_asked_for(  # noqa: PLR0917
    connect: Connect, serve: Serve, method: str, arguments: Any, options: Any, request_: Any
) -> None:
    asked: list[Any] = []

    def answer(request: Any, context: grpc.ServicerContext) -> Any:
        asked.append(request)
        abort(context, grpc.StatusCode.NOT_FOUND)

    rpc = type(request_).DESCRIPTOR.name.removesuffix("Request")
    client = connect(oc.QueryClient, serve(oc.QueryClient, **{rpc: answer}).target)
    with pytest.raises(oc.NotFoundError):
        list(getattr(client, method)(*arguments, **options))
    assert asked == [request_]


def test_a_naive_time_is_refused(connect: Connect) -> None:
    client = connect(oc.QueryClient, "127.0.0.1:1")
    naive = datetime(2026, 1, 1)
    with pytest.raises(ValueError, match="has no time zone"):
        client.diff(naive, 2, path="/a")
    with pytest.raises(ValueError, match="has no time zone"):
        client.diffs_since(naive)
    with pytest.raises(ValueError, match="has no time zone"):
        client.search_content("x", end_time=naive)


class Following:
    """A server of GetDiffsSince that ends each call in another way."""

    def __init__(self, *endings: Any) -> None:
        self.endings = list(endings)
        self.asked: list[tuple[str, bool]] = []

    def answer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.asked.append((request.resume_token, request.follow))
        at = int(request.resume_token or 0)
        yield pb.GetDiffsSinceResponse(diff=pb.Diff(change_id=at + 1), resume_token=f"{at + 1}")
        # What the filter leaves out is behind the stream too.
        yield pb.GetDiffsSinceResponse(heartbeat=True, resume_token=f"{at + 10}")
        if (ending := self.endings.pop(0)) is not None:
            abort(context, ending)


def test_following_goes_on_after_restarts_and_heartbeats(connect: Connect, serve: Serve) -> None:
    # None: the server ends the stream, as it does when it stops.
    server = Following(grpc.StatusCode.UNAVAILABLE, None, grpc.StatusCode.ABORTED, None)
    target = serve(oc.QueryClient, GetDiffsSince=server.answer).target
    stream = connect(oc.QueryClient, target).diffs_since(BEGIN, follow=True)
    assert [next(stream).change_id for _ in range(4)] == [1, 11, 21, 31]
    assert stream.cursor == "31"
    stream.close()
    assert server.asked == [("", True), ("10", True), ("20", True), ("30", True)]


def test_following_into_another_database_is_an_error(connect: Connect, serve: Serve) -> None:
    codes = [grpc.StatusCode.ABORTED, grpc.StatusCode.INVALID_ARGUMENT]

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        yield pb.GetDiffsSinceResponse(heartbeat=True, resume_token="7")
        abort(context, codes.pop(0))

    target = serve(oc.QueryClient, GetDiffsSince=answer).target
    stream = connect(oc.QueryClient, target).diffs_since("6", follow=True)
    with pytest.raises(oc.InvalidArgumentError):
        next(stream)
    assert stream.cursor == "7"


def test_connect_ends_with_the_first_heartbeat(connect: Connect, serve: Serve) -> None:
    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        yield pb.GetDiffsSinceResponse(heartbeat=True, resume_token="7")
        abort(context, grpc.StatusCode.NOT_FOUND)

    target = serve(oc.QueryClient, GetDiffsSince=answer).target
    stream = connect(oc.QueryClient, target).diffs_since("6", follow=True).connect()
    assert stream.cursor == "7"


def marks(text: str, highlights: Any) -> list[str]:
    return [text[mark.start : mark.end] for mark in highlights]


def test_highlights_are_in_characters(connect: Connect, serve: Serve) -> None:
    # The contract counts bytes of the texts that it shows.
    message = pb.SearchResult(
        path="/\u00e9\ufffd/\ufffd.md",
        raw_path=b"/\xc3\xa9\xff\xfe/\xff.md",
        path_highlights=[pb.Highlight(start=1, end=6), pb.Highlight(start=11, end=13)],
        snippet="a \u00e9\u20ac word",
        highlights=[pb.Highlight(start=8, end=12)],
        lines=[
            pb.MatchLine(line_number=1, text="plain", highlights=[pb.Highlight(start=1, end=3)]),
            pb.MatchLine(
                line_number=2, text="\U0001f600 x", highlights=[pb.Highlight(start=5, end=6)]
            ),
        ],
    )
    page = pb.SearchContentResponse(results=[message])
    target = serve(oc.QueryClient, SearchContent=lambda *_: page).target
    (found,) = connect(oc.QueryClient, target).search_content("word")
    assert os.fsencode(found.path) == b"/\xc3\xa9\xff\xfe/\xff.md"
    assert marks(found.path, found.path_highlights) == ["\u00e9\udcff\udcfe", "md"]
    assert marks(found.snippet, found.highlights) == ["word"]
    assert [marks(line.text, line.highlights) for line in found.lines] == [["la"], ["x"]]


def test_topic_files_say_what_they_were_found_by(connect: Connect, serve: Serve) -> None:
    page = pb.GetTopicFilesResponse(
        files=[pb.TopicFile(path="/a", entry_count=2, summary="s")],
        source=pb.TOPIC_SOURCE_SUMMARIES,
    )
    target = serve(oc.QueryClient, GetTopicFiles=lambda *_: page).target
    assert list(connect(oc.QueryClient, target).topic_files("t")) == [
        query.TopicFile("/a", 2, None, "s", query.TopicSource.SUMMARIES)
    ]
