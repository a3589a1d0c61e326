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
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone

from ..errors import ClosedError
from ..hub.values import Event, Published, Reset, ResetReason
from ._problems import field, problem
from ._topics import check, covers

__all__ = ["Hub", "Request", "Retention", "Subscription", "topics_of"]

_KEYS = 10_000  # idempotency keys that are remembered
_OVERHEAD = 256  # what an event takes in memory beside its text; a guess
_MAX_TYPE, _MAX_KEY, _MAX_TOPICS, _MAX_LAST, _MAX_CLIENT = 64, 255, 100, 1000, 128
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
class Request:
    """What to subscribe to, and where to begin."""

    topics: tuple[str, ...]
    last_event_id: str = ""
    last_count: int = 0
    client_id: str = ""

    def check(self) -> None:
        """Raise InvalidArgumentError for what is not as described."""
        if not self.topics:
            raise field("topics", "is empty; name at least one topic")
        if len(self.topics) > _MAX_TOPICS:
            raise field(
                "topics", f"has {len(self.topics)} topics; at most {_MAX_TOPICS} are allowed"
            )
        if not 0 <= self.last_count <= _MAX_LAST:
            raise field("last_count", f"{self.last_count} is not between 0 and {_MAX_LAST}")
        size = len(self.client_id.encode())
        if size > _MAX_CLIENT:
            raise field("client_id", f"has {size} bytes; at most {_MAX_CLIENT} are allowed")
        for name in self.topics:
            if reason := check(name, pattern=True):
                raise field("topics", reason)


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

    def topics(self) -> dict[str, int]:
        """Return the topics of the events held, each with how many there are."""
        with self._lock:
            self._forget()
            counts: dict[str, int] = {}
            for held in self._held:
                counts[held.event.topic] = counts.get(held.event.topic, 0) + 1
        return dict(sorted(counts.items()))

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


class Subscription:
    """One reader: the source of a stream."""

    def __init__(self, hub: Hub, request: Request) -> None:
        self.request, self.replaced = request, False
        self._hub, self._closed = hub, False
        self._changed: Callable[[], None] = lambda: None
        self._last = hub.newest  # the newest wanted event
        self._reset: Reset | None = None
        self.live_id = ""  # of the newest event when the last reset was made
        self._place = self._begin(request.last_event_id)
        self.cursor = request.last_event_id
        if not request.last_event_id and not request.last_count:
            self.cursor = self.place_id

    @property
    def has_reset(self) -> bool:
        """The first item is a reset."""
        return self._reset is not None

    @property
    def place_id(self) -> str:
        """Id after which reading goes on."""
        return f"{self._hub.epoch}-{self._place}"

    def _begin(self, last_event_id: str) -> int:
        with self._hub.locked():
            place = self._hub.place(last_event_id) if last_event_id else None
            if isinstance(place, int) and not isinstance(place, ResetReason):
                return place
            start = self._rewound(self.request.last_count)
            oldest, newest = self._hub.oldest, self._hub.newest
            self.live_id = f"{self._hub.epoch}-{newest}"
            if place is not None:
                held = f"{self._hub.epoch}-{oldest}" if oldest <= newest else None
                self._reset = Reset(place, f"{self._hub.epoch}-{start}", held)
            return start

    def _rewound(self, count: int) -> int:
        """Return the cursor before so many of the newest wanted events, as far as they are held."""
        cursor = self._hub.newest
        for number in range(self._hub.newest, self._hub.oldest - 1, -1):
            if not count:
                break
            event = self._hub.after(number - 1)
            if event is not None and self.wants(event.topic):
                cursor, count = number - 1, count - 1
        return cursor

    def wants(self, topic: str) -> bool:
        """Tell whether a topic is subscribed to."""
        return any(name == topic or covers(name, topic) for name in self.request.topics)

    def notice(self, number: int) -> None:
        """Note that a wanted event was published."""
        self._last = number

    def wake(self) -> None:
        """Have the reader look."""
        self._changed()

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever there may be news."""
        self._changed = changed

    def close(self) -> None:
        """End."""
        self._closed = True
        self._hub.leave(self)

    def take(self) -> Event | Reset | None:
        """Return the next item; None: there is none yet.

        Raises AlreadyExistsError where another subscription has the same client id.
        """
        if self._closed:
            raise StopIteration
        if self.replaced:
            raise problem("SUBSCRIBER_REPLACED")
        with self._hub.locked():
            if self._reset is None and self._place + 1 < self._hub.oldest:
                self._overtaken()
            if self._reset is not None:
                reset, self._reset = self._reset, None
                self.cursor = reset.event_id
                return reset
            while (event := self._hub.after(self._place)) is not None:
                self._place += 1
                if self.wants(event.topic):
                    self.cursor = event.event_id
                    return event
            if self._place >= self._hub.newest and self.cursor:
                self.cursor = self.place_id  # a quiet topic does not fall behind (hub case 48)
            if self._hub.closed:
                raise ClosedError("the hub is closed")
        return None

    def _overtaken(self) -> None:
        """Deal with a history that no longer holds what comes next."""
        if self._last <= self._place:  # by events of other topics alone: nothing is missed
            self._place = self._hub.newest
        else:
            self._place = self._begin(self.place_id)


def topics_of(topics: str | Iterable[str]) -> tuple[str, ...]:
    """Return each topic once."""
    return tuple(dict.fromkeys([topics] if isinstance(topics, str) else topics))
