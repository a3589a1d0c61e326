"""What the sse-hub tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..values import OpenEnum

__all__ = ["Event", "Published", "Reset", "ResetReason"]


class ResetReason(OpenEnum):
    """Why what was missed cannot be replayed."""

    UNSPECIFIED = 0
    """Not set; never received."""
    EXPIRED = 1
    """The event after the id is no longer held."""
    EPOCH = 2
    """The id is of another epoch, or was never given out."""
    FUTURE = 3
    """The id is of this epoch but newer than the newest."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a publication stands."""

    event_id: str
    """The event's id."""
    receivers: int
    """Subscribers of the topic at that moment."""
    duplicate: bool
    """The idempotency key was used before: nothing was published now."""


@dataclass(frozen=True, slots=True)
class Event:
    """A publication."""

    event_id: str
    """Its id."""
    topic: str
    """Its topic."""
    event_type: str
    """Its type; `message` where none was given."""
    data: bytes
    """Its data, as published: UTF-8."""
    publish_time: datetime
    """When it was published."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Events were missed: load the present state from elsewhere."""

    reason: ResetReason
    """Why."""
    event_id: str
    """New cursor: live events follow it."""
    oldest_event_id: str | None
    """Id of the oldest event held; None: none is."""
