"""Checks of what constructors and calls are given, where it is given.

What no request can carry raises TypeError or ValueError, with a sentence that says what
to give instead; without it, the mistake would show later, in a thread or not at all.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from .values import AnyPath, OpenEnum

__all__ = [
    "instance",
    "members",
    "moment",
    "path",
    "paths",
    "seconds",
    "since",
    "span",
    "texts",
    "timeout",
    "timeouts",
    "token",
    "topics",
    "whole",
]

_T = TypeVar("_T")
_TIMEOUTS = ("timeout", "idle_timeout", "retry_for")


def seconds(name: str, value: Any, *, positive: bool = False) -> float:
    """Return a number of seconds, 0 or more; with `positive`, more than 0."""
    _number(name, value)
    if not value >= 0 or (positive and not value):  # neither is nan
        least = "more than 0" if positive else "0 or more"
        raise ValueError(f"{name} is {value}: give a number of seconds, {least}")
    return float(value)


def span(name: str, value: Any) -> float:
    """Return the seconds of a timedelta, 0 or more."""
    if not isinstance(value, timedelta):
        raise TypeError(f"{name} is {value!r}: give a timedelta, such as timedelta(days=7)")
    if value < timedelta(0):
        raise ValueError(f"{name} is {value}: give a timedelta of 0 or more")
    return value.total_seconds()


def timeout(name: str, value: Any) -> float:
    """Return the seconds that a call has; where they are not above 0, the call says so."""
    _number(name, value)
    if name != "timeout" and math.isnan(value):
        raise ValueError(f"{name} is nan: give a number of seconds")
    return value  # type: ignore[no-any-return]


def timeouts(given: Mapping[str, Any]) -> None:
    """Check the timeouts among the arguments of a call."""
    for name in _TIMEOUTS:
        value = given.get(name)
        if value is not None or (name == "retry_for" and name in given):
            timeout(name, value)


def whole(name: str, value: Any, *, least: int) -> int:
    """Return a whole number of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is {value!r}: give a whole number")
    if value < least:
        raise ValueError(f"{name} is {value}: give a whole number, {least} or more")
    return value


def path(name: str, value: Any) -> AnyPath:
    """Return a path of a file or folder."""
    if not isinstance(value, (str, bytes, os.PathLike)):
        raise TypeError(f"{name} is {value!r}: give a path, as str, bytes or os.PathLike")
    return value


def paths(name: str, value: Any) -> list[AnyPath]:
    """Return some paths: one alone would be taken for a list of its characters."""
    if isinstance(value, (str, bytes, os.PathLike)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}: give a list of paths, such as ['/home/me/notes']")
    return [path(f"one of {name}", one) for one in value]


def texts(name: str, value: Any) -> list[str]:
    """Return some texts: one alone would be taken for a list of its characters."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}: give a list of str")
    return [instance(f"one of {name}", one, str) for one in value]


def topics(value: Any) -> list[str]:
    """Return the topics of a subscription: one, or some."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes) or not isinstance(value, Iterable):
        raise TypeError(f"topics is {value!r}: give a topic, or a list of topics")
    return texts("topics", value)


def members(name: str, value: Any) -> list[OpenEnum]:
    """Return some values of an enum; one alone is refused."""
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{name} is {value!r}: give a list, such as [ChangeType.CREATED]")
    found = list(value)
    for one in found:
        if not isinstance(one, OpenEnum):
            raise TypeError(f"one of {name} is {one!r}: give values such as ChangeType.CREATED")
    return found


def moment(value: Any) -> datetime:
    """Return an aware datetime."""
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} is no time: give a datetime with a time zone")
    if value.utcoffset() is None:
        raise ValueError(f"{value!r} has no time zone")
    return value


def since(value: Any) -> datetime | str:
    """Return where a stream of steps begins."""
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):
        raise TypeError(f"since is {value!r}: give a datetime, or the cursor of a stream")
    return moment(value)


def token(value: Any) -> str:
    """Return where a stream of events goes on; empty: it begins with what comes."""
    if value is not None and not isinstance(value, str):
        raise TypeError(f"resume_token is {value!r}: give the cursor of a stream, or None")
    return value or ""


def instance(name: str, value: Any, kind: type[_T]) -> _T:
    """Return what is of a type."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} is {value!r}: give a {kind.__name__}")
    return value


def _number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        given = f" ({value.total_seconds():g})" if isinstance(value, timedelta) else ""
        raise TypeError(f"{name} is {value!r}: give its seconds as a number{given}")
