"""From gRPC statuses to the errors of `errors`, with the details that they carry."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError, Message

from ._rpc_types import error_details_pb2, status_pb2
from ._wire import decode
from .errors import FieldViolation, InternalError, ObbyError, StatusCode

__all__ = ["from_rpc", "from_status"]

_BY_CODE: dict[StatusCode, type[ObbyError]] = {
    **{cls.code: cls for cls in ObbyError.__subclasses__()},
    StatusCode.UNKNOWN: InternalError,
    StatusCode.DATA_LOSS: InternalError,
}
_NUMBERS = frozenset(map(int, StatusCode))


def from_rpc(error: grpc.RpcError, request_id: str) -> ObbyError:
    """Return the typed error for what grpcio raised, with the details it carries."""
    call = cast(grpc.Call, error)  # every RpcError of a call is one as well
    status = status_pb2.Status()
    for key, value in call.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            _parse(status, value)
    code = StatusCode(call.code().value[0])
    return _typed(code, call.details() or "", status.details, request_id)


def from_status(status: status_pb2.Status) -> ObbyError:
    """Return the typed error for one item of a batch."""
    known = status.code in _NUMBERS
    code = StatusCode(status.code) if known else StatusCode.UNKNOWN
    return _typed(code, status.message, status.details)


def _typed(
    code: StatusCode, message: str, details: Iterable[AnyMessage], request_id: str = ""
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
