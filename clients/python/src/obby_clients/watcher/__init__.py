"""The file-watcher: which directory trees are watched, and what changes in them."""

from .client import AsyncFileWatcherClient, FileWatcherClient
from .values import (
    ChangeType,
    EntryKind,
    Event,
    PatternSet,
    Resync,
    ResyncReason,
    StartedWatch,
    Watch,
    WatchMethod,
    WatchState,
)

__all__ = [
    "AsyncFileWatcherClient",
    "ChangeType",
    "EntryKind",
    "Event",
    "FileWatcherClient",
    "PatternSet",
    "Resync",
    "ResyncReason",
    "StartedWatch",
    "Watch",
    "WatchMethod",
    "WatchState",
]
