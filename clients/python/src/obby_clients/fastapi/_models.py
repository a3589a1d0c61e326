"""The JSON forms of the clients' values, made from those values themselves.

A value's pydantic model has its fields, types and descriptions, which are written
once, with the dataclass. What JSON cannot say is put in another form, the same as in
the events (docs/events.md): identifiers are strings, because a browser's numbers lose
digits above 2^53; a path that is not UTF-8 is shown with U+FFFD and has its exact
bytes in `raw_path`; enums are lower-case names.
"""

from __future__ import annotations

import ast
import base64
import functools
import inspect
import itertools
import os
import textwrap
import types
import typing
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from typing import Any, Optional

from pydantic import BaseModel, Field, create_model

from ..errors import ObbyError
from ..values import OpenEnum

__all__ = ["Failure", "dumped", "model", "page", "raw", "shown"]

Model = type[BaseModel]

# How a dataclass is called in the API where another of the same name is there too.
_NAMES = {"tracker.Version": "TrackedVersion", "hub.Event": "HubEvent"}


class Violation(BaseModel):
    """What is wrong with one field of a request."""

    field: str = Field(description="Name of the field.")
    description: str = Field(description="What is wrong with it.")


class Failure(BaseModel):
    """Why a call did not succeed."""

    code: str = Field(description="The gRPC status code, such as `NOT_FOUND`.")
    message: str = Field(description="One sentence for people.")
    reason: str = Field("", description="Constant of this error, such as `ROOT_WAITING`; or empty.")
    metadata: dict[str, str] = Field({}, description="The variables of the message, by name.")
    field_violations: list[Violation] = Field([], description="The fields at fault.")
    retry_delay: Optional[float] = Field(
        None, description="Seconds to wait before the call is worth repeating."
    )
    request_id: str = Field("", description="The `x-request-id` of the call, for the logs.")


@functools.cache
def model(cls: type) -> Model:
    """Return the pydantic model of a value's class."""
    notes = _notes(cls)
    hints = typing.get_type_hints(cls)
    made: dict[str, Any] = {}
    for field in fields(cls):
        hint, optional = _bare(hints[field.name])
        made[field.name] = _field(_json_type(field.name, hint), optional, notes.get(field.name))
        if _is_path(field.name, hint):
            made[_raw_name(field.name)] = _field(
                str, True, f"Exact bytes of `{field.name}` in base64; null where they are UTF-8."
            )
        elif hint is bytes:
            made[f"{field.name}_base64"] = _field(
                str, True, f"`{field.name}` in base64 where it is not UTF-8."
            )
    area = cls.__module__.split(".")[1]
    name = _NAMES.get(f"{area}.{cls.__name__}", cls.__name__)
    result: Model = create_model(name, __module__=__name__, **made)
    result.__doc__ = cls.__doc__
    return result


@functools.cache
def page(cls: type) -> Model:
    """Return the model of a part of a list of values."""
    kind: Any = list[model(cls)]  # type: ignore[misc]
    return create_model(
        f"{model(cls).__name__}List",
        __module__=__name__,
        items=(kind, Field(description="The items.")),
        next_offset=(
            Optional[int],
            Field(description="The `offset` of what follows; null: there is nothing more."),
        ),
    )


def dumped(value: Any) -> Any:
    """Return the JSON form of a value; what `model` describes."""
    if isinstance(value, ObbyError):
        return failure(value)
    if is_dataclass(value):
        return _dumped(value)
    if isinstance(value, OpenEnum):
        return value.name.lower()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (tuple, list)):
        return [dumped(item) for item in value]
    return shown(value) if isinstance(value, str) else value


def failure(error: ObbyError) -> dict[str, Any]:
    """Return the JSON form of an error; what `Failure` describes."""
    return {
        "code": error.code.name,
        "message": shown(error.message),
        "reason": error.reason,
        "metadata": {key: shown(value) for key, value in error.metadata.items()},
        "field_violations": [
            {"field": item.field, "description": shown(item.description)}
            for item in error.field_violations
        ],
        "retry_delay": error.retry_delay and error.retry_delay.total_seconds(),
        "request_id": error.request_id,
    }


def shown(path: str) -> str:
    """Return a text that JSON can carry: U+FFFD where bytes are not UTF-8."""
    return os.fsencode(path).decode("utf-8", "replace")


def raw(path: str) -> str | None:
    """Return a path's exact bytes in base64; None where `shown` tells them."""
    exact = os.fsencode(path)
    try:
        exact.decode()
    except UnicodeDecodeError:
        return base64.b64encode(exact).decode()
    return None


def _dumped(value: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, hint, is_path, is_id in _plan(type(value)):  # type: ignore[arg-type]
        item = getattr(value, name)
        if is_path:
            made[name] = None if item is None else shown(item)
            made[_raw_name(name)] = None if item is None else raw(item)
        elif is_id:
            made[name] = None if item is None else str(item)
        elif hint is bytes:
            made[name], made[f"{name}_base64"] = _content(item)
        else:
            made[name] = dumped(item)
    return made


def _content(data: bytes) -> tuple[str | None, str | None]:
    try:
        return data.decode(), None
    except UnicodeDecodeError:
        return None, base64.b64encode(data).decode()


@functools.cache
def _plan(cls: type) -> list[tuple[str, Any, bool, bool]]:
    plan = []
    for name, hint in typing.get_type_hints(cls).items():
        bare, _ = _bare(hint)
        plan.append((name, bare, _is_path(name, bare), _is_id(name, bare)))
    return plan


def _bare(hint: Any) -> tuple[Any, bool]:
    """Return a type without its None, and whether it had one."""
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        (inner,) = (arg for arg in typing.get_args(hint) if arg is not type(None))
        return inner, True
    return hint, False


def _field(kind: Any, optional: bool, note: str | None) -> tuple[Any, Any]:
    if optional:
        return Optional[kind], Field(None, description=note)
    return kind, Field(description=note)


# What JSON has for what a value has; the rest is itself, or a model.
_JSON: dict[Any, Any] = {bytes: Optional[str], timedelta: float}
_ITSELF = {str, int, float, bool, datetime, date}


def _json_type(name: str, hint: Any) -> Any:
    if _is_id(name, hint):
        return str
    if typing.get_origin(hint) is tuple:
        return list[_json_type("", typing.get_args(hint)[0])]  # type: ignore[misc]
    if hint in _JSON or hint in _ITSELF:
        return _JSON.get(hint, hint)
    if is_dataclass(hint):
        return model(hint)  # type: ignore[arg-type]
    if issubclass(hint, (OpenEnum, ObbyError)):
        return str if issubclass(hint, OpenEnum) else Failure
    raise TypeError(f"no JSON form for {name}: {hint}")


def _is_path(name: str, hint: Any) -> bool:
    return hint is str and (name == "path" or name.endswith("_path"))


def _is_id(name: str, hint: Any) -> bool:
    return hint is int and name.endswith("_id")


def _raw_name(name: str) -> str:
    return f"raw_{name}"


def _notes(cls: type) -> dict[str, str]:
    """Return the docstrings of a class's fields; none where there is no source."""
    try:
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    except (OSError, TypeError):
        return {}
    body = typing.cast(ast.ClassDef, tree).body
    notes: dict[str, str] = {}
    for before, after in itertools.pairwise(body):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            notes[before.target.id] = " ".join(str(after.value.value).split())
    return notes


def names(members: Iterable[OpenEnum]) -> list[str]:
    """Return the names that an enum's members have in JSON."""
    return [member.name.lower() for member in members if member]
