"""Every call that is routed: its shape, its effect, whom it is about.

A test compares the table with the clients' methods and the contract.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..flags import Service, canonical

__all__ = ["CALLS", "Call", "Effect", "Shape"]


class Shape(enum.Enum):
    """What a call gives."""

    UNARY = "unary"
    """One answer."""
    LIST = "list"
    """An iterator that fetches pages."""
    STREAM = "stream"
    """A stream that ends."""
    LIVE = "live"
    """A stream that does not end."""
    FOLLOW = "follow"
    """A stream that ends, and with the argument `follow` does not."""


class Effect(enum.Enum):
    """What happens when a call is made on Go, fails, and is made again on Python."""

    READ = "read"
    """Nothing is written."""
    REPEATABLE = "repeatable"
    """The second time changes nothing."""
    KEYED = "keyed"
    """The second time changes nothing, by the key that both sides are given."""
    ONCE = "once"
    """It could happen twice: after a failure that leaves that open, it is not."""


@dataclass(frozen=True, slots=True)
class Call:
    """One method of a service."""

    service: Service
    """The service."""
    name: str
    """The method's name."""
    shape: Shape = Shape.UNARY
    """What it gives."""
    effect: Effect = Effect.READ
    """What a repetition does."""
    about: str = ""
    """The argument that it is about, if the subject follows from one; `path` is the first."""
    key: str = ""
    """KEYED: the argument with the key."""

    def subject(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | bytes | None:
        """Return whom a call is about, as far as its arguments tell."""
        if not self.about:
            return None
        if self.about in kwargs:
            found = kwargs[self.about]
        else:
            found = args[0] if args and self.about == "path" else None
        if not found or self.about != "path":
            return found or None
        try:
            return canonical(found)
        except UnicodeEncodeError:  # no path of a file, as both sides say
            return str(found)


def _table() -> dict[Service, dict[str, Call]]:
    watcher, tracker = Service.FILE_WATCHER, Service.CONTENT_TRACKER
    query, hub = Service.QUERY_SERVICE, Service.SSE_HUB
    again, once = Effect.REPEATABLE, Effect.ONCE
    calls = [
        Call(watcher, "start_watching", effect=again, about="path"),
        Call(watcher, "stop_watching", effect=again),
        Call(watcher, "update_patterns", effect=again),
        Call(watcher, "list_watches", Shape.LIST),
        Call(watcher, "events", Shape.LIVE),
        Call(tracker, "track_change", effect=Effect.KEYED, about="path", key="request_id"),
        Call(tracker, "track_batch", Shape.STREAM, Effect.KEYED),
        Call(tracker, "content_hash", about="path"),
        Call(tracker, "generate_diff"),
        Call(tracker, "reconcile", Shape.STREAM, again, about="path"),
        Call(tracker, "restore", Shape.STREAM, once, about="path"),
        Call(tracker, "set_version_label", effect=again),
        Call(tracker, "apply_retention", Shape.STREAM, once),
        Call(tracker, "forget", effect=once, about="path"),
        *(Call(query, name) for name in ("version_content", "diff")),
        *(Call(query, name) for name in ("time_analysis", "activity_stats")),
        *(Call(query, name, Shape.LIST) for name in ("recent_diffs", "file_versions", "files")),
        *(Call(query, name, Shape.LIST) for name in ("labels", "search_content")),
        *(Call(query, name, Shape.LIST) for name in ("search_history", "topic_files")),
        Call(query, "diffs_since", Shape.FOLLOW),
        Call(hub, "publish", effect=Effect.KEYED, key="idempotency_key"),
        Call(hub, "subscribe", Shape.LIVE, about="client_id"),
    ]
    for service in Service:
        calls += [Call(service, "server_info"), Call(service, "wait_ready")]
    table: dict[Service, dict[str, Call]] = {service: {} for service in Service}
    for call in calls:
        table[call.service][call.name] = call
    return table


CALLS = _table()
"""Every call by service and name."""
