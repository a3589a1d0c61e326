"""The parameters that several operations have."""

from __future__ import annotations

import base64
import binascii
import itertools
import os
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Optional, TypeVar

from fastapi import Query, Request, Response

from ..query import ChangeType
from ..values import OpenEnum
from ._errors import bad
from ._models import dumped, names

__all__ = [
    "COOKIE",
    "MAX_ID",
    "Window",
    "aware",
    "client_id",
    "diff_filter",
    "member",
    "path_of",
    "window",
]

E = TypeVar("E", bound=OpenEnum)

COOKIE = "obby_client"
"""The cookie that keeps a browser on its side of the rollout."""

MAX_ID = 2**63 - 1
"""The largest identifier that the database can have given."""

_CHANGE_TYPES = ", ".join(names(ChangeType))


def client_id(
    request: Request,
    response: Response,
    client_id: Optional[str] = Query(
        None,
        max_length=128,
        description="A name of the client that stays the same, by which the side that"
        f" answers is chosen. Default: the cookie `{COOKIE}`, which is set where there is none.",
    ),
) -> str | None:
    """Return what decides about this client's side of a partial rollout."""
    known = client_id or request.cookies.get(COOKIE)
    if not known:
        response.set_cookie(COOKIE, str(uuid.uuid4()), httponly=True, samesite="lax")
    return known or None


@dataclass(frozen=True)
class Window:
    """Which part of a list is wanted."""

    offset: int
    limit: int

    @property
    def reach(self) -> int:
        """How many items are to be asked for: one more tells whether there are more."""
        return self.offset + self.limit + 1

    async def of(self, items: AsyncIterator[Any]) -> dict[str, Any]:
        """Return that part as JSON has it."""
        numbers = itertools.count()
        found = [item async for item in items if next(numbers) >= self.offset]
        more = len(found) > self.limit
        return {
            "items": dumped(found[: self.limit]),
            "next_offset": self.offset + self.limit if more else None,
        }


def window(
    offset: int = Query(0, ge=0, le=100_000, description="Items to leave out at the beginning."),
    limit: int = Query(50, ge=1, le=1_000, description="Most items to return."),
) -> Window:
    """Return the part of a list that a request wants."""
    return Window(offset, limit)


def path_of(
    path: Optional[str] = Query(None, description="The absolute path."),
    raw_path: Optional[str] = Query(
        None, description="Instead of it its exact bytes in base64, where they are not UTF-8."
    ),
) -> str:
    """Return the path that a request is about."""
    if raw_path is not None:
        try:
            return os.fsdecode(base64.b64decode(raw_path, validate=True))
        except (binascii.Error, ValueError) as error:
            raise bad("raw_path", f"{raw_path!r} is not base64") from error
    if not path:
        raise bad("path", "is missing: give the absolute path, or raw_path")
    return path


def aware(name: str, when: datetime | None) -> datetime | None:
    """Return a time that says which zone it is of."""
    if when is not None and when.tzinfo is None:
        raise bad(name, "it needs a zone, such as 2026-01-31T12:00:00Z or …+01:00 (+ as %2B)")
    return when


def member(name: str, kind: type[E], value: str) -> E:
    """Return the member of an enum that has a name in JSON."""
    found = kind.__members__.get(value.upper())
    if not found:
        raise bad(name, f"{value!r} is not one of {', '.join(names(kind))}")
    return found


def diff_filter(
    path_prefix: Optional[str] = Query(
        None, description="Only paths that are this one or below it."
    ),
    path_glob: str = Query(
        "", description="Only paths like this pattern, as in `.obbywatch`: `*.md`."
    ),
    change_type: list[str] = Query(
        [], description=f"Only steps of these types; repeatable: {_CHANGE_TYPES}."
    ),
) -> dict[str, Any]:
    """Return what leaves steps out, as arguments of a call."""
    return {
        "path_prefix": path_prefix,
        "path_glob": path_glob,
        "change_types": [member("change_type", ChangeType, value) for value in change_type],
    }
