"""Everything that a call can raise.

`ObbyError` is the root; its subclasses are the gRPC status codes that a caller
may want to tell apart. An argument that no request can carry (a wrong type, a
naive datetime, a number that does not fit) raises Python's own TypeError or
ValueError, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message

from ._rpc_types import error_details_pb2, status_pb2
from ._wire import decode

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
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field of a request."""

    field: str
    """Name of the field, in the words of the contract."""
    description: str
    """What is wrong with it."""


class ObbyError(Exception):
    """A call did not succeed; the subclass says in which way."""

    code: grpc.StatusCode = grpc.StatusCode.UNKNOWN
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

    def __init__(self, message: str, *, code: grpc.StatusCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} ({': '.join(filter(None, (self.code.name, self.reason)))})"


class CancelledError(ObbyError):
    """The call was cancelled, by the server or by closing its client."""

    code = grpc.StatusCode.CANCELLED


class ClosedError(CancelledError):
    """The client is closed."""


class InternalError(ObbyError):
    """The server failed (INTERNAL, UNKNOWN or DATA_LOSS)."""

    code = grpc.StatusCode.INTERNAL


class InvalidArgumentError(ObbyError):
    """The request is wrong whatever the server's state; see `field_violations`."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class DeadlineError(ObbyError):
    """The time for the call was over. What it was to do may have been done."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class NotFoundError(ObbyError):
    """What the request names does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExistsError(ObbyError):
    """What the request would make exists already."""

    code = grpc.StatusCode.ALREADY_EXISTS


class PermissionDeniedError(ObbyError):
    """The server may not, or will not, touch what the request names."""

    code = grpc.StatusCode.PERMISSION_DENIED


class ResourceExhaustedError(ObbyError):
    """A limit was met: message size, disk space, watches."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class FailedPreconditionError(ObbyError):
    """The server's state does not allow the call, and repeating it will not help."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class AbortedError(ObbyError):
    """The call lost against something concurrent; repeat it from its beginning."""

    code = grpc.StatusCode.ABORTED


class OutOfRangeError(ObbyError):
    """The request goes beyond what exists."""

    code = grpc.StatusCode.OUT_OF_RANGE


class UnimplementedError(ObbyError):
    """The server does not know this call: it is older than the client."""

    code = grpc.StatusCode.UNIMPLEMENTED


class UnavailableError(ObbyError):
    """The server cannot be reached or is not ready; repeating the call may help."""

    code = grpc.StatusCode.UNAVAILABLE


class UnauthenticatedError(ObbyError):
    """The server wants to know who is calling."""

    code = grpc.StatusCode.UNAUTHENTICATED


_BY_CODE: dict[grpc.StatusCode, type[ObbyError]] = {
    **{cls.code: cls for cls in ObbyError.__subclasses__()},
    grpc.StatusCode.UNKNOWN: InternalError,
    grpc.StatusCode.DATA_LOSS: InternalError,
}
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


def from_rpc(error: grpc.RpcError, request_id: str) -> ObbyError:
    """Return the typed error for what grpcio raised, with the details it carries."""
    call = cast(grpc.Call, error)  # every RpcError of a call is one as well
    status = status_pb2.Status()
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            _parse(status, value)
    return _typed(call.code(), call.details() or "", status.details, request_id)


def from_status(status: status_pb2.Status) -> ObbyError:
    """Return the typed error for one item of a batch."""
    code = _BY_NUMBER.get(status.code, grpc.StatusCode.UNKNOWN)
    return _typed(code, status.message, status.details)


def _typed(
    code: grpc.StatusCode, message: str, details: Iterable[AnyMessage], request_id: str = ""
) -> ObbyError:
    error = _BY_CODE.get(code, ObbyError)(message, code=code)
    error.request_id = request_id
    for detail in details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            _parse(info, detail.value)
            error.reason, error.metadata = info.reason, dict(info.metadata)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest()
            _parse(request, detail.value)
            error.field_violations = tuple(
                decode(FieldViolation, violation) for violation in request.field_violations
            )
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            _parse(retry, detail.value)
            error.retry_delay = retry.retry_delay.ToTimedelta()
    return error


def _parse(message: Message, data: bytes) -> None:
    try:
        message.ParseFromString(data)
    except DecodeError:
        message.Clear()  # details that cannot be read leave the error without them
