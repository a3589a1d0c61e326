"""The file-watcher in Python: watchdog's notifications, or polling without it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone

from .. import _options
from .._version import __version__
from ..values import AnyPath, ServerInfo
from ..watcher.values import (
    ChangeType,
    Event,
    PatternSet,
    Resync,
    StartedWatch,
    Watch,
    WatchMethod,
)
from ._aio import Asyncio, Blocking, paged, streaming, unary
from ._journal import Filter, Subscription, prefix_of
from ._paths import quote, text_of
from ._problems import field
from ._streams import Source
from ._watching import Settings, Watcher

__all__ = ["AsyncFileWatcher", "FileWatcher"]

_MAX_DEBOUNCE = timedelta(hours=1)


class _Calls:
    """The calls of the file-watcher: see FileWatcherClient for each."""

    def __init__(
        self,
        roots: Iterable[AnyPath] = (),
        *,
        debounce: float = 0.5,
        method: WatchMethod | None = None,
        poll_interval: float = 1.0,
        rescan_interval: float = 900.0,
        journal_events: int = 100_000,
    ) -> None:
        """Watch `roots` (see the class).

        Raises TypeError or ValueError for a value that cannot be, before anything runs.
        """
        folders = _options.paths("roots", roots)
        settings = Settings(
            _options.seconds("debounce", debounce),
            None if method is None else _method(method),
            _options.seconds("poll_interval", poll_interval, positive=True),
            _options.seconds("rescan_interval", rescan_interval, positive=True),
            _options.whole("journal_events", journal_events, least=1),
        )
        self._instance, self._start = str(uuid.uuid4()), datetime.now(timezone.utc)
        self._watcher = Watcher(settings)
        try:
            for root in folders:
                self._watcher.start(text_of(root), may_be_missing=True)
        except BaseException:
            self._watcher.close()
            raise

    def _release(self) -> None:
        self._watcher.close()

    def _info(self) -> ServerInfo:
        features = ("directory-renames", "polling", "python", "resume")
        return ServerInfo(__version__, ("obby.watcher.v1",), features, self._instance, self._start)

    @unary
    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Describe this fallback."""
        return self._info()

    @unary
    def wait_ready(self, timeout: float = 10.0) -> ServerInfo:
        """Describe this fallback, which is ready."""
        return self._info()

    @unary
    def start_watching(
        self,
        path: AnyPath,
        *,
        debounce: timedelta | None = None,
        patterns: PatternSet | None = None,
        timeout: float | None = None,
    ) -> StartedWatch:
        """Watch a directory tree: from the answer on every change is reported."""
        if debounce is not None:
            _options.instance("debounce", debounce, timedelta)
            if not timedelta(0) <= debounce <= _MAX_DEBOUNCE:
                raise field("debounce", f"{debounce} is not between 0 and {_MAX_DEBOUNCE}")
        watch, created = self._watcher.start(
            text_of(path),
            debounce=None if debounce is None else debounce.total_seconds(),
            patterns=patterns,
        )
        return StartedWatch(watch, created)

    @unary
    def stop_watching(self, watch_id: str, *, timeout: float | None = None) -> None:
        """Stop a watch; changes that still wait for their quiet delay are dropped."""
        self._watcher.stop(_required(watch_id))

    @unary
    def update_patterns(
        self, watch_id: str, patterns: PatternSet | None, *, timeout: float | None = None
    ) -> Watch:
        """Replace the patterns of a watch; None: go back to those of the root's files."""
        return self._watcher.set_patterns(_required(watch_id), patterns)

    @paged
    def list_watches(
        self, *, limit: int | None = None, page_size: int = 0, timeout: float | None = None
    ) -> Iterator[Watch]:
        """Iterate over the watches, ordered by path."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit is {limit}: it cannot be negative")
        if page_size < 0:
            raise field("page_size", f"{page_size} is negative")
        return itertools.islice(self._watcher.watches(), limit)

    @streaming
    def events(
        self,
        resume_token: str | None = None,
        *,
        watch_ids: Iterable[str] = (),
        path_prefix: AnyPath | None = None,
        change_types: Iterable[ChangeType] = (),
        idle_timeout: float = 15.0,
        retry_for: float = 60.0,
    ) -> Source[Event | Resync]:
        """Stream what changes, for ever; a Resync asks to compare a tree with the disk."""
        prefix = "" if path_prefix is None else text_of(path_prefix)
        if prefix and not prefix.startswith("/"):
            raise field("path_prefix", f"{quote(prefix)} is not an absolute path")
        types = frozenset(map(ChangeType, _options.members("change_types", change_types)))
        for wanted in types:
            if not wanted.known or wanted is ChangeType.UNSPECIFIED:
                raise field("change_types", f"{wanted} is no type of event")
        watches = frozenset(_options.texts("watch_ids", watch_ids))
        for watch_id in watches:
            self._watcher.require(watch_id)
        return Subscription(
            self._watcher.journal,
            Filter(watches, prefix_of(prefix), types),
            _options.token(resume_token),
            self._watcher.watches,
        )


class FileWatcher(_Calls, Blocking):
    """Watches directory trees in this process; every call blocks.

    `roots` are watched from the beginning; one that is missing is waited for. A path
    is reported when it has rested for `debounce` seconds, at the latest after ten times
    as long. Roots are polled every `poll_interval` seconds, up to 30 while nothing
    changes, where `method` says so or watchdog is missing; else everything is looked at
    again every `rescan_interval` seconds. The newest `journal_events` are kept for
    streams that resume or are slow.

    Its thread does not live on in a forked process.
    """


class AsyncFileWatcher(_Calls, Asyncio):
    """The same for asyncio: await calls, `async for` lists and streams."""


def _method(method: WatchMethod) -> WatchMethod:
    if method not in (WatchMethod.NOTIFY, WatchMethod.POLL):
        raise ValueError(
            f"method is {method!r}: give WatchMethod.NOTIFY, WatchMethod.POLL, or None for either"
        )
    return WatchMethod(method)


def _required(watch_id: str) -> str:
    if not watch_id:
        raise field("watch_id", "is required")
    return watch_id
