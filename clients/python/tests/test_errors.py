"""Every status becomes its own exception, with what the server says about it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage

import obby_clients as oc
from obby_clients._rpc_types import error_details_pb2, status_pb2
from obby_clients._status import from_status

from .conftest import Server

CODES = {
    oc.StatusCode.ABORTED: oc.AbortedError,
    oc.StatusCode.ALREADY_EXISTS: oc.AlreadyExistsError,
    oc.StatusCode.CANCELLED: oc.CancelledError,
    oc.StatusCode.DATA_LOSS: oc.InternalError,
    oc.StatusCode.DEADLINE_EXCEEDED: oc.DeadlineError,
    oc.StatusCode.FAILED_PRECONDITION: oc.FailedPreconditionError,
    oc.StatusCode.INTERNAL: oc.InternalError,
    oc.StatusCode.INVALID_ARGUMENT: oc.InvalidArgumentError,
    oc.StatusCode.NOT_FOUND: oc.NotFoundError,
    oc.StatusCode.OUT_OF_RANGE: oc.OutOfRangeError,
    oc.StatusCode.PERMISSION_DENIED: oc.PermissionDeniedError,
    oc.StatusCode.RESOURCE_EXHAUSTED: oc.ResourceExhaustedError,
    oc.StatusCode.UNAUTHENTICATED: oc.UnauthenticatedError,
    oc.StatusCode.UNAVAILABLE: oc.UnavailableError,
    oc.StatusCode.UNIMPLEMENTED: oc.UnimplementedError,
    oc.StatusCode.UNKNOWN: oc.InternalError,
}


def status(code: oc.StatusCode, *details: Any) -> Any:
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    return status_pb2.Status(code=code, message="what went wrong", details=packed)


DETAILS = (
    error_details_pb2.ErrorInfo(
        reason="ROOT_REPLACED", domain="obby.dev", metadata={"root": "/notes"}
    ),
    error_details_pb2.BadRequest(
        field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field="path", description="is relative")
        ]
    ),
    error_details_pb2.RetryInfo(retry_delay={"seconds": 1, "nanos": 500_000_000}),
)


def check(error: oc.ObbyError) -> None:
    assert error.message == "what went wrong"
    assert error.reason == "ROOT_REPLACED"
    assert error.metadata == {"root": "/notes"}
    assert error.field_violations == (oc.FieldViolation("path", "is relative"),)
    assert error.retry_delay == timedelta(seconds=1.5)


@pytest.mark.parametrize("code", [code for code in oc.StatusCode if code])
def test_every_code_has_its_class(code: oc.StatusCode) -> None:
    error = from_status(status(code, *DETAILS))
    assert type(error) is CODES[code]
    assert error.code is code
    check(error)
    assert str(error) == f"what went wrong ({code.name}: ROOT_REPLACED)"
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)


def test_a_code_of_the_future_is_unknown() -> None:
    error = from_status(status_pb2.Status(code=99, message="new"))
    assert (type(error), error.code) == (oc.InternalError, oc.StatusCode.UNKNOWN)


def test_details_of_a_call(connect: Callable[..., Any], serve: Callable[..., Server]) -> None:
    ids: list[Any] = []

    def fail(_: Any, context: grpc.ServicerContext) -> None:
        ids.extend(v for k, v in context.invocation_metadata() if k == "x-request-id")
        sent = status(oc.StatusCode.INVALID_ARGUMENT, *DETAILS).SerializeToString()
        context.set_trailing_metadata((("grpc-status-details-bin", sent),))
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "what went wrong")

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetVersionContent=fail).target)
    with pytest.raises(oc.InvalidArgumentError) as caught:
        client.version_content(1)
    check(caught.value)
    assert [caught.value.request_id] == ids
    assert isinstance(caught.value.__cause__, grpc.RpcError)


def test_details_that_cannot_be_read(
    connect: Callable[..., Any], serve: Callable[..., Server]
) -> None:
    def fail(_: Any, context: grpc.ServicerContext) -> None:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff\xff"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "no such version")

    client = connect(oc.QueryClient, serve(oc.QueryClient, GetVersionContent=fail).target)
    with pytest.raises(oc.NotFoundError, match=r"^no such version \(NOT_FOUND\)$"):
        client.version_content(1)


def test_the_codes_are_those_of_grpcio() -> None:
    ours = {(code.name, int(code)) for code in oc.StatusCode}
    assert ours == {(code.name, code.value[0]) for code in grpc.StatusCode}
