"""Everything that a call can raise.

`ObbyError` is the root; its subclasses are the gRPC status codes that a caller
may want to tell apart. An argument that no request can carry (a wrong type, a
naive datetime, a number that does not fit) raises Python's own TypeError or
ValueError, before anything is sent. Nothing here needs grpcio or protobuf: the
Python side raises the same errors where neither is installed.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "CancelledError",
    "ClosedError",
    "DeadlineError",
    "FailedPreconditionError",
    "FieldViolation",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "ObbyError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "ResourceExhaustedError",
    "StatusCode",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
]


class StatusCode(enum.IntEnum):
    """The gRPC status codes, by their numbers and the names that grpcio has for them."""

    OK = 0
    """No error."""
    CANCELLED = 1
    """The call was cancelled."""
    UNKNOWN = 2
    """The server failed, and said nothing more."""
    INVALID_ARGUMENT = 3
    """The request is wrong, whatever the server's state."""
    DEADLINE_EXCEEDED = 4
    """The time for the call was over."""
    NOT_FOUND = 5
    """What the request names does not exist."""
    ALREADY_EXISTS = 6
    """What the request would make exists."""
    PERMISSION_DENIED = 7
    """The server may not, or will not."""
    RESOURCE_EXHAUSTED = 8
    """A limit was met."""
    FAILED_PRECONDITION = 9
    """The server's state does not allow it."""
    ABORTED = 10
    """Lost against something concurrent."""
    OUT_OF_RANGE = 11
    """Beyond what exists."""
    UNIMPLEMENTED = 12
    """The server does not know the call."""
    INTERNAL = 13
    """The server failed."""
    UNAVAILABLE = 14
    """The server cannot be reached or is not ready."""
    DATA_LOSS = 15
    """Data is lost or damaged."""
    UNAUTHENTICATED = 16
    """The server wants to know who is calling."""


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request."""

    field: str
    """Name of the field, in the words of the contract."""
    description: str
    """What is wrong with it."""


class ObbyError(Exception):
    """A call did not succeed; the subclass says in which way."""

    code: StatusCode = StatusCode.UNKNOWN
    """The status code."""
    message: str
    """One sentence for people."""
    reason: str = ""
    """The server's constant for this error, such as `ROOT_REPLACED`; may be empty."""
    metadata: Mapping[str, str] = {}
    """The variables of the message, by name."""
    field_violations: tuple[FieldViolation, ...] = ()
    """The fields at fault, where the request was wrong."""
    retry_delay: timedelta | None = None
    """How long to wait before the call is worth repeating, where the server knows."""
    request_id: str = ""
    """The `x-request-id` of the call, to find it in the server's log."""

    def __init__(self, message: str, *, code: StatusCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({': '.join(filter(None, (self.code.name, self.reason)))})"


class CancelledError(ObbyError):
    """The call was cancelled, by the server or by closing its client."""

    code = StatusCode.CANCELLED


class ClosedError(CancelledError):
    """The client is closed."""


class InternalError(ObbyError):
    """The server failed (INTERNAL, UNKNOWN or DATA_LOSS)."""

    code = StatusCode.INTERNAL


class InvalidArgumentError(ObbyError):
    """The request is wrong whatever the server's state; see `field_violations`."""

    code = StatusCode.INVALID_ARGUMENT


class DeadlineError(ObbyError):
    """The time for the call was over. What it was to do may have been done."""

    code = StatusCode.DEADLINE_EXCEEDED


class NotFoundError(ObbyError):
    """What the request names does not exist."""

    code = StatusCode.NOT_FOUND


class AlreadyExistsError(ObbyError):
    """What the request would make exists already."""

    code = StatusCode.ALREADY_EXISTS


class PermissionDeniedError(ObbyError):
    """The server may not, or will not, touch what the request names."""

    code = StatusCode.PERMISSION_DENIED


class ResourceExhaustedError(ObbyError):
    """A limit was met: message size, disk space, watches."""

    code = StatusCode.RESOURCE_EXHAUSTED


class FailedPreconditionError(ObbyError):
    """The server's state does not allow the call, and repeating it will not help."""

    code = StatusCode.FAILED_PRECONDITION


class AbortedError(ObbyError):
    """The call lost against something concurrent; repeat it from its beginning."""

    code = StatusCode.ABORTED


class OutOfRangeError(ObbyError):
    """The request goes beyond what exists."""

    code = StatusCode.OUT_OF_RANGE


class UnimplementedError(ObbyError):
    """The server does not know this call: it is older than the client."""

    code = StatusCode.UNIMPLEMENTED


class UnavailableError(ObbyError):
    """The server cannot be reached or is not ready; repeating the call may help."""

    code = StatusCode.UNAVAILABLE


class UnauthenticatedError(ObbyError):
    """The server wants to know who is calling."""

    code = StatusCode.UNAUTHENTICATED
