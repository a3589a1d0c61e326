"""Counters of what flags and routing do, for whatever reads them.

`obby_clients.prometheus` exports them; so can any loop over `COUNTERS.read()`.
No counter is labelled by subject: there are as many of those as there are files.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["COUNTERS", "Counted", "Counter", "Counters"]


@dataclass(frozen=True, slots=True)
class Counted:
    """One counter as it stands."""

    name: str
    """Its name, which ends in `_total`."""
    labels: tuple[tuple[str, str], ...]
    """Its labels, with their values."""
    value: int
    """How often it happened in this process."""


Labels = tuple[tuple[str, str], ...]


class Counter:
    """One counter, for whoever adds to it often."""

    __slots__ = ("_lock", "value")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.value = 0
        """How often it happened in this process."""

    def add(self) -> None:
        """Count one more."""
        with self._lock:  # an increment of Python's is two steps
            self.value += 1

    def reset(self) -> None:
        """Begin anew in a child: a lock that another thread held stays held for ever."""
        self._lock, self.value = threading.Lock(), 0


class Counters:
    """Counts by name and labels; any thread may add and read."""

    def __init__(self) -> None:
        self._counters: dict[tuple[str, Labels], Counter] = {}

    def counter(self, name: str, labels: Labels) -> Counter:
        """Return the counter of a name and labels, the same one for ever."""
        key = name, labels
        return self._counters.get(key) or self._counters.setdefault(key, Counter())

    def add(self, name: str, labels: Labels) -> None:
        """Count one more."""
        self.counter(name, labels).add()

    def read(self) -> Iterator[Counted]:
        """Return every counter as it stands now, by name."""
        counters = sorted(self._counters.items(), key=lambda item: item[0])
        return (Counted(*key, counter.value) for key, counter in counters if counter.value)

    def value(self, name: str, **labels: str) -> int:
        """Return the sum of the counters of a name that have these labels."""
        wanted = labels.items()
        found = (counted for counted in self.read() if counted.name == name)
        return sum(counted.value for counted in found if wanted <= dict(counted.labels).items())

    def after_fork(self) -> None:
        """Begin anew in a child."""
        for counter in list(self._counters.values()):
            counter.reset()


COUNTERS = Counters()
"""The counters of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=COUNTERS.after_fork)
