"""What may be watched, and by which patterns."""

from __future__ import annotations

import errno
import os
import stat as modes

from .._options import instance
from ..errors import ObbyError
from ..watcher.values import PatternSet
from ._marks import Ident, ident
from ._paths import below, quote
from ._patterns import Patterns
from ._problems import gone, problem
from ._reading import stat_of

__all__ = ["compiled", "directory_at", "resolve"]

_REFUSED = ("/proc", "/sys", "/dev")  # nothing below them is a file that rests on a disk


def compiled(patterns: PatternSet | None) -> Patterns | None:
    """Return the patterns that were given, None for None, or raise INVALID_PATTERN."""
    if patterns is None:
        return None
    instance("patterns", patterns, PatternSet)
    made = Patterns(patterns.watch, patterns.ignore)
    if made.problems:
        raise problem("INVALID_PATTERN", "", made.problems[0])
    return made


def directory_at(path: str) -> Ident | None:
    """Return which directory is at a path; None: none is."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return ident(stat_of(status)) if modes.S_ISDIR(status.st_mode) else None


def resolve(path: str, *, may_be_missing: bool) -> tuple[str, bool]:
    """Return the real path of a root and whether it is missing, or raise (case 52)."""
    if not path:
        raise problem("INVALID_ROOT", "", "its path is empty")
    if not path.startswith("/"):
        raise problem("INVALID_ROOT", "", f"{quote(path)} is not an absolute path")
    if "\0" in path:
        raise problem("INVALID_ROOT", "", f"{quote(path)} holds a NUL byte")
    clean = os.path.normpath(path)
    _refuse(clean)
    try:
        real = os.path.realpath(clean, strict=True)
        _refuse(real)
        if not modes.S_ISDIR(os.lstat(real).st_mode):
            raise problem("INVALID_ROOT", "", f"{quote(path)} is not a directory")
        os.close(os.open(real, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.ENOENT and may_be_missing:
            return clean, True
        raise _explained(path, error) from error
    return real, False


def _refuse(path: str) -> None:
    if path == "/":
        raise problem("INVALID_ROOT", "", "/ is everything there is; name a directory below it")
    for top in _REFUSED:
        if path == top or below(top, path):
            raise problem(
                "INVALID_ROOT", "", f"{quote(path)} belongs to {top}, whose files are not on a disk"
            )


def _explained(path: str, error: OSError) -> ObbyError:
    if error.errno == errno.ENOTDIR:
        return problem("INVALID_ROOT", "", f"{quote(path)} leads through what is not a directory")
    reason = "INVALID_ROOT"
    if gone(error):
        reason = "ROOT_MISSING"
    elif isinstance(error, PermissionError):
        reason = "ROOT_UNREADABLE"
    return problem(reason, "", f"{quote(path)}: {error.strerror}")
