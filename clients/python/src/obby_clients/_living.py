"""What is open and in use, known without being kept alive.

A `weakref.WeakSet` may be altered by one thread while another one goes through it only
at the price of a RuntimeError; a lock would stay held in the child of a fork.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Generic, TypeVar

__all__ = ["Living"]

_T = TypeVar("_T")


class Living(Generic[_T]):
    """Objects that somebody else has; any thread may add to it, take away and iterate."""

    def __init__(self) -> None:
        self._references: set[weakref.ref[_T]] = set()

    def add(self, one: _T) -> None:
        """Know an object for as long as it lives."""
        self._references.add(weakref.ref(one, self._references.discard))

    def discard(self, one: _T) -> None:
        """Forget an object, if it is known."""
        self._references.discard(weakref.ref(one))

    def __iter__(self) -> Iterator[_T]:
        for reference in self._references.copy():  # one step, which no other thread divides
            if (one := reference()) is not None:
                yield one
