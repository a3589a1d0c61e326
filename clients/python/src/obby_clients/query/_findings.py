"""The calls that search and count."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .._calls import Paged, PagedMethod, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import query_pb2 as pb
from .._wire import decode, number, put_path, timestamp
from ..values import AnyPath
from ._highlights import search_results
from .values import (
    ActivityStats,
    BucketSize,
    HistoryMatch,
    SearchMode,
    SearchResult,
    TimeAnalysis,
    TopicFile,
    TopicSource,
)

__all__ = ["FindingCalls"]

_SEARCH_CONTENT = PagedMethod(
    pb.SearchContentRequest, pb.SearchContentResponse, search_results, deadline=5.0
)
_SEARCH_HISTORY = PagedMethod(
    pb.SearchHistoryRequest,
    pb.SearchHistoryResponse,
    lambda page: (decode(HistoryMatch, match) for match in page.matches),
    deadline=5.0,
)
_GET_TOPIC_FILES = PagedMethod(
    pb.GetTopicFilesRequest,
    pb.GetTopicFilesResponse,
    lambda page: (decode(TopicFile, file, source=TopicSource(page.source)) for file in page.files),
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


class FindingCalls(ServiceCalls):
    """Searches, topics and activity."""

    @rpc
    def search_content(
        self,
        query: str,
        *,
        mode: SearchMode = SearchMode.PLAIN,
        path_prefix: AnyPath | None = None,
        path_glob: str = "",
        extensions: str | Iterable[str] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        max_lines: int = 0,
        context_lines: int = 0,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[SearchResult]:
        """Search the newest content of every path; best match first, at most 1,000.

        `mode` says how `query` is read: by default as plain words, all of which must
        occur, in the content or the path. Only paths equal to or below `path_prefix`, that
        match `path_glob` (see `recent_diffs`), with one of the `extensions`, such as `.md`
        or `md`, whose newest version was first observed from `start_time` on and before
        `end_time`. Each has its first `max_lines` matching lines (0: 3; at most 20) with
        `context_lines`, at most 10, around each. `timeout` is for each page.

        Raises InvalidArgumentError (with ADVANCED a mistake, at `metadata["position"]` in
        characters; more than 1,000 characters), FailedPreconditionError (no search index).
        """
        request = pb.SearchContentRequest(
            query=query,
            mode=number(mode),
            path_glob=path_glob,
            extensions=[extensions] if isinstance(extensions, str) else extensions,
            start_time=timestamp(start_time),
            end_time=timestamp(end_time),
            max_lines=max_lines,
            context_lines=context_lines,
        )
        put_path(request, "path_prefix", path_prefix)
        return _SEARCH_CONTENT(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def search_history(
        self,
        text: str,
        *,
        ignore_case: bool = False,
        path: AnyPath | None = None,
        path_prefix: AnyPath | None = None,
        path_glob: str = "",
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[HistoryMatch]:
        """Find when a text came and went, by path.

        `text` stands exactly so in the content, and may span lines; `ignore_case`
        takes letters of either case as equal. Only the history of `path`, of paths
        equal to or below `path_prefix`, of those that match `path_glob` (see
        `recent_diffs`). `timeout`, in seconds, is for each page.

        Raises InvalidArgumentError (empty text, or longer than 1,000 characters).
        """
        request = pb.SearchHistoryRequest(text=text, ignore_case=ignore_case, path_glob=path_glob)
        put_path(request, "path", path)
        put_path(request, "path_prefix", path_prefix)
        return _SEARCH_HISTORY(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def topic_files(
        self,
        topic: str,
        *,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[TopicFile]:
        """Iterate over the files that bear a topic, latest first. `timeout` is for each page.

        By the Python side's summaries, or, in a database that has none at all, by the
        words of the topic in the newest contents: `TopicFile.source` says which.

        Raises InvalidArgumentError (an empty topic).
        """
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
        time_zone: str = "",
        timeout: float | None = None,
    ) -> Unary[ActivityStats]:
        """Count what happened in a time range, by kind of change, directory, extension and file.

        By default from the beginning until now, with lists of 10 (`list_size`, at
        most 100). `time_zone` is the IANA name of the zone whose days the streaks
        count, by default the server's.

        Raises InvalidArgumentError (unknown zone, reversed range).
        """
        request = pb.GetActivityStatsRequest(
            start_time=timestamp(start_time),
            end_time=timestamp(end_time),
            list_size=list_size,
            time_zone=time_zone,
        )
        put_path(request, "path_prefix", path_prefix)
        return _GET_ACTIVITY_STATS(request, timeout)
