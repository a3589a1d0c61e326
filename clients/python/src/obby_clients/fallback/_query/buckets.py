"""Time zones, and the hours, days and weeks of them.

A time is microseconds since the Unix epoch. Days are the zone's calendar days: one may
have 23 or 25 hours, lack its midnight, have two, or not exist at all (case 48).
"""

from __future__ import annotations

import functools
import os
import zoneinfo
from datetime import date, datetime, timedelta, timezone, tzinfo

from ...query.values import BucketSize
from .._problems import field
from .._times import SECOND, micros_of

__all__ = ["Zone", "buckets", "zone_of"]

_MAX_BUCKETS = 10_000
_HOUR = 3600 * SECOND
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST = micros_of(datetime(1, 1, 3, tzinfo=timezone.utc))
_LAST = micros_of(datetime(9999, 12, 30, tzinfo=timezone.utc))


class Zone:
    """A time zone. `name` is what callers are told."""

    def __init__(self, name: str, zone: tzinfo | None) -> None:
        self.name, self._zone = name, zone

    def local(self, micros: int) -> datetime:
        """Return the wall clock at a time."""
        # Python's calendar ends with the years 1 and 9999, in every zone.
        moment = _EPOCH + timedelta(microseconds=min(max(micros, _FIRST), _LAST))
        return moment.astimezone(self._zone).replace(tzinfo=None, fold=0)

    def day(self, micros: int) -> date:
        """Return the calendar day of a time."""
        return self.local(micros).date()

    def at(self, wall: datetime) -> int:
        """Return the time at which the wall clock shows this, as Go's time.Date chooses it."""
        naive = (wall.replace(tzinfo=timezone.utc) - _EPOCH) // timedelta(microseconds=1)
        return naive - self._offset(naive - self._offset(naive))

    def _offset(self, micros: int) -> int:
        shown = self.local(micros).replace(tzinfo=timezone.utc) - _EPOCH
        return shown // timedelta(microseconds=1) - micros

    def start(self, day: date) -> int:
        """Return the first instant of a day, which is not always its midnight."""
        midnight = self.at(datetime(day.year, day.month, day.day))
        if self.day(midnight) == day and self.day(midnight - 1) < day:
            return midnight
        # Midnight is left out or comes twice. No change is by more than a day.
        first, last = midnight - 26 * _HOUR, midnight + 26 * _HOUR
        while first < last:
            middle = first + (last - first) // (2 * SECOND) * SECOND
            if self.day(middle) >= day:
                last = middle
            else:
                first = middle + SECOND
        return first


def zone_of(name: str) -> Zone:
    """Return the zone with an IANA name; empty: this machine's."""
    if not name:
        return _here(os.environ.get("TZ"))
    try:
        if name == "Local":
            raise ValueError
        return Zone(name, zoneinfo.ZoneInfo(name))
    except (ValueError, KeyError, OSError):
        raise field("time_zone", "not the name of a time zone, such as Europe/Berlin") from None


@functools.lru_cache(maxsize=4)
def _here(variable: str | None) -> Zone:
    """Return this machine's zone under its IANA name; where nothing tells that, `Local`."""
    try:
        if variable is None:
            _, _, name = os.readlink("/etc/localtime").partition("zoneinfo/")
            return Zone(name, zoneinfo.ZoneInfo(name)) if name else Zone("Local", None)
        name = variable.removeprefix(":")
        if name.startswith("/"):
            with open(name, "rb") as file:
                return Zone(name, zoneinfo.ZoneInfo.from_file(file))
        return Zone(name, zoneinfo.ZoneInfo(name)) if name else Zone("UTC", timezone.utc)
    except (ValueError, KeyError, OSError):
        return Zone("Local", None) if variable is None else Zone("UTC", timezone.utc)


def buckets(range_: tuple[int, int], size: BucketSize, zone: Zone) -> list[tuple[int, int]]:
    """Cut a range at the hours, days or weeks of a zone. An empty range has none."""
    parts: list[tuple[int, int]] = []
    start, end = range_
    while start < end:
        if len(parts) == _MAX_BUCKETS:
            raise field(
                "bucket_size",
                "more than 10,000 buckets: use wider ones, or a shorter range",
            )
        following = min(_next(start, size, zone), end)
        parts.append((start, following))
        start = following
    return parts


def _next(micros: int, size: BucketSize, zone: Zone) -> int:
    """Return the first boundary after a time."""
    wall = zone.local(micros)
    if size is BucketSize.HOUR:
        # Clocks may change by half an hour: then the next step realigns.
        past = timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
        return micros + _HOUR - past // timedelta(microseconds=1)
    day, step = wall.date(), timedelta(days=1)
    if size is BucketSize.WEEK:
        day, step = day - timedelta(days=day.weekday()), timedelta(days=7)  # back to Monday
    while True:
        day += step
        # A zone can skip a whole day by crossing the date line.
        if (start := zone.start(day)) > micros:
            return start
