"""The query-service: what was recorded, searched and counted."""

from .client import AsyncQueryClient, QueryClient
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
