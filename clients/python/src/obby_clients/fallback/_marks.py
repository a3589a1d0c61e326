"""What is known of dirty paths, and of the files that are found there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ._content import Stat
from ._reading import stat_of

__all__ = ["Arrival", "Ident", "Mark", "ident", "ident_at"]

BOUND = 10
"""Times the quiet delay that a path which never rests can stay unreported (case 23)."""

Ident = tuple[int, int]
"""Device and inode number."""


@dataclass(slots=True)
class Mark:
    """What is known of a dirty path besides that it is dirty; times are monotonic."""

    first: float
    last: float
    written: bool = False
    """Its content was written, whatever size and time say (case 44)."""
    moved: bool = False
    """It was moved there."""
    initial: bool = True
    """Nothing has happened to it but that a pattern now matches it."""

    def rests_at(self, delay: float) -> float:
        """Return when it has come to rest, if nothing happens any more."""
        return min(self.last + delay, self.first + BOUND * delay)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that was found at a dirty path."""

    rel: str
    stat: Stat
    mark: Mark


def ident(stat: Stat) -> Ident:
    """Return what tells files apart while they exist."""
    return stat.device, stat.inode


def ident_at(path: str) -> Ident | None:
    """Return the file at a path; None: none is."""
    try:
        return ident(stat_of(os.lstat(path)))
    except OSError:
        return None
