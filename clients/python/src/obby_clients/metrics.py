"""Counters of what flags and routing do, for whatever reads them.

`obby_clients.prometheus` exports them; so can any loop over `COUNTERS.read()`.
No counter is labelled by subject: there are as many of those as there are files.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["COUNTERS", "Counted", "Counters"]


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter as it stands."""

    name: str
    """Its name, which ends in `_total`."""
    labels: tuple[tuple[str, str], ...]
    """Its labels, with their values."""
    value: int
    """How often it happened in this process."""


class Counters:
    """Counts by name and labels; any thread may add and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _counts
        self._counts: dict[tuple[str, tuple[tuple[str, str], ...]], int] = {}

    def add(self, name: str, labels: tuple[tuple[str, str], ...]) -> None:
        """Count one more."""
        key = name, labels
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + 1

    def read(self) -> Iterator[Counted]:
        """Return every counter as it stands now, by name."""
        with self._lock:
            counts = sorted(self._counts.items())
        return (Counted(name, labels, value) for (name, labels), value in counts)

    def value(self, name: str, **labels: str) -> int:
        """Return the sum of the counters of a name that have these labels."""
        wanted = labels.items()
        return sum(
            c.value for c in self.read() if c.name == name and wanted <= dict(c.labels).items()
        )

    def after_fork(self) -> None:
        """Begin anew in a child: a lock that another thread held stays held for ever."""
        self._lock, self._counts = threading.Lock(), {}


COUNTERS = Counters()
"""The counters of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=COUNTERS.after_fork)
