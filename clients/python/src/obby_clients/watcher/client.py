"""The clients of the file-watcher."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from .._aio import AsyncClient
from .._calls import Paged, PagedMethod, Service, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import watcher_pb2 as pb
from .._options import instance, texts, token
from .._streams import Resume, Streaming, StreamMethod
from .._sync import Client
from .._wire import decode, duration, numbers, put_path
from ..values import AnyPath
from .values import ChangeType, Event, PatternSet, Resync, StartedWatch, Watch

__all__ = ["AsyncFileWatcherClient", "FileWatcherClient"]

_HEARTBEAT = 5.0  # by the contract
_SERVICE = Service(pb, "127.0.0.1:50051")

_START_WATCHING = UnaryMethod(
    pb.StartWatchingRequest,
    pb.StartWatchingResponse,
    lambda response: decode(StartedWatch, response),
    deadline=5.0,
)
_STOP_WATCHING = UnaryMethod(
    pb.StopWatchingRequest, pb.StopWatchingResponse, lambda _: None, deadline=2.0
)
_UPDATE_PATTERNS = UnaryMethod(
    pb.UpdatePatternsRequest,
    pb.UpdatePatternsResponse,
    lambda response: decode(Watch, response.watch),
    deadline=2.0,
)
_LIST_WATCHES = PagedMethod(
    pb.ListWatchesRequest,
    pb.ListWatchesResponse,
    lambda page: (decode(Watch, watch) for watch in page.watches),
    deadline=2.0,
)


def _item(response: pb.StreamEventsResponse) -> Event | Resync | None:
    kind = response.WhichOneof("item")
    if kind == "event":
        return decode(Event, response.event)
    if kind == "resync":
        return decode(Resync, response.resync)
    return None


_STREAM_EVENTS = StreamMethod[pb.StreamEventsRequest, Event | Resync](
    pb.StreamEventsRequest,
    pb.StreamEventsResponse,
    _item,
    idle=3 * _HEARTBEAT,
    resume=Resume("resume_token", lambda _, response: response.resume_token, endless=True),
)


def _patterns(patterns: PatternSet | None) -> pb.PatternSet | None:
    if patterns is None:
        return None
    instance("patterns", patterns, PatternSet)
    return pb.PatternSet(watch=patterns.watch, ignore=patterns.ignore)


class _Calls(ServiceCalls):
    service: ClassVar[Service] = _SERVICE

    @rpc
    def start_watching(
        self,
        path: AnyPath,
        *,
        debounce: timedelta | None = None,
        patterns: PatternSet | None = None,
        timeout: float | None = None,
    ) -> Unary[StartedWatch]:
        """Watch a directory tree. A root that is watched already keeps its watch.

        `debounce` is how long a path must rest before it is reported, by default
        the service's. `patterns` hold instead of those in the root's files.

        Raises InvalidArgumentError (not a directory to watch), NotFoundError
        (missing), PermissionDeniedError (unreadable), ResourceExhaustedError (a
        kernel limit; the message names it).
        """
        request = pb.StartWatchingRequest(debounce=duration(debounce), patterns=_patterns(patterns))
        put_path(request, "path", path)
        return _START_WATCHING(request, timeout)

    @rpc
    def stop_watching(self, watch_id: str, *, timeout: float | None = None) -> Unary[None]:
        """Stop a watch; changes that still wait for their quiet delay are dropped.

        Raises NotFoundError (no such watch).
        """
        return _STOP_WATCHING(pb.StopWatchingRequest(watch_id=watch_id), timeout)

    @rpc
    def update_patterns(
        self, watch_id: str, patterns: PatternSet | None, *, timeout: float | None = None
    ) -> Unary[Watch]:
        """Replace the patterns of a watch; None: go back to those of the root's files.

        Files that match from now on are reported as CREATED with `initial` set.

        Raises NotFoundError (no such watch), InvalidArgumentError (a bad pattern).
        """
        request = pb.UpdatePatternsRequest(watch_id=watch_id, patterns=_patterns(patterns))
        return _UPDATE_PATTERNS(request, timeout)

    @rpc
    def list_watches(
        self, *, limit: int | None = None, page_size: int = 0, timeout: float | None = None
    ) -> Paged[Watch]:
        """Iterate over the watches, ordered by path. `timeout` is for each page."""
        return _LIST_WATCHES(pb.ListWatchesRequest(), timeout, limit=limit, page_size=page_size)

    @rpc
    def events(
        self,
        resume_token: str | None = None,
        *,
        watch_ids: Iterable[str] = (),
        path_prefix: AnyPath | None = None,
        change_types: Iterable[ChangeType] = (),
        idle_timeout: float = 3 * _HEARTBEAT,
        retry_for: float = 60.0,
    ) -> Streaming[Event | Resync]:
        """Stream what changes, for ever; a Resync asks to compare a tree with the disk.

        `resume_token` is the `cursor` of an earlier stream, None: from now on.
        The arguments after it leave events out. A stream that is interrupted, or
        that is silent for `idle_timeout` seconds (the service sends heartbeats),
        goes on where it was; it ends with UnavailableError when the service has
        been away for `retry_for` seconds, and at once when it was never there.

        Raises NotFoundError (an unknown watch), InvalidArgumentError (a token
        that the service never made).
        """
        request = pb.StreamEventsRequest(
            resume_token=token(resume_token),
            watch_ids=texts("watch_ids", watch_ids),
            change_types=numbers(change_types),
        )
        put_path(request, "path_prefix", path_prefix)
        return _STREAM_EVENTS(request, idle_timeout=idle_timeout, retry_for=retry_for)


class FileWatcherClient(_Calls, Client):
    """Talks to the file-watcher; every call blocks."""


class AsyncFileWatcherClient(_Calls, AsyncClient):
    """Talks to the file-watcher from asyncio: await calls, `async for` lists and streams."""
