"""What can be asked: of what is known to be in a database, one question after the other."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

__all__ = ["OUTSIDE", "Ask", "Known", "Questions", "call"]

Ask = Callable[[Any], Any]
OUTSIDE = ["", "relative", "/", "/nowhere", b"/caf\xe9"]


@dataclasses.dataclass(frozen=True)
class Known:
    """What is in the database, as far as questions need it."""

    root: str
    paths: list[str]
    versions: list[int]
    steps: int
    first: datetime
    last: datetime

    def some(self, n: int) -> list[str]:
        """Return paths from all over."""
        return self.paths[:: max(len(self.paths) // n, 1)]

    def between(self, part: float) -> datetime:
        """Return a time so far into the history."""
        return self.first + (self.last - self.first) * part

    def prefixes(self) -> list[Any]:
        """Return prefixes of all kinds."""
        folders = sorted({os.path.dirname(path) for path in self.some(8)})
        return [None, self.root, *folders, *self.some(3), self.root[:-1], *OUTSIDE]


Questions = Iterator[tuple[str, Ask]]


def call(method: str, *args: Any, **options: Any) -> tuple[str, Ask]:
    what = f"{', '.join(map(repr, args))} {options}"
    return what, lambda side: getattr(side, method)(*args, timeout=60.0, **options)
