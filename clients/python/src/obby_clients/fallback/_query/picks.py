"""Which paths of a list are wanted: those that match a pattern and have an extension."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .._paths import quote
from .._patterns import Patterns
from .._problems import field

__all__ = ["Picks"]


class Picks:
    """Picks absolute paths that are a prefix or below it.

    A pattern is one as in .obbywatch, tried against the base name and against the
    path: relative to the prefix where there is one, else absolute.
    """

    def __init__(self, name: str, prefix: str, glob: str) -> None:
        self._prefix = prefix
        self._patterns: Patterns | None = None
        if glob:
            if prefix in {"", "/"} and glob.startswith("/"):
                # In a pattern file nothing begins with a slash: paths are relative there.
                self._prefix, glob = "/", glob[1:]
            self._patterns = _patterns(name, glob)
        self._extensions: list[str] = []

    def also(self, name: str, extensions: Iterable[str]) -> Picks:
        """Pick of these only what has one of some extensions, with or without their dot."""
        self._extensions = [_extension(name, extension) for extension in extensions]
        return self

    def __bool__(self) -> bool:
        return self._patterns is not None or bool(self._extensions)

    def __call__(self, path: str) -> bool:
        """Tell whether a path is wanted."""
        return self._matches(path) and self._has_extension(os.path.basename(path))

    def _matches(self, path: str) -> bool:
        if self._patterns is None:
            return True
        below = path.removeprefix(self._prefix).removeprefix("/") if self._prefix else path
        return self._patterns.match(below or os.path.basename(path))

    def _has_extension(self, name: str) -> bool:
        """Try what follows each dot but those that the name begins with."""
        if not self._extensions:
            return True
        name = _folded(name.lstrip("."))
        ends = (name[at:] for at, char in enumerate(name) if char == ".")
        return any(end in self._extensions for end in ends)


def _patterns(name: str, glob: str) -> Patterns:
    patterns = Patterns([glob], [])
    if patterns.problems:
        raise field(name, patterns.problems[0].split(": ", 1)[1])
    if patterns.empty:
        raise field(name, "is blank or a comment: a name that begins with # is written [#]name")
    return patterns


def _extension(name: str, extension: str) -> str:
    bare = extension.removeprefix(".")
    if not bare or "/" in bare:
        raise field(name, f"{quote(extension[:40])} is not an extension: write it as .md or md")
    return "." + _folded(bare)


def _folded(text: str) -> str:
    """Return a text in which case does not count, of as many characters as before."""
    return "".join(char.lower()[0] for char in text)
