"""What callers give: checked as the Go service checks it, with its words."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from ..._options import members, moment
from ...values import AnyPath, ChangeType
from .._paths import below, encode
from .._problems import field
from .._times import micros_of
from .picks import Picks
from .reader import Answers, Page, at

__all__ = [
    "MAX_TEXT",
    "STORED_TYPES",
    "Filter",
    "Range",
    "Where",
    "checked_int",
    "checked_text",
    "clean",
    "counted",
    "instant",
    "listed",
    "prefix_of",
]

T = TypeVar("T")
MAX_TEXT = 1000
"""Characters of a pattern, or of what is searched for."""

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1

STORED_TYPES = {
    ChangeType.CREATED: "created",
    ChangeType.MODIFIED: "modified",
    ChangeType.DELETED: "deleted",
    ChangeType.MOVED: "moved",
}


def checked_int(name: str, value: int, bits: int = 32) -> int:
    """Return a number that a request can carry; raise ValueError for another."""
    if not -(1 << (bits - 1)) <= value < 1 << (bits - 1):
        raise ValueError(f"{name} is {value}: it does not fit into {bits} bits")
    return value


def instant(when: datetime | None) -> int | None:
    """Return the microseconds of an aware datetime; raise ValueError for a naive one."""
    return None if when is None else micros_of(moment(when))


def clean(name: str, path: AnyPath) -> str:
    """Return the one form in which a path is recorded."""
    text = os.fsdecode(path)
    if not text.startswith("/"):
        raise field(name, "not an absolute path")
    return os.path.normpath("/" + text.lstrip("/"))


def prefix_of(name: str, path: AnyPath | None) -> str:
    """Return a path that may be left out; empty: all paths."""
    return clean(name, path) if path is not None and os.fsdecode(path) else ""


@dataclass(frozen=True, slots=True)
class Range:
    """A span of time that includes its start and excludes its end; None is open."""

    start: int | None = None
    end: int | None = None

    def bounds(self) -> tuple[int, int]:
        """Return the first and the last microsecond that it includes."""
        return (
            _FIRST if self.start is None else self.start,
            _LAST if self.end is None else self.end - 1,
        )

    def checked(self, name: str) -> Range:
        """Refuse a range that starts after its end."""
        if self.start is not None and self.end is not None and self.start > self.end:
            raise field(f"{name}start_time", "the start is after the end")
        return self


class Where:
    """A WHERE clause in the making."""

    def __init__(self) -> None:
        self._conditions: list[str] = []
        self.args: list[Any] = []

    def add(self, condition: str, *args: Any) -> None:
        """Keep only rows for which this holds."""
        self._conditions.append(condition)
        self.args += args

    def below(self, column: str, prefix: str) -> None:
        """Keep rows whose path is `prefix` or below it, byte for byte (case 58)."""
        if prefix not in {"", "/"}:
            text = encode(prefix)
            # '0' is the character after '/'.
            self.add(
                f"({column} = ? OR {column} >= ? AND {column} < ?)", text, text + "/", text + "0"
            )

    def types(self, column: str, types: Iterable[ChangeType]) -> None:
        """Keep rows of these types; none: of all."""
        stored = [STORED_TYPES[type_] for type_ in types]
        if stored:
            self.add(f"{column} IN ({', '.join('?' * len(stored))})", *stored)

    def during(self, expression: str, range_: Range) -> None:
        """Keep rows in a range, of those whose time is readable."""
        if range_ != Range():
            self.add(f"{expression} BETWEEN ? AND ?", *range_.bounds())

    def __str__(self) -> str:
        return f" WHERE {' AND '.join(self._conditions)}" if self._conditions else ""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to leave out: see DiffFilter of the contract."""

    prefix: AnyPath | None
    glob: str
    types: tuple[ChangeType, ...]
    range: Range
    picks: Picks | None = None

    @staticmethod
    def of(
        prefix: AnyPath | None,
        glob: str,
        types: Iterable[ChangeType],
        start: datetime | None,
        end: datetime | None,
    ) -> Filter:
        """Take what a caller gave; raise ValueError for what no request can carry."""
        kinds = tuple(map(ChangeType, members("change_types", types)))
        return Filter(prefix, checked_text(glob), kinds, Range(instant(start), instant(end)))

    def checked(self) -> Filter:
        """Refuse what the service refuses; return it with what it picks."""
        prefix = prefix_of("filter.path_prefix", self.prefix)
        self.range.checked("filter.")
        for type_ in self.types:
            if type_ not in STORED_TYPES:
                name = f"CHANGE_TYPE_{type_.name}" if type_.known else int(type_)
                raise field("filter.change_types", f"{name} is not a type of change")
        if len(self.glob) > MAX_TEXT:
            raise field("filter.path_glob", "more than 1,000 characters")
        picks = Picks("filter.path_glob", prefix, self.glob)
        return replace(self, prefix=prefix, picks=picks)

    def apply(self, answers: Answers, where: Where) -> None:
        """Add the filter to a statement over content_diffs."""
        self.paths(answers, where, "file_path")
        where.types("change_type", self.types)
        where.during(at("timestamp"), self.range)

    def paths(self, answers: Answers, where: Where, column: str) -> None:
        """Add what the filter says of paths."""
        where.below(column, str(self.prefix))
        if self.picks:
            answers.match(self.picks)
            where.add(f"obby_match(CAST({column} AS BLOB))")

    def keeps(self, path: str) -> bool:
        """Tell whether a path passes what the filter says of paths."""
        prefix = str(self.prefix)
        inside = prefix in {"", "/", path} or below(prefix, path)
        return inside and (not self.picks or self.picks(path))


def listed(
    check: Callable[[], T],
    read: Callable[[T, Any, int], tuple[Page, Any]],
    *,
    limit: int | None,
    page_size: int,
    sizes: tuple[int, int] = (50, 1000),
) -> Iterator[Any]:
    """Iterate over a list page by page; nothing is read before the first item is wanted.

    `check` reads the arguments, `read` gives, of these, the page after a place and the
    place after it. `sizes` are the page's default and largest size.
    """
    if limit is not None and limit < 0:
        raise ValueError(f"limit is {limit}: it cannot be negative")
    checked_int("page_size", page_size)
    return _listed(check, read, limit, page_size, sizes)


def _listed(
    check: Callable[[], T],
    read: Callable[[T, Any, int], tuple[Page, Any]],
    limit: int | None,
    page_size: int,
    sizes: tuple[int, int],
) -> Iterator[Any]:
    left, place = limit, None
    if left == 0:
        return
    arguments = check()
    size = counted("page_size", page_size, *sizes)
    more = True
    while more and (left is None or left > 0):
        page, place = read(arguments, place, size)
        items = page.items if left is None else page.items[:left]
        yield from items
        left = None if left is None else left - len(items)
        more = page.more


def counted(name: str, requested: int, default: int, most: int) -> int:
    """Return a number of which 0 means the default; refuse a negative one."""
    if requested < 0:
        raise field(name, f"{requested} is negative: use 0 for the default of {default}")
    return min(requested or default, most)


def checked_text(text: str) -> str:
    """Return a text that a request can carry; raise UnicodeEncodeError for another."""
    text.encode()
    return text
