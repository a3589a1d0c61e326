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
    NamedCounts,
    SearchResult,
    TermCount,
    TimeAnalysis,
    TimeBucket,
    TopicFile,
    Version,
    VersionContent,
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
    "NamedCounts",
    "QueryClient",
    "SearchResult",
    "TermCount",
    "TimeAnalysis",
    "TimeBucket",
    "TopicFile",
    "Version",
    "VersionContent",
]
