"""What the backend answers where no operation does, in the form of every other error."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..errors import (
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ObbyError,
    PermissionDeniedError,
    UnimplementedError,
)
from ..fastapi._models import failure

__all__ = ["answer_errors", "misdirected"]


def answer_errors(app: FastAPI) -> None:
    """Answer with code and message where no route is, and where an operation is broken."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _broken)


def misdirected(name: str) -> JSONResponse:
    """Return the answer to a request for a host that this server is not."""
    error = PermissionDeniedError(
        f"{name!r} is not a name of this server: give --allow-host {name}"
    )
    return JSONResponse(failure(error), 421)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return JSONResponse(failure(_typed(request, error)), error.status_code, error.headers)


def _typed(request: Request, error: HTTPException) -> ObbyError:
    if error.status_code == 404:
        return NotFoundError(f"there is no {request.url.path}: /docs shows what there is")
    if error.status_code == 405:
        return UnimplementedError(
            f"{request.method} is not for {request.url.path}: /docs shows what there is"
        )
    return InvalidArgumentError(str(error.detail))


async def _broken(_: Request, error: Exception) -> JSONResponse:
    # The server logs the error itself.
    return JSONResponse(failure(InternalError("an internal error: the log has it")), 500)
