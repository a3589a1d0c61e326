"""Typed clients, blocking and asyncio, of the four Obby services.

    from obby_clients import QueryClient

    with QueryClient("127.0.0.1:50053") as query:
        for diff in query.recent_diffs(path_prefix="/home/me/notes", limit=10):
            print(diff.path, diff.change_type, diff.lines_added)

Each service has a module with its clients and the values that they return:
`watcher`, `tracker`, `query` and `hub`. Every error is an `ObbyError`. Results
are Python's own: frozen dataclasses, aware datetimes in UTC, paths as `os.fsdecode`
gives them, so that `open` finds a file whatever its name.
"""

from typing import TYPE_CHECKING

from . import hub, query, tracker, watcher
from ._lazy import lazy
from ._version import __version__
from .errors import (
    AbortedError,
    AlreadyExistsError,
    CancelledError,
    ClosedError,
    DeadlineError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ObbyError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    StatusCode,
    UnauthenticatedError,
    UnavailableError,
    UnimplementedError,
)
from .values import AnyPath, OpenEnum, ServerInfo

if TYPE_CHECKING:
    from ._aio import AsyncStream
    from ._sync import Stream
    from .hub import AsyncSSEHubClient, SSEHubClient
    from .query import AsyncQueryClient, QueryClient
    from .tracker import AsyncContentTrackerClient, ContentTrackerClient
    from .watcher import AsyncFileWatcherClient, FileWatcherClient
else:
    __getattr__ = lazy(
        __name__,
        _aio=["AsyncStream"],
        _sync=["Stream"],
        hub=["AsyncSSEHubClient", "SSEHubClient"],
        query=["AsyncQueryClient", "QueryClient"],
        tracker=["AsyncContentTrackerClient", "ContentTrackerClient"],
        watcher=["AsyncFileWatcherClient", "FileWatcherClient"],
    )

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AnyPath",
    "AsyncContentTrackerClient",
    "AsyncFileWatcherClient",
    "AsyncQueryClient",
    "AsyncSSEHubClient",
    "AsyncStream",
    "CancelledError",
    "ClosedError",
    "ContentTrackerClient",
    "DeadlineError",
    "FailedPreconditionError",
    "FieldViolation",
    "FileWatcherClient",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "ObbyError",
    "OpenEnum",
    "OutOfRangeError",
    "PermissionDeniedError",
    "QueryClient",
    "ResourceExhaustedError",
    "SSEHubClient",
    "ServerInfo",
    "StatusCode",
    "Stream",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "__version__",
    "hub",
    "query",
    "tracker",
    "watcher",
]
