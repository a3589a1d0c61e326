"""A watcher and a hub in few lines: real ones, for tests of what stands before them."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from obby_clients import NotFoundError, hub, watcher
from obby_clients.fallback._aio import Asyncio, Blocking, Source, streaming, unary

NOW = datetime.now(timezone.utc)


class Feed:
    """What one stream reads: items that others put in."""

    def __init__(self) -> None:
        self.cursor = ""
        self.closed = False
        self._items: list[tuple[Any, str]] = []
        self._changed: Callable[[], None] = lambda: None

    def put(self, item: Any, cursor: str = "") -> None:
        self._items.append((item, cursor))
        self._changed()

    def take(self) -> Any:
        if self._items:
            item, cursor = self._items.pop(0)
            self.cursor = cursor or self.cursor
            return item
        if self.closed:
            raise StopIteration
        return None

    def listen(self, changed: Callable[[], None]) -> None:
        self._changed = changed

    def close(self) -> None:
        self.closed = True
        self._changed()


class _Watcher:
    """Looks at the files of its roots every few milliseconds."""

    is_async: Any

    def __init__(self) -> None:
        self.roots: dict[str, tuple[str, threading.Event]] = {}
        self.log: list[str] = []
        self._feeds: list[Feed] = []

    @unary
    def start_watching(
        self, path: Any, *, debounce: Any = None, patterns: Any = None, timeout: Any = None
    ) -> watcher.StartedWatch:
        root = os.path.realpath(path)
        for known, (watch_id, _) in self.roots.items():
            if known == root:
                return watcher.StartedWatch(self._watch(watch_id, root), False)
        watch_id, stop = str(uuid.uuid4()), threading.Event()
        self.roots[root] = watch_id, stop
        seen = _files(root)
        threading.Thread(target=self._look, args=(watch_id, root, stop, seen), daemon=True).start()
        self.log.append(f"start {root}")
        return watcher.StartedWatch(self._watch(watch_id, root), True)

    @unary
    def stop_watching(self, watch_id: str, *, timeout: Any = None) -> None:
        for root, (known, stop) in list(self.roots.items()):
            if known == watch_id:
                stop.set()
                del self.roots[root]
                self.log.append(f"stop {root}")
                return
        raise NotFoundError("no such watch")

    @streaming
    def events(self, /, resume_token: Any = None, **_: Any) -> Source[Any]:
        self._feeds.append(Feed())
        return self._feeds[-1]

    def _release(self) -> None:
        for _, stop in self.roots.values():
            stop.set()

    def _look(self, watch_id: str, root: str, stop: threading.Event, seen: dict[str, Any]) -> None:
        while not stop.wait(0.02):
            now = _files(root)
            for path in now.keys() - seen.keys():
                self._tell(watch_id, watcher.ChangeType.CREATED, path, now[path])
            for path in now.keys() & seen.keys():
                if now[path] != seen[path]:
                    self._tell(watch_id, watcher.ChangeType.MODIFIED, path, now[path])
            seen = now

    def _tell(self, watch_id: str, change: watcher.ChangeType, path: str, state: Any) -> None:
        size, ns = state
        modified = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ns // 1_000)
        event = watcher.Event(
            *(watch_id, change, watcher.EntryKind.FILE, path, None),
            *(size, modified, datetime.now(timezone.utc), False),
        )
        for feed in self._feeds:
            feed.put(event)

    def _watch(self, watch_id: str, root: str) -> watcher.Watch:
        return watcher.Watch(
            *(watch_id, root, watcher.WatchState.ACTIVE, watcher.WatchMethod.POLL, ""),
            *(timedelta(), watcher.PatternSet(), NOW, 1, 0),
        )


def _files(root: str) -> dict[str, tuple[int, int]]:
    found = {}
    for path in Path(root).rglob("*.md"):
        status = path.stat()
        found[str(path)] = status.st_size, status.st_mtime_ns
    return found


class _Hub:
    """Keeps nothing: a subscription with an id of another hub begins with a Reset."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self._feeds: list[Feed] = []
        self._epoch = uuid.uuid4().hex[:8]

    @unary
    def publish(
        self,
        topic: str,
        data: Any,
        *,
        event_type: str = "",
        idempotency_key: str = "",
        timeout: Any = None,
    ) -> hub.Published:
        self.published.append(idempotency_key)
        event_id = f"{self._epoch}-{len(self.published)}"
        open_feeds = [feed for feed in self._feeds if not feed.closed]
        body = data.encode() if isinstance(data, str) else data
        for feed in open_feeds:
            event = hub.Event(event_id, topic, event_type or "message", body, NOW)
            feed.put(event, event_id)
        return hub.Published(event_id, len(open_feeds), False)

    @streaming
    def subscribe(self, /, topics: str | Iterable[str], **kwargs: Any) -> Source[Any]:
        feed = Feed()
        last = kwargs.get("last_event_id")
        if last and not last.startswith(self._epoch):
            here = f"{self._epoch}-{len(self.published)}"
            feed.put(hub.Reset(hub.ResetReason.EPOCH, here, None), here)
        self._feeds.append(feed)
        return feed

    def _release(self) -> None:
        for feed in self._feeds:
            feed.close()


class Watcher(_Watcher, Blocking):
    """Blocking."""


class AsyncWatcher(_Watcher, Asyncio):
    """In asyncio."""


class Hub(_Hub, Blocking):
    """Blocking."""


class AsyncHub(_Hub, Asyncio):
    """In asyncio."""
