"""Publications in one order, and who reads them.

An event's id is `<epoch>-<sequence>`, its place in the order of all topics; any id is
a cursor for any set of topics. A subscription is a cursor and holds no queue: a slow
one costs nothing and slows nobody.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from ..errors import ClosedError
from ..hub.values import Event, Published, ResetReason
from ._problems import field, problem
from ._subscription import Request, Subscription
from ._topics import check

__all__ = ["Hub", "Retention"]

_KEYS = 10_000  # idempotency keys that are remembered
_OVERHEAD = 256  # what an event takes in memory beside its text; a guess
_MAX_TYPE, _MAX_KEY = 64, 255
_TYPE = re.compile(r"[A-Za-z0-9._-]*", re.ASCII)
_ID = re.compile(r"([a-z0-9]{1,64})-(0|[1-9]\d{0,19})", re.ASCII)
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True, slots=True)
class Retention:
    """What is held for replay; the newest event is held whatever its size."""

    events: int
    bytes: int
    age: float
    """Seconds."""


@dataclass(frozen=True, slots=True)
class _Held:
    event: Event
    size: int
    at: float  # monotonic


def _framed_size(data: bytes) -> int:
    """Return what data takes of a stream: each line after the first has a field of its own."""
    ends = data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")
    return len(data) + ends * len(b"data: ")


class Hub:
    """Takes publications and lets subscribers read them."""

    def __init__(self, retention: Retention, max_data: int) -> None:
        self.epoch = "".join(secrets.choice(_LETTERS) for _ in range(8))
        self.closed = False
        self._retention, self._max_data = retention, max_data
        self._lock = threading.RLock()  # guards what follows
        self._held: deque[_Held] = deque()
        self._first, self._bytes = 1, 0  # sequence of the oldest event held; bytes of all
        self._keys: OrderedDict[tuple[str, str], Published] = OrderedDict()
        self._subscriptions: set[Subscription] = set()
        self._clients: dict[str, Subscription] = {}

    def publish(self, topic: str, data: bytes, event_type: str, key: str) -> Published:
        """Give a publication its place, and wake the subscribers of its topic."""
        self._check(topic, data, event_type, key)
        with self._lock:
            if self.closed:
                raise ClosedError("the hub is closed")
            if key and (first := self._keys.get((topic, key))):
                return replace(first, duplicate=True)
            self._forget()
            number = self.newest + 1
            now = datetime.now(timezone.utc)
            event = Event(f"{self.epoch}-{number}", topic, event_type or "message", data, now)
            size = 2 * len(data) + len(topic) + len(key) + _OVERHEAD
            self._held.append(_Held(event, size, time.monotonic()))
            self._bytes += size
            readers = [one for one in self._subscriptions if one.wants(topic)]
            published = Published(event.event_id, len(readers), False)
            if key:
                self._keys[topic, key] = published
                if len(self._keys) > _KEYS:
                    self._keys.popitem(last=False)
            for reader in readers:
                reader.notice(number)
        for reader in readers:
            reader.wake()
        return published

    def _check(self, topic: str, data: bytes, event_type: str, key: str) -> None:
        """Refuse what cannot be taken; nothing is ever stripped (hub cases 7, 11, 12)."""
        if reason := check(topic, pattern=False):
            raise field("topic", reason)
        if reason := _check_type(event_type):
            raise field("event_type", reason)
        size = len(key.encode())
        if size > _MAX_KEY:
            raise field("idempotency_key", f"has {size} bytes; at most {_MAX_KEY} are allowed")
        try:
            data.decode()
        except UnicodeDecodeError:
            if len(data) <= self._max_data:
                raise field(
                    "data", "is not valid UTF-8; encode binary data, for example as base64"
                ) from None
        if _framed_size(data) > self._max_data:
            raise problem(
                "DATA_TOO_LARGE", "", f"{_framed_size(data)} bytes, of {self._max_data} allowed"
            )

    @property
    def newest(self) -> int:
        """Sequence of the newest event, held or not; 0: there was none."""
        return self._first + len(self._held) - 1

    @property
    def oldest(self) -> int:
        """Sequence of the oldest event held; one above the newest: none is."""
        return self._first

    def subscribe(self, request: Request) -> Subscription:
        """Begin to read; what is published later is not missed."""
        request.check()
        with self._lock:
            if self.closed:
                raise ClosedError("the hub is closed")
            subscription = Subscription(self, request)
            self._subscriptions.add(subscription)
            if request.client_id:  # the newest wins: the older one may be dead (hub case 63)
                older = self._clients.get(request.client_id)
                self._clients[request.client_id] = subscription
                if older is not None:
                    older.replaced = True
                    older.wake()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        """Forget a subscriber."""
        with self._lock:
            self._subscriptions.discard(subscription)
            client = subscription.request.client_id
            if self._clients.get(client) is subscription:
                del self._clients[client]

    def close(self) -> None:
        """Refuse everything from now on; subscriptions end after what was published."""
        with self._lock:
            self.closed = True
            readers = list(self._subscriptions)
        for reader in readers:
            reader.wake()

    def place(self, event_id: str) -> int | ResetReason:
        """Read an id as a cursor; a reason where what follows it cannot be replayed."""
        match = _ID.fullmatch(event_id)
        if match is None or match[1] != self.epoch:
            return ResetReason.EPOCH
        cursor = int(match[2])
        if cursor > self.newest:
            return ResetReason.FUTURE
        return ResetReason.EXPIRED if cursor + 1 < self._first else cursor

    def after(self, cursor: int) -> Event | None:
        """Return the event after a cursor, which is held; None: there is none yet."""
        at = cursor + 1 - self._first
        return self._held[at].event if at < len(self._held) else None

    def locked(self) -> threading.RLock:
        """Return the lock that `place`, `after` and the bounds are read under."""
        self._forget()
        return self._lock

    def _forget(self) -> None:
        """Drop what is held too long; ages are those of the monotonic clock (case 68)."""
        keep = self._retention
        with self._lock:
            while self._held and (
                len(self._held) > keep.events
                or (self._bytes > keep.bytes and len(self._held) > 1)
                or time.monotonic() - self._held[0].at > keep.age
            ):
                self._bytes -= self._held.popleft().size
                self._first += 1


def _check_type(name: str) -> str:
    if len(name) > _MAX_TYPE:
        return f"has {len(name)} bytes; at most {_MAX_TYPE} are allowed"
    if not _TYPE.fullmatch(name):
        return f"{name!r} has a character other than ASCII letters, digits, '.', '_' and '-'"
    if name in {"open", "error"}:
        return f"{name!r} is reserved: browsers use it for the connection"
    if name == "reset" or name.startswith("hub."):
        return f"{name!r} is reserved for the hub"
    return ""
