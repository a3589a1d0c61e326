"""Typed errors as HTTP answers: the same code and the same details, as JSON."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from ..errors import FieldViolation, InvalidArgumentError, ObbyError, StatusCode
from ._models import Failure, failure

__all__ = ["RESPONSES", "bad", "handle_errors"]

# The table of google.rpc.Code.
_STATUS: dict[StatusCode, int] = {
    StatusCode.CANCELLED: 499,  # the caller has gone
    StatusCode.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
    StatusCode.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
    StatusCode.NOT_FOUND: HTTPStatus.NOT_FOUND,
    StatusCode.ALREADY_EXISTS: HTTPStatus.CONFLICT,
    StatusCode.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    StatusCode.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
    StatusCode.FAILED_PRECONDITION: HTTPStatus.BAD_REQUEST,
    StatusCode.ABORTED: HTTPStatus.CONFLICT,
    StatusCode.OUT_OF_RANGE: HTTPStatus.BAD_REQUEST,
    StatusCode.UNIMPLEMENTED: HTTPStatus.NOT_IMPLEMENTED,
    StatusCode.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    StatusCode.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": Failure, "description": text}
    for code, text in (
        (400, "The request is wrong, or the state does not allow it; see `code` and `reason`."),
        (404, "What the request names does not exist."),
        (503, "Nothing can answer at present; see `retry_delay`."),
    )
}
"""What every operation may answer beside its result, for OpenAPI."""


def handle_errors(app: FastAPI) -> None:
    """Answer each ObbyError with its HTTP status, and its code and details as JSON."""
    app.add_exception_handler(ObbyError, _answer)


async def _answer(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ObbyError)
    headers = {}
    if error.retry_delay is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_delay.total_seconds()))
    return JSONResponse(failure(error), _STATUS.get(error.code, 500), headers)


def bad(field: str, description: str) -> InvalidArgumentError:
    """Return the error for a parameter that is wrong."""
    error = InvalidArgumentError(f"{field}: {description}")
    error.reason = "INVALID_FIELD"
    error.field_violations = (FieldViolation(field, description),)
    return error
