"""The clients of the query-service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from .._aio import AsyncClient
from .._calls import Paged, PagedMethod, Service, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import query_pb2 as pb
from .._streams import Resume, Streaming, StreamMethod
from .._sync import Client
from .._wire import decode, number, numbers, put_path, timestamp
from ..values import AnyPath
from .values import (
    ActivityStats,
    BucketSize,
    ChangeType,
    Diff,
    Highlight,
    SearchResult,
    TimeAnalysis,
    TopicFile,
    Version,
    VersionContent,
)

__all__ = ["AsyncQueryClient", "QueryClient"]

_SERVICE = Service(pb, "127.0.0.1:50053")

_GET_RECENT_DIFFS = PagedMethod(
    pb.GetRecentDiffsRequest,
    pb.GetRecentDiffsResponse,
    lambda page: (decode(Diff, diff) for diff in page.diffs),
    deadline=5.0,
)
_GET_DIFFS_SINCE = StreamMethod(
    pb.GetDiffsSinceRequest,
    pb.GetDiffsSinceResponse,
    lambda response: decode(Diff, response.diff),
    idle=15.0,
    resume=Resume("resume_token", lambda _, response: response.resume_token, endless=False),
)
_GET_FILE_VERSIONS = PagedMethod(
    pb.GetFileVersionsRequest,
    pb.GetFileVersionsResponse,
    lambda page: (decode(Version, version) for version in page.versions),
    deadline=5.0,
)
_LIST_FILES = PagedMethod(
    pb.ListFilesRequest,
    pb.ListFilesResponse,
    lambda page: (decode(Version, version) for version in page.files),
    deadline=5.0,
)
_LIST_LABELS = PagedMethod(
    pb.ListLabelsRequest,
    pb.ListLabelsResponse,
    lambda page: (decode(Version, version) for version in page.versions),
    deadline=5.0,
)
_GET_VERSION_CONTENT = UnaryMethod(
    pb.GetVersionContentRequest,
    pb.GetVersionContentResponse,
    lambda response: decode(VersionContent, response),
    deadline=5.0,
)


def _search_results(page: pb.SearchContentResponse) -> Iterator[SearchResult]:
    for message in page.results:
        snippet = message.snippet.encode()

        def character(byte: int, snippet: bytes = snippet) -> int:
            return len(snippet[:byte].decode(errors="ignore"))

        yield replace(
            decode(SearchResult, message),
            highlights=tuple(
                Highlight(character(range_.start), character(range_.end))
                for range_ in message.highlights
            ),
        )


_SEARCH_CONTENT = PagedMethod(
    pb.SearchContentRequest, pb.SearchContentResponse, _search_results, deadline=5.0
)
_GET_TOPIC_FILES = PagedMethod(
    pb.GetTopicFilesRequest,
    pb.GetTopicFilesResponse,
    lambda page: (decode(TopicFile, file) for file in page.files),
    deadline=5.0,
)
_GET_TIME_ANALYSIS = UnaryMethod(
    pb.GetTimeAnalysisRequest,
    pb.GetTimeAnalysisResponse,
    lambda response: decode(TimeAnalysis, response),
    deadline=5.0,
)
_GET_ACTIVITY_STATS = UnaryMethod(
    pb.GetActivityStatsRequest,
    pb.GetActivityStatsResponse,
    lambda response: decode(ActivityStats, response),
    deadline=5.0,
)


def _filter(
    path_prefix: AnyPath | None,
    change_types: Iterable[ChangeType],
    start_time: datetime | None,
    end_time: datetime | None,
) -> pb.DiffFilter:
    message = pb.DiffFilter(
        change_types=numbers(change_types),
        start_time=timestamp(start_time),
        end_time=timestamp(end_time),
    )
    put_path(message, "path_prefix", path_prefix)
    return message


def _view(text: bool) -> pb.DiffView.ValueType:
    return pb.DIFF_VIEW_FULL if text else pb.DIFF_VIEW_BASIC


class _Calls(ServiceCalls):
    service: ClassVar[Service] = _SERVICE

    @rpc
    def recent_diffs(
        self,
        *,
        path_prefix: AnyPath | None = None,
        change_types: Iterable[ChangeType] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        text: bool = True,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Diff]:
        """Iterate over recorded steps, newest first.

        The first arguments leave steps out: only paths equal to or below
        `path_prefix`, only these types, only from `start_time` on and before
        `end_time`. `text=False` leaves the diffs' text out. `limit` ends the
        iteration, `timeout` is for each page.
        """
        request = pb.GetRecentDiffsRequest(
            filter=_filter(path_prefix, change_types, start_time, end_time), view=_view(text)
        )
        return _GET_RECENT_DIFFS(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def diffs_since(
        self,
        since: datetime | str,
        *,
        path_prefix: AnyPath | None = None,
        change_types: Iterable[ChangeType] = (),
        text: bool = True,
        timeout: float | None = None,
        idle_timeout: float = 15.0,
        retry_for: float = 60.0,
    ) -> Streaming[Diff]:
        """Stream every step since a time, or after the `cursor` of an earlier stream.

        Oldest first; ends at the newest. None comes twice or is left out, also
        when the stream is interrupted: it then goes on where it was, for up to
        `retry_for` seconds without the service.

        Raises InvalidArgumentError (an unknown cursor).
        """
        request = pb.GetDiffsSinceRequest(
            since_time=timestamp(since) if isinstance(since, datetime) else None,
            filter=_filter(path_prefix, change_types, None, None),
            view=_view(text),
        )
        if isinstance(since, str):
            request.resume_token = since
        return _GET_DIFFS_SINCE(request, timeout, idle_timeout=idle_timeout, retry_for=retry_for)

    @rpc
    def file_versions(
        self,
        path: AnyPath,
        *,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Version]:
        """Iterate over the versions of a path, newest first. `timeout` is for each page.

        Raises NotFoundError (never recorded).
        """
        request = pb.GetFileVersionsRequest()
        put_path(request, "path", path)
        return _GET_FILE_VERSIONS(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def files(
        self,
        path: AnyPath,
        *,
        as_of: datetime | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Version]:
        """Iterate over the files at or below a path as of a time, or as of now.

        By path; each with the version that it had then. `timeout` is for each page.
        """
        request = pb.ListFilesRequest(as_of_time=timestamp(as_of))
        put_path(request, "path", path)
        return _LIST_FILES(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def labels(
        self,
        *,
        path_prefix: AnyPath | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Version]:
        """Iterate over the labelled and pinned versions, those marked last first."""
        request = pb.ListLabelsRequest()
        put_path(request, "path_prefix", path_prefix)
        return _LIST_LABELS(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def version_content(
        self, version_id: int, *, timeout: float | None = None
    ) -> Unary[VersionContent]:
        """Return a version with its content.

        Raises NotFoundError (no such version), FailedPreconditionError (its
        content was too large to be kept).
        """
        return _GET_VERSION_CONTENT(pb.GetVersionContentRequest(version_id=version_id), timeout)

    @rpc
    def search_content(
        self,
        query: str,
        *,
        path_prefix: AnyPath | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[SearchResult]:
        """Search the newest content of every path; best match first.

        `query` is plain words, all of which must occur, in the content or the
        path. `timeout` is for each page.

        Raises FailedPreconditionError (the database has no search index yet).
        """
        request = pb.SearchContentRequest(query=query)
        put_path(request, "path_prefix", path_prefix)
        return _SEARCH_CONTENT(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def topic_files(
        self,
        topic: str,
        *,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[TopicFile]:
        """Iterate over the files that bear a topic, latest first. `timeout` is for each page."""
        request = pb.GetTopicFilesRequest(topic=topic)
        return _GET_TOPIC_FILES(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def time_analysis(
        self,
        *,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        time_zone: str = "",
        bucket_size: BucketSize = BucketSize.DAY,
        path_prefix: AnyPath | None = None,
        timeout: float | None = None,
    ) -> Unary[TimeAnalysis]:
        """Count what happened per hour, day or week of a time zone.

        By default the last 7 days, in the server's zone. `time_zone` is an IANA
        name such as `Europe/Berlin`.

        Raises InvalidArgumentError (unknown zone, reversed range, too many buckets).
        """
        request = pb.GetTimeAnalysisRequest(
            start_time=timestamp(start_time),
            end_time=timestamp(end_time),
            time_zone=time_zone,
            bucket_size=number(bucket_size),
        )
        put_path(request, "path_prefix", path_prefix)
        return _GET_TIME_ANALYSIS(request, timeout)

    @rpc
    def activity_stats(
        self,
        *,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        path_prefix: AnyPath | None = None,
        list_size: int = 0,
        timeout: float | None = None,
    ) -> Unary[ActivityStats]:
        """Count what happened in a time range, by kind of change, directory, extension and file.

        By default from the beginning until now, with lists of 10 (`list_size`).
        """
        request = pb.GetActivityStatsRequest(
            start_time=timestamp(start_time), end_time=timestamp(end_time), list_size=list_size
        )
        put_path(request, "path_prefix", path_prefix)
        return _GET_ACTIVITY_STATS(request, timeout)


class QueryClient(_Calls, Client):
    """Talks to the query-service; every call blocks."""


class AsyncQueryClient(_Calls, AsyncClient):
    """Talks to the query-service from asyncio: await calls, `async for` lists and streams."""
