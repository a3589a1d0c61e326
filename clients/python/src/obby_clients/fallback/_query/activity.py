"""Counts of what happened: by bucket, kind, directory, extension, file; gaps and streaks."""

from __future__ import annotations

import bisect
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from ...query.values import (
    ActivityCounts,
    ActivityStats,
    BucketSize,
    ChangeTypeCounts,
    NamedCounts,
    QuietGap,
    Streak,
    TimeAnalysis,
    TimeBucket,
)
from ...values import ChangeType
from .._paths import decode
from .._times import datetime_of
from .arguments import STORED_TYPES, Range, Where
from .buckets import Zone, buckets
from .reader import Answers, at, time_of
from .topics import terms

__all__ = ["analysis", "stats"]

_MAX_TERMS = 20
_TYPES = {text: type_ for type_, text in STORED_TYPES.items()}


@dataclass(frozen=True, slots=True)
class _Step:
    path: str
    type: str
    added: int
    removed: int
    observed: int


def _steps(answers: Answers, range_: Range, prefix: str) -> Iterator[_Step]:
    where = Where()
    # Also without a bound: a row whose time is unreadable is in no range.
    where.add(f"{at('timestamp')} BETWEEN ? AND ?", *range_.bounds())
    where.below("file_path", prefix)
    statement = f"""SELECT file_path, change_type, CAST(ifnull(lines_added, 0) AS INTEGER),
    CAST(ifnull(lines_removed, 0) AS INTEGER), {at("timestamp")} FROM content_diffs{where}"""
    for path, type_, added, removed, observed in answers.rows(statement, where.args):
        yield _Step(decode(path), type_, added, removed, observed)


@dataclass(slots=True)
class _Tally:
    """Counts in the making."""

    changes: int = 0
    added: int = 0
    removed: int = 0
    paths: set[str] = field(default_factory=set)

    def add(self, step: _Step) -> None:
        self.changes += 1
        self.added += step.added
        self.removed += step.removed
        self.paths.add(step.path)

    def counts(self) -> ActivityCounts:
        return ActivityCounts(self.changes, len(self.paths), self.added, self.removed)


def analysis(
    answers: Answers, range_: tuple[int, int], prefix: str, size: BucketSize, zone: Zone
) -> TimeAnalysis:
    """Count what happened in each bucket of a range."""
    parts = buckets(range_, size, zone)
    ends = [end for _, end in parts]
    total, tallies = _Tally(), [_Tally() for _ in parts]
    for step in _steps(answers, Range(*range_), prefix):
        total.add(step)
        tallies[min(bisect.bisect_right(ends, step.observed), len(parts) - 1)].add(step)
    return TimeAnalysis(
        buckets=tuple(
            TimeBucket(datetime_of(start), datetime_of(end), tally.counts())
            for (start, end), tally in zip(parts, tallies, strict=True)
        ),
        total=total.counts(),
        topics=terms(answers, "topic", Range(*range_), prefix, _MAX_TERMS),
        keywords=terms(answers, "keyword", Range(*range_), prefix, _MAX_TERMS),
        start_time=datetime_of(range_[0]),
        end_time=datetime_of(range_[1]),
        time_zone=zone.name,
    )


class _Groups:
    """A tally for each name."""

    def __init__(self, name: Callable[[_Step], str]) -> None:
        self._name = name
        self._tallies: dict[str, _Tally] = {}

    def add(self, step: _Step) -> None:
        self._tallies.setdefault(self._name(step), _Tally()).add(step)

    def top(self, limit: int | None) -> list[tuple[str, ActivityCounts]]:
        """Return the names with the most changes; of equals, the first by its bytes."""
        names = sorted(
            self._tallies.items(), key=lambda item: (-item[1].changes, os.fsencode(item[0]))
        )
        return [(name, tally.counts()) for name, tally in names[:limit]]


def stats(
    answers: Answers, range_: Range, prefix: str, list_size: int, zone: Zone
) -> ActivityStats:
    """Count what happened in a range, by several keys."""
    total, times = _Tally(), []
    types, files = _Groups(lambda step: step.type), _Groups(lambda step: step.path)
    folders = _Groups(lambda step: os.path.dirname(step.path))
    extensions = _Groups(lambda step: _extension(step.path))
    for step in _steps(answers, range_, prefix):
        for tally in (total, types, folders, extensions, files):
            tally.add(step)
        times.append(step.observed)
    times.sort()
    longest, current = _streaks(times, range_, zone)
    return ActivityStats(
        total=total.counts(),
        by_change_type=tuple(
            ChangeTypeCounts(_TYPES.get(name, ChangeType.UNSPECIFIED), counts)
            for name, counts in types.top(None)
        ),
        by_directory=_named(folders.top(list_size)),
        by_extension=_named(extensions.top(list_size)),
        by_file=_named(files.top(list_size)),
        first_time=time_of(times[0]) if times else None,
        last_time=time_of(times[-1]) if times else None,
        longest_gap=_gap(times),
        active_days=len({zone.day(micros) for micros in times}),
        longest_streak=longest,
        current_streak=current,
        topics=terms(answers, "topic", range_, prefix, list_size),
        keywords=terms(answers, "keyword", range_, prefix, list_size),
        time_zone=zone.name,
    )


def _named(groups: Iterable[tuple[str, ActivityCounts]]) -> tuple[NamedCounts, ...]:
    return tuple(NamedCounts(name, counts) for name, counts in groups)


def _extension(path: str) -> str:
    """Return a name's extension in lower case with its dot; .bashrc has none."""
    name = os.path.basename(path).lstrip(".")
    _, dot, extension = name.rpartition(".")
    if not dot or not extension:
        return ""
    if any("\udc80" <= char <= "\udcff" for char in extension):
        return dot + extension
    # Character by character: no word ends here, whose last sigma would look otherwise.
    return dot + "".join(char.lower()[0] for char in extension)


def _gap(times: list[int]) -> QuietGap | None:
    """Return the longest time between two steps; of equals the earliest."""
    if len(times) < 2:
        return None
    pairs = itertools.pairwise(times)
    start, end = max(pairs, key=lambda pair: pair[1] - pair[0])
    return QuietGap(datetime_of(start), datetime_of(end))


def _streaks(times: list[int], range_: Range, zone: Zone) -> tuple[Streak | None, Streak | None]:
    """Return the longest run of days with a step, the latest of equals, and the present one."""
    runs: list[tuple[date, date]] = []
    for day in sorted({zone.day(micros) for micros in times}):
        if runs and day - runs[-1][1] == timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    if not runs:
        return None, None
    streaks = [Streak(first, last, (last - first).days + 1) for first, last in runs]
    longest = max(reversed(streaks), key=lambda streak: streak.days)
    end = range_.end if range_.end is not None else times[-1] + 1
    reaches = zone.day(end - 1) - streaks[-1].end_date <= timedelta(days=1)
    return longest, streaks[-1] if reaches else None
