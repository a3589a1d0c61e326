"""The file-watcher: which directory trees are watched, and what changes in them."""

from typing import TYPE_CHECKING

from .._lazy import lazy
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

if TYPE_CHECKING:
    from .client import AsyncFileWatcherClient, FileWatcherClient
else:
    __getattr__ = lazy(__name__, client=["AsyncFileWatcherClient", "FileWatcherClient"])

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
