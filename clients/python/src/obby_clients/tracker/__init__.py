"""The content-tracker: it records every version of a file, and what changed."""

from .client import AsyncContentTrackerClient, ContentTrackerClient
from .values import (
    BatchItem,
    ChangeType,
    ContentHash,
    ContentKind,
    LineEnding,
    Progress,
    TrackChange,
    TrackOutcome,
    TrackResult,
    UnifiedDiff,
    Version,
)

__all__ = [
    "AsyncContentTrackerClient",
    "BatchItem",
    "ChangeType",
    "ContentHash",
    "ContentKind",
    "ContentTrackerClient",
    "LineEnding",
    "Progress",
    "TrackChange",
    "TrackOutcome",
    "TrackResult",
    "UnifiedDiff",
    "Version",
]
