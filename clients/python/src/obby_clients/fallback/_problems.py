"""Every error of the fallbacks, with the class and the reason that the services give.

A caller, and the code that decides what an error means, tells them apart by
`reason`, which is the services' own constant.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from ..errors import (
    AbortedError,
    AlreadyExistsError,
    FailedPreconditionError,
    FieldViolation,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ObbyError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnavailableError,
)

__all__ = ["EXHAUSTED", "Stale", "domain", "field", "gone", "passes", "problem"]

_RETRY_AFTER = timedelta(seconds=1)

# Reason: class of the error, field of the request that is at fault, sentence.
_ROWS: dict[str, tuple[type[ObbyError], str, str]] = {
    "INVALID_PATH": (InvalidArgumentError, "path", "not a path of a file"),
    "NOT_A_REGULAR_FILE": (InvalidArgumentError, "path", "not a regular file"),
    "NOT_A_ROOT": (InvalidArgumentError, "path", "not a configured root"),
    "OUTSIDE_ROOTS": (PermissionDeniedError, "", "outside the configured roots"),
    "UNREADABLE": (PermissionDeniedError, "", "cannot be read"),
    "READ_FAILED": (UnavailableError, "", "could not be read this time"),
    "NEVER_RECORDED": (NotFoundError, "", "does not exist and was never recorded"),
    "FILE_NOT_FOUND": (NotFoundError, "", "file does not exist"),
    "VERSION_NOT_FOUND": (NotFoundError, "", "no such version"),
    "NO_POLICY": (
        FailedPreconditionError,
        "",
        "no retention policy: give rules or max_bytes, or start the service with --retain",
    ),
    "NOTHING_THEN": (NotFoundError, "", "nothing was there"),
    "IN_THE_WAY": (
        FailedPreconditionError,
        "",
        "what is there would be lost: move it away first",
    ),
    "CONTENT_NOT_STORED": (FailedPreconditionError, "", "the content is not stored"),
    "ROOT_WAITING": (FailedPreconditionError, "", "the root is missing or was replaced"),
    "FILE_KEEPS_CHANGING": (
        AbortedError,
        "",
        "keeps changing while it is read; try again when it rests",
    ),
    "DIFF_TOO_LARGE": (
        ResourceExhaustedError,
        "",
        "the diff is too large for one answer: compare smaller contents",
    ),
    "DISK_FULL": (ResourceExhaustedError, "", "the disk or the database is full"),
    "DATABASE_BUSY": (UnavailableError, "", "the database is locked by another program"),
    "DATABASE_REPLACED": (
        UnavailableError,
        "",
        "the file was replaced or removed while it was in use, so nothing of this call is"
        " recorded: call again, which uses the file that is there then",
    ),
    "STOPPING": (
        UnavailableError,
        "",
        "the service is stopping; call again for what was not answered",
    ),
    # of the file-watcher
    "INVALID_ROOT": (InvalidArgumentError, "path", "this root cannot be watched"),
    "INVALID_PATTERN": (InvalidArgumentError, "patterns", "this pattern cannot be used"),
    "INVALID_RESUME_TOKEN": (
        InvalidArgumentError,
        "resume_token",
        "this service never made this resume token",
    ),
    "ROOT_MISSING": (NotFoundError, "", "this root is missing"),
    "ROOT_UNREADABLE": (PermissionDeniedError, "", "this root cannot be read"),
    "WATCH_NOT_FOUND": (NotFoundError, "", "no such watch"),
    # of the sse-hub
    "DATA_TOO_LARGE": (ResourceExhaustedError, "", "data is too large"),
    "SUBSCRIBER_REPLACED": (
        AlreadyExistsError,
        "",
        "the same client has subscribed again: this stream is replaced by the newer one",
    ),
}

EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that say nothing of a file: it is the machine that has too much in hand."""


class Stale(Exception):  # noqa: N818 (it is no error: the step is made anew)
    """The head has moved on since the step was made."""


def problem(reason: str, subject: str = "", more: str = "") -> ObbyError:
    """Return the error of a reason: `subject: sentence: more`, each where there is one."""
    kind, at_fault, sentence = _ROWS[reason]
    message = ": ".join(filter(None, (subject, sentence, more)))
    error = kind(message)
    error.reason = reason
    if at_fault:
        error.field_violations = (FieldViolation(at_fault, message),)
    if kind is UnavailableError:
        error.retry_delay = _RETRY_AFTER
    return error


def field(name: str, description: str) -> InvalidArgumentError:
    """Return the error for a field of a request that is not usable."""
    error = InvalidArgumentError(f"{name}: {description}")
    error.reason = "INVALID_FIELD"
    error.field_violations = (FieldViolation(name, description),)
    return error


def gone(error: OSError) -> bool:
    """Tell whether an error says that nothing is at a path; no other means a deletion."""
    return error.errno in {errno.ENOENT, errno.ENOTDIR}


def passes(error: BaseException) -> bool:
    """Tell whether an error goes away by itself, so that the same call is worth waiting for."""
    if isinstance(error, ObbyError):
        cause = error.__cause__
        return error.reason in {"DATABASE_BUSY", "DISK_FULL"} or (
            isinstance(cause, OSError) and cause.errno in EXHAUSTED
        )
    return isinstance(error, OSError) and error.errno in EXHAUSTED


# By SQLite's result code (Python 3.11 and later tell it) and by its sentence.
_BUSY = {5, 6, 15}, ("database is locked", "table is locked", "locking protocol")
_FULL = {13}, ("database or disk is full",)


def _is(error: sqlite3.Error, codes: set[int], sentences: tuple[str, ...]) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in codes
    return any(sentence in str(error) for sentence in sentences)


@contextmanager
def domain(log: Callable[..., None]) -> Iterator[None]:
    """Turn what the system and SQLite raise into typed errors; log what nobody expects."""
    try:
        yield
    except sqlite3.Error as error:
        if _is(error, *_BUSY):
            raise problem("DATABASE_BUSY", more=str(error)) from error
        if _is(error, *_FULL):
            raise problem("DISK_FULL", more=f"free some space ({error})") from error
        log("call met an unexpected error: %s", error)
        raise _internal() from error
    except OSError as error:
        log("call met an unexpected error: %s", error)
        raise _internal() from error


def _internal() -> InternalError:
    error = InternalError("internal error; the log has the cause")
    error.reason = "INTERNAL"
    return error
