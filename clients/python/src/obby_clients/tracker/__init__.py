"""The content-tracker: it records every version of a file, and what changed."""

from .client import AsyncContentTrackerClient, ContentTrackerClient
from .values import (
    BatchItem,
    ChangeType,
    ContentHash,
    ContentKind,
    Forgotten,
    LineEnding,
    Progress,
    Restored,
    RestoreOutcome,
    RetentionRule,
    Thinned,
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
    "Forgotten",
    "LineEnding",
    "Progress",
    "RestoreOutcome",
    "Restored",
    "RetentionRule",
    "Thinned",
    "TrackChange",
    "TrackOutcome",
    "TrackResult",
    "UnifiedDiff",
    "Version",
]
