"""What the query-service counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from ..values import ChangeType, OpenEnum

__all__ = [
    "ActivityCounts",
    "ActivityStats",
    "BucketSize",
    "ChangeTypeCounts",
    "NamedCounts",
    "QuietGap",
    "Streak",
    "TermCount",
    "TimeAnalysis",
    "TimeBucket",
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
class QuietGap:
    """A time without a step."""

    start_time: datetime
    """Time of the step before it."""
    end_time: datetime
    """Time of the step after it."""


@dataclass(frozen=True, slots=True)
class Streak:
    """A run of days with at least one step each."""

    start_date: date
    """Its first day."""
    end_date: date
    """Its last day."""
    days: int
    """Number of days."""


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
    longest_gap: QuietGap | None
    """The longest time between two steps in the range; None with fewer than two."""
    active_days: int
    """Days of the zone with at least one step."""
    longest_streak: Streak | None
    """The most days in a row with a step each, the latest of equals; None without a step."""
    current_streak: Streak | None
    """The days in a row that reach to the range's last day or the day before; else None."""
    topics: tuple[TermCount, ...]
    """The most frequent topics in the range, at most as many as the lists are long."""
    keywords: tuple[TermCount, ...]
    """The most frequent keywords in the range, at most as many as the lists are long."""
    time_zone: str
    """The zone in force."""
