"""Reading a file below a root, and nothing else than that.

No symlink leads out of the root, a FIFO is never waited for, and the bytes are of
one state of one file: where the file or its name moved on meanwhile, it is read
again (tracker cases 18, 19, 27, 28).
"""

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from ..errors import ObbyError
from ._content import Content, Stat, digest
from ._paths import below, quote
from ._problems import EXHAUSTED, gone, problem

__all__ = ["explain", "is_regular", "opened_directory", "read", "stat_of"]

_TRIES = 3
# Errors of one file that pass: of a disk, of a server's, of a lease (open(2), EAGAIN).
_PASSING_OF_FILE = {errno.EIO, errno.ESTALE, errno.EAGAIN}
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def stat_of(status: os.stat_result) -> Stat:
    """Return the Stat of a file that was looked at."""
    return Stat(
        status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    )


def is_regular(path: str) -> bool:
    """Tell whether a regular file is at a path, and no symlink; errors say no."""
    try:
        return modes.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def read(root: str, path: str, limit: int, *, keep: bool = True) -> Content:
    """Return the content of a file below a root.

    Raises OSError where nothing is there (`gone`), otherwise a typed error:
    NOT_A_REGULAR_FILE, READ_FAILED, UNREADABLE, FILE_KEEPS_CHANGING.
    """
    try:
        for _ in range(_TRIES):
            with opened_directory(root, os.path.dirname(path)) as directory:
                content = _read_once(directory, os.path.basename(path), limit, keep=keep)
            if content is not None:
                return content
    except OSError as error:
        if gone(error):
            raise
        raise explain(path, error) from error
    except _IrregularError as error:
        raise problem("NOT_A_REGULAR_FILE", quote(path), str(error)) from None
    raise problem("FILE_KEEPS_CHANGING", quote(path))


def explain(path: str, error: OSError) -> ObbyError:
    """Return the typed error for what the system said of a file that is there."""
    passing = error.errno in EXHAUSTED or error.errno in _PASSING_OF_FILE
    reason = "READ_FAILED" if passing else "UNREADABLE"
    return problem(reason, quote(path), error.strerror or str(error))


class _IrregularError(Exception):
    """The name means something else than a regular file."""


@contextmanager
def opened_directory(root: str, directory: str) -> Iterator[int]:
    """Open a directory at or below the root, component by component."""
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        at = root
        for part in filter(None, directory[len(root) :].split("/")):
            at = os.path.join(at, part)
            inner = _step(root, handle, at)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _step(root: str, handle: int, at: str) -> int:
    part = os.path.basename(at)
    try:
        return os.open(part, _DIRECTORY, dir_fd=handle)
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise
        if not modes.S_ISLNK(os.stat(part, dir_fd=handle, follow_symlinks=False).st_mode):
            raise
    # A symlink took a directory's place: it may lead nowhere, or in a circle.
    target = os.path.realpath(at, strict=True)
    if target != root and not below(root, target):
        raise OSError(errno.EXDEV, "path escapes from the root")
    return os.open(target, _DIRECTORY)


def _read_once(directory: int, name: str, limit: int, *, keep: bool) -> Content | None:
    """Read what the name means now; None where it meant something else afterwards."""
    _check(os.stat(name, dir_fd=directory, follow_symlinks=False).st_mode)
    handle = os.open(name, _FILE, dir_fd=directory)
    try:
        before = os.fstat(handle)
        _check(before.st_mode)
        left = before.st_size + 1  # a file that grows for ever is not read for ever

        def piece(size: int) -> bytes:
            nonlocal left
            data = _fill(handle, min(size, left))
            left -= len(data)
            return data

        content = digest(piece, before.st_size, limit, keep=keep)
        after = stat_of(os.fstat(handle))
    finally:
        os.close(handle)
    named = stat_of(os.stat(name, dir_fd=directory, follow_symlinks=False))
    if not stat_of(before) == after == named or content.size != before.st_size:
        return None
    return replace(content, stat=after)


def _fill(handle: int, size: int) -> bytes:
    """Read so many bytes, or to the end: the first piece decides what is binary."""
    pieces = []
    while size > 0 and (data := os.read(handle, size)):
        pieces.append(data)
        size -= len(data)
    return b"".join(pieces)


def _check(mode: int) -> None:
    if not modes.S_ISREG(mode):
        raise _IrregularError(modes.filemode(mode)[0])
