"""The query-service: what was recorded, searched and counted."""

from typing import TYPE_CHECKING

from .._lazy import lazy
from .values import (
    ActivityCounts,
    ActivityStats,
    BucketSize,
    ChangeType,
    ChangeTypeCounts,
    ContentKind,
    Diff,
    Highlight,
    HistoryMatch,
    MatchLine,
    NamedCounts,
    QuietGap,
    SearchMode,
    SearchResult,
    Streak,
    TermCount,
    TextChange,
    TimeAnalysis,
    TimeBucket,
    TopicFile,
    TopicSource,
    Version,
    VersionContent,
    VersionDiff,
)

if TYPE_CHECKING:
    from .client import AsyncQueryClient, QueryClient
else:
    __getattr__ = lazy(__name__, client=["AsyncQueryClient", "QueryClient"])

__all__ = [
    "ActivityCounts",
    "ActivityStats",
    "AsyncQueryClient",
    "BucketSize",
    "ChangeType",
    "ChangeTypeCounts",
    "ContentKind",
    "Diff",
    "Highlight",
    "HistoryMatch",
    "MatchLine",
    "NamedCounts",
    "QueryClient",
    "QuietGap",
    "SearchMode",
    "SearchResult",
    "Streak",
    "TermCount",
    "TextChange",
    "TimeAnalysis",
    "TimeBucket",
    "TopicFile",
    "TopicSource",
    "Version",
    "VersionContent",
    "VersionDiff",
]
