"""Paths below a root, found by their folder and by the file that has them.

A change is to cost what it touches, not what there is: thousands of files are renamed
one by one, and each time only what lies below one path is looked through.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, MutableMapping
from typing import Any, TypeVar

from ._marks import Ident

__all__ = ["Below", "Known"]

_V = TypeVar("_V")


class Below(MutableMapping[str, _V]):
    """A value for each of some relative paths; `.` is the root."""

    def __init__(self) -> None:
        self._values: dict[str, _V] = {}
        # What is directly in each folder: paths with a value, and folders on the way there.
        self._inside: dict[str, dict[str, None]] = {}

    def __getitem__(self, path: str) -> _V:
        return self._values[path]

    def __setitem__(self, path: str, value: _V) -> None:
        new = path not in self._values
        self._values[path] = value
        while new and path != ".":
            folder = path.rpartition("/")[0] or "."
            siblings = self._inside.setdefault(folder, {})
            new = not siblings and folder not in self._values
            siblings[path] = None
            path = folder

    def __delitem__(self, path: str) -> None:
        del self._values[path]
        while path not in self._values and path not in self._inside and path != ".":
            folder = path.rpartition("/")[0] or "."
            siblings = self._inside[folder]
            del siblings[path]
            if not siblings:
                del self._inside[folder]
            path = folder

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def keys(self) -> KeysView[str]:
        """Return the paths."""
        return self._values.keys()

    def items(self) -> ItemsView[str, _V]:
        """Return the paths with their values."""
        return self._values.items()

    def below(self, path: str) -> list[str]:
        """Return a path, if it is there, and those below it, a folder before what it holds."""
        found, waiting = [], [path]
        while waiting:
            at = waiting.pop()
            if at in self._values:
                found.append(at)
            waiting.extend(reversed(self._inside.get(at, {})))
        return found

    def take(self, path: str) -> dict[str, _V]:
        """Remove and return what `below` returns, with its values."""
        return {at: self.pop(at) for at in self.below(path)}


class Known(Below[_V]):
    """The same, where each value tells which file or directory has the path."""

    def __init__(self, of: Callable[[_V], Ident], values: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._of = of
        self._names: dict[Ident, tuple[str, ...]] = {}  # mostly one: hard links have several
        self.update(values or {})

    def __setitem__(self, path: str, value: _V) -> None:
        if path in self._values:
            self._unname(path)
        super().__setitem__(path, value)
        one = self._of(value)
        self._names[one] = (*self._names.get(one, ()), path)

    def __delitem__(self, path: str) -> None:
        self._unname(path)
        super().__delitem__(path)

    def names(self, one: Ident) -> tuple[str, ...]:
        """Return the paths of a file, the one that is known longest first."""
        return self._names.get(one, ())

    def _unname(self, path: str) -> None:
        one = self._of(self._values[path])
        left = tuple(name for name in self._names[one] if name != path)
        if left:
            self._names[one] = left
        else:
            del self._names[one]
