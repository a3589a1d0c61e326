"""The paths that something happened to, until each has come to rest."""

from __future__ import annotations

import heapq
import itertools
import time

from ._known import Below
from ._marks import Ident, Mark, ident_at

__all__ = ["Dirty"]


class Dirty(Below[Mark]):
    """Paths with their marks. It is used under its watcher's lock."""

    def __init__(self, root: str, delay: float) -> None:
        super().__init__()
        self._root, self._delay = root, delay
        self._numbers = itertools.count()
        # When each path may rest: not before, but perhaps later, when it is looked at anew.
        self._rests: list[tuple[float, int, str]] = []
        self._unseen: set[str] = set()  # something was moved there that was not looked at
        self._arriving: dict[Ident, str] = {}  # what was moved, and where it was seen

    def __setitem__(self, rel: str, mark: Mark) -> None:
        super().__setitem__(rel, mark)
        self._push(rel, mark)
        if mark.moved:
            self._unseen.add(rel)

    def touch(self, rel: str, *, written: bool = False, moved: bool = False) -> None:
        """Note that something happened to a path."""
        now = time.monotonic()
        mark = self.get(rel)
        if mark is None:
            self[rel] = Mark(now, now, written, moved, initial=False)
            return
        mark.last, mark.initial = now, False
        mark.written, mark.moved = mark.written or written, mark.moved or moved
        if moved:
            self._unseen.add(rel)

    def due(self, now: float) -> Below[Mark]:
        """Remove and return the paths that have come to rest, the first touched one first."""
        rested: list[tuple[float, int, str, Mark]] = []
        while self._rests and self._rests[0][0] <= now:
            _, number, rel = heapq.heappop(self._rests)
            mark = self.get(rel)
            if mark is None:
                continue  # it was taken away
            if mark.rests_at(self._delay) > now:
                self._push(rel, mark)
                continue
            del self[rel]
            rested.append((mark.first, number, rel, mark))
        if not self:
            self._unseen.clear()
            self._arriving.clear()
        found: Below[Mark] = Below()
        for _, _, rel, mark in sorted(rested, key=lambda one: one[:2]):
            found[rel] = mark
        return found

    def next_due(self) -> float:
        """Return when `due` may have something to return; infinity: never."""
        return self._rests[0][0] if self._rests else float("inf")

    def awaits(self, one: Ident) -> bool:
        """Tell whether a file was moved to one of the paths, where it has yet to settle."""
        for rel in self._unseen:
            if rel in self and (there := ident_at(f"{self._root}/{rel}")) is not None:
                self._arriving[there] = rel
        self._unseen.clear()
        rel = self._arriving.get(one, "")
        return rel in self and ident_at(f"{self._root}/{rel}") == one

    def _push(self, rel: str, mark: Mark) -> None:
        heapq.heappush(self._rests, (mark.rests_at(self._delay), next(self._numbers), rel))
