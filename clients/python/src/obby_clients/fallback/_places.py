"""Where a database may be, and what is said where none can be."""

from __future__ import annotations

import os
import sqlite3
import stat as modes
from pathlib import Path

from ..errors import FailedPreconditionError

__all__ = ["explained", "identity", "locate", "refused"]

_NO_WAL = {
    "9p": "9p, a share of the host or a Windows drive",
    "drvfs": "a Windows drive (DrvFs)",
    "nfs": "NFS, a network file system",
    "nfs4": "NFS, a network file system",
    "smb3": "SMB, a network file system",
    "smbfs": "SMB, a network file system",
    "cifs": "CIFS, a network file system",
}


def refused(message: str) -> FailedPreconditionError:
    """Return the error for a file that cannot be used until somebody acts."""
    error = FailedPreconditionError(message)
    error.reason = "DATABASE_UNUSABLE"
    return error


def identity(path: str) -> tuple[int, int] | None:
    """Return what tells a file from one that replaced it; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def locate(path: str) -> str:
    """Return the real path of the database; refuse a place where none can be."""
    file = os.path.realpath(path)
    parent = os.path.dirname(file)
    if not os.path.isdir(parent):
        raise refused(f"database {file}: its directory does not exist: create {parent}")
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        mode = modes.S_IFREG
    if modes.S_ISDIR(mode):
        raise refused(f"database {file} is a directory: name a file in it")
    if not modes.S_ISREG(mode):
        raise refused(f"database {file} is not a regular file: name another file")
    if kind := _NO_WAL.get(_filesystem(parent)):
        raise refused(
            f"database {file}: {parent} is on {kind}, where several processes cannot share an"
            " SQLite database: keep it in a directory on a local disk"
        )
    return file


def _filesystem(directory: str) -> str:
    """Return the type of the file system that a directory is on; empty where none is told."""
    try:
        mounts = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    device = os.stat(directory).st_dev
    name = f"{os.major(device)}:{os.minor(device)}"
    for fields in map(str.split, mounts):
        if fields[2] == name:
            return fields[fields.index("-") + 1]
    return ""


def explained(file: str, error: sqlite3.Error) -> FailedPreconditionError:
    """Return the error for a file that SQLite cannot open, with what to do."""
    text = str(error)
    advice = {
        "file is not a database": "the file is not an SQLite database: name another file, or move"
        " this one away",
        "database disk image is malformed": "the file is damaged: restore it from a backup",
        "database or disk is full": "the disk is full: make room on it",
        "database is locked": "another process keeps it locked: stop that process, or try again",
        "unable to open database file": "this user may not write there: grant write permission on"
        " the file, on its -wal and -shm files and on its directory",
        "attempt to write a readonly database": "this user may not write there: grant write"
        " permission on the file, on its -wal and -shm files and on its directory",
    }.get(text, "")
    return refused(f"database {file}: {': '.join(filter(None, (advice, text)))}")
