"""Times as the database has them: local wall-clock text, and whatever older rows hold."""

from __future__ import annotations

import math
import re
import time
from datetime import datetime, timedelta, timezone

__all__ = ["NEVER", "SECOND", "datetime_of", "format_time", "micros_of", "now_micros", "parse_time"]

SECOND = 1_000_000
"""Microseconds in a second: times are counted in microseconds since the Unix epoch."""

NEVER = -62_135_596_800_000_000
"""The first instant of year 1, which Go takes for no time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_MILLIS = 1e12  # from here on a stored number counts milliseconds
_TEXT = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[ T](\d\d?:\d\d)"
    r"(?:(:\d\d)(?:[.,](\d+))?( ?(?:Z|[+-]\d\d:\d\d)|[+-]\d\d(?:\d\d)?)?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def now_micros() -> int:
    """Return the time now."""
    return micros_of(datetime.now(timezone.utc))


def micros_of(when: datetime) -> int:
    """Return the microseconds of an aware datetime."""
    return (when - _EPOCH) // timedelta(microseconds=1)


_FIRST = micros_of(datetime.min.replace(tzinfo=timezone.utc))
_LAST = micros_of(datetime.max.replace(tzinfo=timezone.utc))


def datetime_of(micros: int) -> datetime:
    """Return an aware datetime in UTC; the ends of Python's calendar where it lies outside."""
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        end = datetime.max if micros > 0 else datetime.min
        return end.replace(tzinfo=timezone.utc)


def format_time(micros: int) -> str:
    """Return what a timestamp column holds: local wall-clock time with microseconds."""
    local = datetime_of(micros).astimezone().replace(tzinfo=None)
    return local.isoformat(" ", "microseconds")


def parse_time(value: object) -> int | None:
    """Read a stored time in any of its forms; None where it is no time.

    Text has a space or a 'T', a fraction or none, an offset or local time; a
    number counts seconds, or milliseconds from 1e12 on. Of the two times that a wall
    clock shows in autumn it is the one that Go takes.
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return _parse_text(value.strip())
    if isinstance(value, (int, float)):
        return _from_number(float(value))
    return None


def _parse_text(text: str) -> int | None:
    match = _TEXT.fullmatch(text)
    if match is None:
        return _from_number(float(text)) if _NUMBER.fullmatch(text) else None
    day, minute, second, fraction, zone = match.groups()
    try:
        wall = datetime.fromisoformat(f"{day} {(minute or '00:00').zfill(5)}{second or ':00'}")
        wall = wall.replace(microsecond=int((fraction or "")[:6].ljust(6, "0")))
        micros = micros_of(wall.replace(tzinfo=_zone(zone) if zone else timezone.utc))
        return micros if zone else _kept(micros - _offset(micros - _offset(micros)))
    except (ValueError, OverflowError, OSError):
        return None


def _offset(micros: int) -> int:
    """Return how far the local wall clock is ahead of UTC at a time."""
    return time.localtime(micros // SECOND).tm_gmtoff * SECOND


def _kept(micros: int) -> int | None:
    """Return a time that a datetime can hold, else None."""
    return micros if _FIRST <= micros <= _LAST else None


def _zone(text: str) -> timezone:
    digits = re.sub(r"\D", "", text).ljust(4, "0")
    if text.strip() == "Z":
        return timezone.utc
    span = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-span if "-" in text else span)


def _from_number(number: float) -> int | None:
    if abs(number) >= _FIRST_MILLIS:
        number /= 1000
    if math.isnan(number) or abs(number) >= _FIRST_MILLIS:
        return None
    fraction, seconds = math.modf(number)
    return _kept(int(seconds) * SECOND + (int(fraction * 1e9) + 500) // 1000)
