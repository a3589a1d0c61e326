"""The four services in Python: what runs while a service is switched off or away.

Each class has the methods, values and errors of the blocking client of its service,
and an `Async…` sibling those of the asyncio client. They keep to the same database
and the same rules, so that either side may go on where the other stopped. Nothing
here needs grpcio.
"""

from .hub import AsyncSSEHub, SSEHub
from .query import AsyncQueryService, QueryService
from .tracker import AsyncContentTracker, ContentTracker
from .watcher import AsyncFileWatcher, FileWatcher

__all__ = [
    "AsyncContentTracker",
    "AsyncFileWatcher",
    "AsyncQueryService",
    "AsyncSSEHub",
    "ContentTracker",
    "FileWatcher",
    "QueryService",
    "SSEHub",
]
