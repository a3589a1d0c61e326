"""The calls that search and count; QueryClient says what each of them means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from ...query.values import (
    ActivityStats,
    BucketSize,
    HistoryMatch,
    SearchMode,
    SearchResult,
    TimeAnalysis,
    TopicFile,
)
from ...values import AnyPath
from .._aio import paged, unary
from .._problems import field
from .._times import now_micros
from . import activity, search, text_history, topics
from .arguments import (
    MAX_TEXT,
    Range,
    checked_int,
    checked_text,
    counted,
    instant,
    listed,
    prefix_of,
)
from .buckets import zone_of
from .picks import Picks
from .reader import Page, Reader
from .sought import parse

__all__ = ["FindingCalls"]

_DEFAULT_LIST, _MAX_LIST = 10, 100
_RESULTS = 20, 100
_DEFAULT_LINES, _MAX_LINES, _MAX_AROUND = 3, 20, 10
_MAX_EXTENSIONS = 50
_SIZES = {BucketSize.UNSPECIFIED: BucketSize.DAY}


class FindingCalls:
    """Searches, topics and activity."""

    _reader: Reader

    @paged
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
    ) -> Iterator[SearchResult]:
        """Search the newest content of every path; best match first, at most 1,000."""
        range_ = Range(instant(start_time), instant(end_time))
        texts = [extensions] if isinstance(extensions, str) else list(extensions)
        endings = list(map(checked_text, texts))
        checked_text(query + path_glob)
        shown = checked_int("max_lines", max_lines), checked_int("context_lines", context_lines)

        def check() -> search.Query:
            return search.Query(
                parse(SearchMode(mode), query),
                _files(path_prefix, path_glob, endings, range_),
                counted("max_lines", shown[0], _DEFAULT_LINES, _MAX_LINES),
                counted("context_lines", shown[1], 0, _MAX_AROUND),
            )

        def read(wanted: search.Query, place: Any, size: int) -> tuple[Page, Any]:
            with self._reader.opened() as answers:
                items, following = search.search(answers, wanted, place or search.Cursor(), size)
            return Page(items, following is not None), following

        return listed(check, read, limit=limit, page_size=page_size, sizes=_RESULTS)

    @paged
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
    ) -> Iterator[HistoryMatch]:
        """Find when a text came and went, by path."""
        checked_text(text + path_glob)

        def check() -> text_history.Query:
            if not text:
                raise field("text", "is empty")
            if len(text) > MAX_TEXT:
                raise field("text", "more than 1,000 characters")
            file = prefix_of("path", path)
            files = _files(path_prefix, path_glob, [], Range())
            return text_history.Query(text, ignore_case, file, files)

        def read(wanted: text_history.Query, after: Any, size: int) -> tuple[Page, Any]:
            with self._reader.opened() as answers:
                items, last = text_history.search_history(answers, wanted, after or "", size)
            return Page(items, bool(last)), last

        return listed(check, read, limit=limit, page_size=page_size, sizes=_RESULTS)

    @paged
    def topic_files(
        self,
        topic: str,
        *,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[TopicFile]:
        """Iterate over the files that bear a topic, latest first."""
        checked_text(topic)

        def check() -> str:
            if not topic:
                raise field("topic", "is empty")
            return topic

        def read(name: str, after: Any, size: int) -> tuple[Page, Any]:
            with self._reader.opened() as answers:
                page = topics.files(answers, name, after, size)
            items = [item for item, _ in page.items]
            return Page(items, page.more), page.items[-1][1] if page.items else None

        return listed(check, read, limit=limit, page_size=page_size)

    @unary
    def time_analysis(
        self,
        *,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        time_zone: str = "",
        bucket_size: BucketSize = BucketSize.DAY,
        path_prefix: AnyPath | None = None,
        timeout: float | None = None,
    ) -> TimeAnalysis:
        """Count what happened per hour, day or week of a time zone."""
        start, end = instant(start_time), instant(end_time)
        zone = zone_of(time_zone)
        end = now_micros() if end is None else end
        Range(start, end).checked("")
        if start is None:
            start = zone.at(zone.local(end) - timedelta(days=7))
        prefix = prefix_of("path_prefix", path_prefix)
        size = _SIZES.get(BucketSize(bucket_size), BucketSize(bucket_size))
        if not size.known:
            raise field("bucket_size", f"{int(size)} is not a size")
        with self._reader.opened() as answers:
            return activity.analysis(answers, (start, end), prefix, size, zone)

    @unary
    def activity_stats(
        self,
        *,
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        path_prefix: AnyPath | None = None,
        list_size: int = 0,
        time_zone: str = "",
        timeout: float | None = None,
    ) -> ActivityStats:
        """Count what happened in a time range, by kind of change, directory, extension, file."""
        end = instant(end_time)
        range_ = Range(instant(start_time), now_micros() if end is None else end).checked("")
        prefix = prefix_of("path_prefix", path_prefix)
        size = counted("list_size", checked_int("list_size", list_size), _DEFAULT_LIST, _MAX_LIST)
        with self._reader.opened() as answers:
            return activity.stats(answers, range_, prefix, size, zone_of(time_zone))


def _files(
    path_prefix: AnyPath | None, glob: str, extensions: list[str], range_: Range
) -> search.FileFilter:
    """Return which files are asked for."""
    prefix = prefix_of("path_prefix", path_prefix)
    if len(glob) > MAX_TEXT:
        raise field("path_glob", "more than 1,000 characters")
    picks = Picks("path_glob", prefix, glob)
    if len(extensions) > _MAX_EXTENSIONS:
        raise field("extensions", "more than 50 extensions")
    return search.FileFilter(prefix, picks.also("extensions", extensions), range_.checked(""))
