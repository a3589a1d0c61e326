"""Every error of the query service, with the code and the reason that the Go service gives."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from ...errors import (
    FailedPreconditionError,
    InternalError,
    NotFoundError,
    ObbyError,
    ResourceExhaustedError,
    StatusCode,
    UnavailableError,
)

__all__ = ["failed", "of_sqlite"]

_RETRY_AFTER = timedelta(seconds=1)

_ROWS: dict[str, tuple[type[ObbyError], str]] = {
    "DATABASE_UNAVAILABLE": (UnavailableError, "no usable database"),
    "DATABASE_BUSY": (
        UnavailableError,
        "the database is locked by another process: try again",
    ),
    "DATABASE_DAMAGED": (
        InternalError,
        "the database is damaged: restore it from a backup",
    ),
    "PATH_NOT_FOUND": (NotFoundError, "the path was never recorded"),
    "VERSION_NOT_FOUND": (NotFoundError, "no such version"),
    "CONTENT_NOT_KEPT": (
        FailedPreconditionError,
        "the content was not kept: the file was too large, or the row has none",
    ),
    "CONTENT_TOO_LARGE": (
        ResourceExhaustedError,
        "the content is larger than a message may be",
    ),
    "CONTENT_BINARY": (
        FailedPreconditionError,
        "the content is binary: it has no lines to compare",
    ),
    "DIFF_TOO_LARGE": (
        ResourceExhaustedError,
        "the diff is larger than a message may be: ask with fewer context_lines, or for the"
        " contents",
    ),
    "NO_SEARCH_INDEX": (
        FailedPreconditionError,
        "the database has no search index yet: run the content-tracker on it once",
    ),
}


def failed(reason: str, more: str = "") -> ObbyError:
    """Return the error of a reason, with its sentence and what there is to add."""
    kind, sentence = _ROWS[reason]
    code = StatusCode.DATA_LOSS if reason == "DATABASE_DAMAGED" else None
    error = kind(": ".join(filter(None, (sentence, more))), code=code)
    error.reason = reason
    if kind is UnavailableError:
        error.retry_delay = _RETRY_AFTER
    return error


# SQLite's sentences: its codes are there from Python 3.11 on.
_BUSY = ("database is locked", "table is locked", "locking protocol")
_DAMAGED = ("disk image is malformed", "file is not a database")
_UNUSABLE = (
    "unable to open database file",
    "readonly database",
    "disk I/O error",
    "access permission denied",
    "not authorized",
)


def of_sqlite(error: sqlite3.Error) -> ObbyError | None:
    """Return what an error of SQLite means to the one who asked; None: a mistake of ours."""
    text = str(error)
    for reason, sentences in (
        ("DATABASE_BUSY", _BUSY),
        ("DATABASE_DAMAGED", _DAMAGED),
        ("DATABASE_UNAVAILABLE", _UNUSABLE),
    ):
        if any(sentence in text for sentence in sentences):
            return failed(reason, text)
    return None
