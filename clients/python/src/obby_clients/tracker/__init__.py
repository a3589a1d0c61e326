"""The content-tracker: it records every version of a file, and what changed."""

from typing import TYPE_CHECKING

from .._lazy import lazy
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

if TYPE_CHECKING:
    from .client import AsyncContentTrackerClient, ContentTrackerClient
else:
    __getattr__ = lazy(__name__, client=["AsyncContentTrackerClient", "ContentTrackerClient"])

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
