"""One reader of a hub: a cursor, which holds no queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import _options
from ..errors import ClosedError
from ..hub.values import Event, Reset, ResetReason
from ._problems import field, problem
from ._topics import check, covers

if TYPE_CHECKING:
    from ._hub import Hub

__all__ = ["Request", "Subscription", "topics_of"]

_MAX_TOPICS, _MAX_LAST, _MAX_CLIENT = 100, 1000, 128


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
    return tuple(dict.fromkeys(_options.topics(topics)))
