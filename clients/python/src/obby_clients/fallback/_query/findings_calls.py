"""The calls that search and count; QueryClient says what each of them means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ...query.values import ActivityStats, BucketSize, TimeAnalysis, TopicFile
from ...values import AnyPath
from .._aio import paged, unary
from .._problems import field
from .._times import now_micros
from . import activity, topics
from .arguments import Range, checked_int, instant, listed, prefix_of
from .buckets import zone_of
from .reader import Page, Reader

__all__ = ["FindingCalls"]

_DEFAULT_LIST, _MAX_LIST = 10, 100
_SIZES = {BucketSize.UNSPECIFIED: BucketSize.DAY}


class FindingCalls:
    """Searches, topics and activity."""

    _reader: Reader

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

        def read(after: Any, size: int) -> tuple[Page, Any]:
            if not topic:
                raise field("topic", "is empty")
            with self._reader.opened() as answers:
                page = topics.files(answers, topic, after, size)
            items = [item for item, _ in page.items]
            return Page(items, page.more), page.items[-1][1] if page.items else None

        return listed(read, limit=limit, page_size=page_size)

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
        if checked_int("list_size", list_size) < 0:
            raise field(
                "list_size",
                f"{list_size} is negative: use 0 for the default of {_DEFAULT_LIST}",
            )
        size = min(list_size or _DEFAULT_LIST, _MAX_LIST)
        with self._reader.opened() as answers:
            return activity.stats(answers, range_, prefix, size, zone_of(time_zone))
