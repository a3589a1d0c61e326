"""What the query-service tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..values import ChangeType, ContentKind, OpenEnum

__all__ = [
    "ActivityCounts",
    "ActivityStats",
    "BucketSize",
    "ChangeType",
    "ChangeTypeCounts",
    "ContentKind",
    "Diff",
    "Highlight",
    "NamedCounts",
    "SearchResult",
    "TermCount",
    "TimeAnalysis",
    "TimeBucket",
    "TopicFile",
    "Version",
    "VersionContent",
]


class BucketSize(OpenEnum):
    """The width of a time bucket."""

    UNSPECIFIED = 0
    """Same as DAY."""
    HOUR = 1
    """One hour of the zone's clock."""
    DAY = 2
    """One calendar day of the zone; 23 or 25 hours where its clock changes."""
    WEEK = 3
    """One week of the zone, from Monday."""


@dataclass(frozen=True, slots=True)
class Diff:
    """One recorded step of a path."""

    change_id: int
    """Identifier of the step; larger: recorded later."""
    path: str
    """The path."""
    old_path: str | None
    """MOVED: the former path, where it is known."""
    change_type: ChangeType
    """What the step was."""
    old_version_id: int | None
    """Version before; None: created, or not known."""
    new_version_id: int | None
    """Version after; None: deleted, or not known."""
    lines_added: int
    """Lines added."""
    lines_removed: int
    """Lines removed."""
    observe_time: datetime | None
    """When the step was observed; None where the stored time is unreadable."""
    diff: str
    """Unified diff, as stored; empty where it was not asked for."""
    truncated: bool
    """`diff` is cut, here or when it was stored."""


@dataclass(frozen=True, slots=True)
class Version:
    """One distinct content of a path."""

    version_id: int
    """Identifier of the version."""
    path: str
    """The path."""
    content_hash: str
    """SHA-256 of the content: 64 lower-case hexadecimal digits."""
    line_count: int
    """Number of lines."""
    size_bytes: int | None
    """Size of the file on disk; None where it is not known."""
    kind: ContentKind
    """How the content is kept."""
    observe_time: datetime | None
    """When the version was first observed; None where the stored time is unreadable."""
    modify_time: datetime | None
    """Modification time of the file; None where it is not known."""
    description: str
    """What was recorded about the change, such as `File created`."""
    current: bool
    """The path has this content now."""
    label: str | None
    """The label that it was given."""
    pinned: bool
    """It is kept by every retention policy."""


@dataclass(frozen=True, slots=True)
class VersionContent:
    """A version with its content."""

    version: Version
    """The version."""
    content: bytes
    """Text with LF line ends; the exact bytes of LOSSY_TEXT and BINARY."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A range of a snippet, in characters: `snippet[start:end]`."""

    start: int
    """First character, from 0."""
    end: int
    """Character after the last."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One file that matches."""

    path: str
    """The path."""
    version_id: int
    """The version that matches: the path's newest."""
    score: float
    """Relevance, larger is better; comparable within one answer only."""
    snippet: str
    """A part of the content around a match, plain text; empty where only the path matches."""
    highlights: tuple[Highlight, ...]
    """Where the words stand in `snippet`."""
    observe_time: datetime | None
    """When the version was first observed."""


@dataclass(frozen=True, slots=True)
class TopicFile:
    """A file that bears a topic."""

    path: str
    """The path."""
    entry_count: int
    """Number of entries of this file with the topic."""
    latest_time: datetime | None
    """Time of the latest of them; None where it is unreadable."""
    summary: str
    """Summary of the latest of them."""


@dataclass(frozen=True, slots=True)
class ActivityCounts:
    """Counts of steps."""

    changes: int
    """Steps."""
    files: int
    """Distinct paths."""
    lines_added: int
    """Lines added."""
    lines_removed: int
    """Lines removed."""


@dataclass(frozen=True, slots=True)
class TimeBucket:
    """One bucket of a time analysis."""

    start_time: datetime
    """Its start."""
    end_time: datetime
    """Its end, excluded."""
    counts: ActivityCounts
    """What happened in it."""


@dataclass(frozen=True, slots=True)
class TermCount:
    """How often a topic or keyword occurs."""

    term: str
    """The topic or keyword."""
    count: int
    """Number of entries that bear it."""


@dataclass(frozen=True, slots=True)
class TimeAnalysis:
    """What happened in a time range, bucket by bucket."""

    buckets: tuple[TimeBucket, ...]
    """The range's buckets in order, also those in which nothing happened."""
    total: ActivityCounts
    """Counts of the whole range."""
    topics: tuple[TermCount, ...]
    """The most frequent topics in the range, at most 20."""
    keywords: tuple[TermCount, ...]
    """The most frequent keywords in the range, at most 20."""
    start_time: datetime
    """Start of the range in force."""
    end_time: datetime
    """End of the range in force."""
    time_zone: str
    """The zone in force."""


@dataclass(frozen=True, slots=True)
class ChangeTypeCounts:
    """Counts of the steps of one type."""

    change_type: ChangeType
    """The type."""
    counts: ActivityCounts
    """The counts."""


@dataclass(frozen=True, slots=True)
class NamedCounts:
    """Counts of the steps of one directory, extension or file."""

    name: str
    """The path or extension."""
    counts: ActivityCounts
    """The counts."""


@dataclass(frozen=True, slots=True)
class ActivityStats:
    """What happened in a time range, by several measures."""

    total: ActivityCounts
    """Counts of the whole range."""
    by_change_type: tuple[ChangeTypeCounts, ...]
    """Counts by type of change."""
    by_directory: tuple[NamedCounts, ...]
    """Counts by directory, most changes first."""
    by_extension: tuple[NamedCounts, ...]
    """Counts by file name extension with its dot, empty for none; most changes first."""
    by_file: tuple[NamedCounts, ...]
    """The files with the most changes, most first."""
    first_time: datetime | None
    """Time of the first step in the range; None where there is none."""
    last_time: datetime | None
    """Time of the last step in the range; None where there is none."""
