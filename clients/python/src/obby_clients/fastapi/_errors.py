"""Typed errors as HTTP answers: the same code and the same details, as JSON."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from ..errors import FieldViolation, InvalidArgumentError, ObbyError, StatusCode
from ._models import Failure, failure

__all__ = ["bad", "handle_errors", "router_of"]

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

_RESPONSES: dict[int | str, dict[str, Any]] = {
    code: {"model": Failure, "description": text}
    for code, text in (
        ("default", "The call did not succeed; see `code` and `message`."),
        (400, "The request is wrong, or the state does not allow it; see `code` and `reason`."),
        (404, "What the request names does not exist."),
        (503, "Nothing can answer at present; see `retry_delay`."),
    )
}
"""What every operation may answer beside its result, for OpenAPI."""


class _Route(APIRoute):
    """Answers every ObbyError, and what FastAPI refuses as any other wrong parameter.

    It does so where the host has not called `handle_errors`; a handler of its own wins.
    """

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Any:
            try:
                return await _typed(handle, request)
            except ObbyError as error:
                _name_parameters(error)
                if _is_handled(request.app, error):
                    raise
                return await _answer(request, error)

        return checked


async def _typed(handle: Callable[[Request], Any], request: Request) -> Any:
    """Answer a request; what FastAPI itself refuses is an InvalidArgumentError."""
    try:
        return await handle(request)
    except RequestValidationError as error:
        raise _refused(error) from error
    except HTTPException as error:
        unreadable = _unreadable(error)
        if unreadable is None:
            raise
        raise unreadable from error


def _name_parameters(error: ObbyError) -> None:
    """Name what is wrong as a URL does: gRPC has the same fields in a message `filter`."""
    error.message = error.message.removeprefix("filter.")
    error.field_violations = tuple(
        FieldViolation(item.field.removeprefix("filter."), item.description)
        for item in error.field_violations
    )


def _is_handled(app: Any, error: ObbyError) -> bool:
    """Return whether the application answers such an error, or one that it is, by itself."""
    kinds = type(error).__mro__[: type(error).__mro__.index(ObbyError) + 1]
    return not app.exception_handlers.keys().isdisjoint(kinds)


def _refused(error: RequestValidationError) -> InvalidArgumentError:
    violations = [_violation(item) for item in error.errors()]
    made = bad(violations[0].field, violations[0].description)
    made.field_violations = tuple(violations)
    return made


def _violation(item: Any) -> FieldViolation:
    source, *names = item["loc"]  # `query` or `body`, then the parameter's name
    if item["type"] in _NOT_JSON:
        place = f", at character {names[0]}" if names else ""
        return FieldViolation("body", f"is not JSON{place}")
    return FieldViolation(".".join(map(str, names)) or str(source), item["msg"])


_NOT_JSON = ("json_invalid", "value_error.jsondecode")  # of pydantic 2 and 1


def _unreadable(error: HTTPException) -> InvalidArgumentError | None:
    """Return the error for a body of which FastAPI could not make any text."""
    cause = error.__cause__
    if isinstance(cause, UnicodeDecodeError):
        return bad("body", "is not UTF-8")
    return bad("body", "is nested too deeply") if isinstance(cause, RecursionError) else None


def router_of(tag: str, **options: Any) -> APIRouter:
    """Return a router whose operations answer every error with its code and details."""
    return APIRouter(tags=[tag], responses=_RESPONSES, route_class=_Route, **options)


def handle_errors(app: FastAPI) -> None:
    """Answer each ObbyError with its HTTP status, and its code and details as JSON.

    `install` does it; the routers of this package need it not.
    """
    app.add_exception_handler(ObbyError, _answer)


async def _answer(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ObbyError)
    headers = {}
    if error.retry_delay is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_delay.total_seconds()))
    if error.code is StatusCode.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(failure(error), _STATUS.get(error.code, 500), headers)


def bad(field: str, description: str) -> InvalidArgumentError:
    """Return the error for a parameter that is wrong."""
    error = InvalidArgumentError(f"{field}: {description}")
    error.reason = "INVALID_FIELD"
    error.field_violations = (FieldViolation(field, description),)
    return error
