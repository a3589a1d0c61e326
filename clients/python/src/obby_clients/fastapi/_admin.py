"""The operator's operations: what the flags say, and changing them while all runs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, Optional

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from ..errors import FailedPreconditionError
from ..flags import DamagedError, FlagsAdmin, Service
from ..flags.show import explain, status
from ..flags.source import EVERY
from ._dependencies import State, get_state
from ._errors import bad, router_of
from ._models import dumped

__all__ = ["admin_router"]

_SAY = (
    'to take the rollback back, send {"on": false} as application/json; to roll back, send no body'
)

_ROLLBACK = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "properties": {
                        "on": {
                            "type": "boolean",
                            "default": True,
                            "description": "False takes the rollback back.",
                        }
                    },
                }
            }
        }
    }
}


class Explanation(BaseModel):
    """Where a call about a subject goes by the flags, and why."""

    service: str = Field(description="The service.")
    backend: str = Field(description="`go` or `python`.")
    reason: str = Field(description="Constant of the rule that decided.")
    openfeature_reason: str = Field(description="The reason that OpenFeature has for it.")
    because: str = Field(description="The reason as a sentence.")
    bucket: Optional[int] = Field(None, description="The subject's bucket, 0 to 9,999.")
    percentage: Optional[str] = Field(None, description="The percentage in force.")


class NewValue(BaseModel):
    """What a flag is to be set to."""

    value: Optional[str] = Field(..., description="Its value; null takes it out of the flags file.")


def admin_router(*, dependencies: Sequence[Any]) -> APIRouter:
    """Return the operations below `/go`, for a host to mount.

    `dependencies` decide who may call them: `[Depends(check)]`, where `check` raises
    UnauthenticatedError or PermissionDeniedError for everybody else. They are not
    optional: whoever may call these decides what runs.

    Raises ValueError if there are none.
    """
    if not dependencies:
        raise ValueError(
            "admin_router needs dependencies=[Depends(…)] that decide who may change the flags"
        )
    router = router_of("flags", prefix="/go", dependencies=list(dependencies))
    _reads(router)
    _writes(router)
    return router


def _reads(router: APIRouter) -> None:
    @router.get("/flags", summary="Show every flag")
    def flags(obby: State = Depends(get_state)) -> dict[str, Any]:
        """Show each variable, where its value is from, and what follows from it."""
        return status(obby.flags)

    @router.get("/flags/explain", response_model=Explanation, summary="Explain a decision")
    def explanation(
        service: str = Query(description="`watcher`, `tracker`, `query` or `hub`."),
        subject: Optional[str] = Query(None, description="Root, path or client id."),
        obby: State = Depends(get_state),
    ) -> Any:
        """Say where a call goes by the flags, and why; health is not looked at."""
        try:
            named = Service.named(service)
        except ValueError as error:
            raise bad("service", str(error)) from error
        return explain(obby.flags, named, subject)

    @router.get("/health", summary="Show what answers")
    def health(obby: State = Depends(get_state)) -> dict[str, str]:
        """Show each Go service's breaker: `closed`, `open`, `half-open`, or `unused`."""
        return obby.router.health()

    @router.get("/shadow/mismatches", summary="Show where the sides differed")
    def mismatches(obby: State = Depends(get_state)) -> dict[str, Any]:
        """Show this process's newest differences between Go and Python, oldest first.

        Answers to reads are compared for OBBY_SHADOW_PERCENTAGE of the subjects.
        """
        return {"items": dumped(obby.router.router.shadow.differences())}


def _writes(router: APIRouter) -> None:
    @router.put("/flags/{name}", summary="Set a flag")
    async def put(
        name: str = Path(description="The variable, such as `USE_GO_QUERY_SERVICE`."),
        new: NewValue = Body(),
        obby: State = Depends(get_state),
    ) -> dict[str, Any]:
        """Write a flag to the flags file; every process follows within a second."""
        return await _changed(obby, lambda admin: admin.set({name: new.value}))

    @router.post("/rollback", summary="Everything to Python", openapi_extra=_ROLLBACK)
    async def rollback(
        on: bool = Depends(_rollback_wanted), obby: State = Depends(get_state)
    ) -> dict[str, Any]:
        """Turn everything to Python within a second; `{"on": false}` takes that back.

        A request that may mean something else than it says is refused.
        """
        return await _changed(obby, lambda admin: admin.rollback(on))


async def _rollback_wanted(request: Request) -> bool:
    """Return what a request to roll back says: on, unless its body is `{"on": false}`.

    FastAPI would pass over a parameter, field or body that it does not know, and so
    roll back where somebody wants the contrary.
    """
    body = await request.body()
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if request.query_params:
        raise bad(next(iter(request.query_params)), f"is no parameter: {_SAY}")
    if not body.strip():
        return True
    if kind != "application/json":
        raise bad("Content-Type", f"{kind!r} is not application/json: {_SAY}")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise bad("body", f"is not JSON: {_SAY}") from error
    if not isinstance(said, dict):
        raise bad("body", f"is not an object: {_SAY}")
    if unknown := said.keys() - {"on"}:
        raise bad(min(unknown), f"is no field: {_SAY}")
    on = said.get("on", True)
    if not isinstance(on, bool):
        raise bad("on", f"{on!r} is neither true nor false: {_SAY}")
    return on


async def _changed(obby: State, change: Callable[[FlagsAdmin], None]) -> dict[str, Any]:
    """Change the flags file; return what this process then obeys."""
    await run_in_threadpool(_change, obby, change)
    await asyncio.sleep(EVERY)  # by then it has looked at the file
    return status(obby.flags)


def _change(obby: State, change: Callable[[FlagsAdmin], None]) -> None:
    try:
        admin = FlagsAdmin(obby.flags.overrides().path or None)
    except ValueError as error:
        raise FailedPreconditionError(str(error)) from error
    try:
        change(admin)
    except DamagedError as error:
        raise FailedPreconditionError(str(error)) from error
    except ValueError as error:
        raise bad("name or value", str(error)) from error
    except OSError as error:
        raise FailedPreconditionError(f"the flags file cannot be written: {error}") from error
