"""What the file-watcher tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..values import OpenEnum

__all__ = [
    "ChangeType",
    "EntryKind",
    "Event",
    "PatternSet",
    "Resync",
    "ResyncReason",
    "StartedWatch",
    "Watch",
    "WatchMethod",
    "WatchState",
]


class ChangeType(OpenEnum):
    """What happened to a path."""

    UNSPECIFIED = 0
    """Not set; never received."""
    CREATED = 1
    """The path exists and did not before."""
    MODIFIED = 2
    """The file's content may have changed."""
    DELETED = 3
    """The path existed and does not any more."""
    RENAMED = 4
    """The path has the file that `old_path` had; its content may have changed."""


class EntryKind(OpenEnum):
    """What a path names."""

    UNSPECIFIED = 0
    """Not set; never received."""
    FILE = 1
    """A regular file."""
    DIRECTORY = 2
    """A directory, in RENAMED events only: every file below it has moved with it."""


class WatchState(OpenEnum):
    """Whether a watch can see its root."""

    UNSPECIFIED = 0
    """Not set; never received."""
    STARTING = 1
    """The first scan is running."""
    ACTIVE = 2
    """Changes are being noticed."""
    WAITING = 3
    """The root is missing; it is watched again as soon as it is back."""


class WatchMethod(OpenEnum):
    """How changes are noticed."""

    UNSPECIFIED = 0
    """Not set; never received."""
    NOTIFY = 1
    """Kernel notifications."""
    POLL = 2
    """Periodic scans, where notifications do not work."""


class ResyncReason(OpenEnum):
    """Why the events alone do not tell the state any more."""

    UNSPECIFIED = 0
    """Not set; never received."""
    TOKEN_EXPIRED = 1
    """The event after the resume token is no longer held."""
    RESTARTED = 2
    """The resume token was made by an earlier process."""
    SLOW_CONSUMER = 3
    """This subscriber read too slowly."""
    EVENTS_LOST = 4
    """The kernel's queue overflowed, or a directory could not be watched."""


@dataclass(frozen=True, slots=True)
class PatternSet:
    """What `.obbywatch` and `.obbyignore` say, one pattern an item."""

    watch: tuple[str, ...] = ()
    """Files to watch. Empty: nothing is watched."""
    ignore: tuple[str, ...] = ()
    """Files and directories to leave out; wins over `watch`."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One watched directory tree."""

    watch_id: str
    """Identifier, unique while the service runs."""
    path: str
    """Root of the tree, symlinks resolved."""
    state: WatchState
    """Whether the root can be seen."""
    method: WatchMethod
    """How changes are noticed."""
    status_message: str
    """One sentence where something needs attention; empty when all is well."""
    debounce: timedelta
    """How long a path must rest before it is reported."""
    patterns: PatternSet
    """Patterns in force."""
    create_time: datetime
    """When the watch was started."""
    directory_count: int
    """Number of directories watched below and including the root."""
    file_count: int
    """Number of matching files known."""


@dataclass(frozen=True, slots=True)
class StartedWatch:
    """The answer to start_watching."""

    watch: Watch
    """The watch, new or existing."""
    created: bool
    """Whether this call started it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One settled change."""

    watch_id: str
    """The watch that saw it."""
    change_type: ChangeType
    """What happened."""
    kind: EntryKind
    """What the path names."""
    path: str
    """Where."""
    old_path: str | None
    """RENAMED: the former path."""
    size_bytes: int | None
    """Size when the event was made; None for DELETED and directories."""
    modify_time: datetime | None
    """Modification time when the event was made; None for DELETED."""
    observe_time: datetime
    """When the change had settled and the event was made."""
    initial: bool
    """The file was there before: a pattern now matches it."""


@dataclass(frozen=True, slots=True)
class Resync:
    """Events were lost: compare the tree with what you know."""

    reason: ResyncReason
    """Why."""
    watch_id: str | None
    """The watch; None where none is active."""
    path: str | None
    """Root of the tree to compare; None: all roots."""
