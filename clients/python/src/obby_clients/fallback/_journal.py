"""The newest events in their order, and who reads them.

A reader holds a position, not a queue: a slow one costs nothing and slows nobody, and
is told to compare when it was overtaken. Events are numbered from 1; an epoch, random
for each process, tells the positions of this one from those of others.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import ClosedError
from ..watcher.values import ChangeType, Event, Resync, ResyncReason, Watch, WatchState
from ._paths import below
from ._problems import problem

__all__ = ["Filter", "Journal", "Recorded", "Subscription", "prefix_of"]

_TOKEN = re.compile(r"([0-9a-f]{16})-(0|[1-9]\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event, and the other watch that a rename led from."""

    event: Event
    old_watch: str = ""


class Journal:
    """Keeps up to `limit` events."""

    def __init__(self, limit: int) -> None:
        self.epoch = secrets.token_hex(8)
        self.closed = False
        self._events: deque[Recorded | None] = deque()  # None: of a watch that was stopped
        self._limit, self._first = limit, 1
        self._lock = threading.Lock()  # guards what is above
        self._listeners: list[Callable[[], None]] = []

    def append(self, event: Recorded) -> None:
        """Add an event; `tell` wakes the readers, once for many."""
        with self._lock:
            self._events.append(event)
            while len(self._events) > self._limit:
                self._events.popleft()
                self._first += 1

    def drop(self, watch_id: str) -> None:
        """Take the events of a watch out, leaving gaps in the numbering."""
        with self._lock:
            for n, one in enumerate(self._events):
                if one is not None and one.event.watch_id == watch_id:
                    self._events[n] = None

    def tell(self) -> None:
        """Wake the readers."""
        for listener in list(self._listeners):
            listener()

    def close(self) -> None:
        """End every reader after the events that are there."""
        self.closed = True
        self.tell()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called whenever there may be news."""
        self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Call a listener no more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def head(self) -> int:
        """Return the position after the newest event."""
        with self._lock:
            return self._first + len(self._events) - 1

    def after(self, position: int) -> tuple[int, Recorded | None] | None:
        """Return the next event and its number; None: there is none yet.

        Raises LookupError where the event after the position is held no more.
        """
        with self._lock:
            at = position + 1 - self._first
            if at < 0:
                raise LookupError
            return (position + 1, self._events[at]) if at < len(self._events) else None

    def token(self, position: int) -> str:
        """Write a position."""
        return f"{self.epoch}-{position}"

    def parse(self, token: str) -> int | None:
        """Read a token of this process; None for one of another. Raises INVALID_RESUME_TOKEN."""
        match = _TOKEN.fullmatch(token)
        mine = match is not None and match[1] == self.epoch
        if match is None or int(match[2]) >= 1 << 64 or (mine and int(match[2]) > self.head()):
            raise problem("INVALID_RESUME_TOKEN", f'resume token "{token:.60}"')
        return int(match[2]) if mine else None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants; an empty field wants everything."""

    watch_ids: frozenset[str] = frozenset()
    prefix: str = ""
    change_types: frozenset[ChangeType] = frozenset()

    def wants(self, recorded: Recorded) -> bool:
        """Tell whether an event is wanted: a rename for either of its paths."""
        event = recorded.event
        if self.change_types and event.change_type not in self.change_types:
            return False
        if self.watch_ids and not {event.watch_id, recorded.old_watch} & self.watch_ids:
            return False
        whole = event.change_type == ChangeType.RENAMED and event.size_bytes is None
        paths = filter(None, (event.path, event.old_path))
        return not self.prefix or any(self._covers(path, whole=whole) for path in paths)

    def overlaps(self, watch: Watch) -> bool:
        """Tell whether something below a root may be wanted."""
        return (not self.watch_ids or watch.watch_id in self.watch_ids) and (
            not self.prefix or self._covers(watch.path, whole=True)
        )

    def _covers(self, path: str, *, whole: bool) -> bool:
        """Tell whether a path, of a directory with all it holds where `whole`, is wanted."""
        if path == self.prefix or below(self.prefix, path):
            return True
        return whole and below(path, self.prefix)


class Subscription:
    """One reader: the source of a stream."""

    def __init__(
        self,
        journal: Journal,
        wanted: Filter,
        token: str,
        watches: Callable[[], list[Watch]],
    ) -> None:
        self._journal, self._wanted, self._watches = journal, wanted, watches
        self._position = journal.head()
        self.cursor = token or journal.token(self._position)
        self._queued: deque[tuple[str, Resync]] = deque()
        self._closed = False
        self._changed: Callable[[], None] = lambda: None
        if token:
            self._begin(journal.parse(token))
        journal.listen(self._wake)

    def _begin(self, position: int | None) -> None:
        if position is None:
            self._resync(ResyncReason.RESTARTED)
            return
        self._position = position
        try:
            self._journal.after(position)
        except LookupError:
            self._resync(ResyncReason.TOKEN_EXPIRED)

    def _wake(self) -> None:
        self._changed()

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever there may be news."""
        self._changed = changed

    def close(self) -> None:
        """End."""
        self._closed = True
        self._journal.forget(self._wake)

    def take(self) -> Event | Resync | None:
        """Return the next item; None: there is none yet."""
        while not self._closed:
            if self._queued:
                self.cursor, resync = self._queued.popleft()
                return resync
            try:
                found = self._journal.after(self._position)
            except LookupError:
                self._resync(ResyncReason.SLOW_CONSUMER)
                continue
            if found is None:
                if self._journal.closed:
                    raise ClosedError("the watcher is closed")
                return None
            self._position, recorded = found
            self.cursor = self._journal.token(self._position)
            if recorded is not None and self._wanted.wants(recorded):
                return recorded.event
        raise StopIteration

    def _resync(self, reason: ResyncReason) -> None:
        """Queue one item for each root to compare, and go on with what happens from now on.

        All but the last keep the token that brought this about: who resumes after one of
        them is told to compare again.
        """
        head = self._journal.head()  # before the roots are listed: what starts later is told
        items = [
            Resync(reason, watch.watch_id, watch.path)
            for watch in self._watches()
            if watch.state is not WatchState.WAITING and self._wanted.overlaps(watch)
        ] or [Resync(reason, None, None)]
        tokens = [self.cursor] * (len(items) - 1) + [self._journal.token(head)]
        self._queued.extend(zip(tokens, items, strict=True))
        self._position = head


def prefix_of(path: str) -> str:
    """Return a prefix that can be compared; empty for everything."""
    clean = os.path.normpath(path) if path else ""
    return "" if clean in {".", "/"} else clean
