"""Between messages and Python's values.

The declaration of a dataclass is also the description of how it is read from its
message: each field is the message's field of the same name, converted to the
type that is declared. `X | None` is None where the message leaves the field
unset, or where the contract says so by its zero value. A path is read together
with the `raw_` bytes beside it. A test compares every dataclass with its message.
"""

from __future__ import annotations

import functools
import operator
import os
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from .values import AnyPath, OpenEnum

__all__ = ["decode", "duration", "number", "numbers", "put_path", "timestamp"]

T = TypeVar("T")
_Reader = Callable[[Any], Any]
_READERS: dict[tuple[type, type[Message], tuple[str, ...]], list[_Reader]] = {}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def decode(cls: type[T], message: Message, **given: Any) -> T:
    """Read a dataclass from its message, all but the fields that are given."""
    key = cls, type(message), tuple(given)
    readers = _READERS.get(key) or _READERS.setdefault(key, _readers(*key))
    if not given:
        return cls(*[read(message) for read in readers])
    names = [field.name for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    return cls(**{name: read(message) for name, read in zip(names, readers, strict=True)}, **given)


def put_path(message: Message, field: str, path: AnyPath | None) -> None:
    """Set `field` to a path, or its `raw_` neighbour where the path is not UTF-8."""
    if path is None:
        return
    raw = os.fsencode(path)
    try:
        setattr(message, field, raw.decode())
    except UnicodeDecodeError:
        setattr(message, f"raw_{field}", raw)


def timestamp(when: datetime | None) -> Timestamp | None:
    """Return the message for an aware datetime."""
    if when is None:
        return None
    if when.utcoffset() is None:
        raise ValueError(f"{when!r} has no time zone")
    since = when - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def duration(span: timedelta | None) -> Duration | None:
    """Return the message for a timedelta."""
    if span is None:
        return None
    message = Duration()
    message.FromTimedelta(span)
    return message


def number(value: OpenEnum | None) -> Any:
    """Return the number of an enum's value; the generated types want their own, hence Any."""
    return None if value is None else int(value)


def numbers(values: Iterable[OpenEnum]) -> Any:
    """Return the numbers of an enum's values."""
    return [int(value) for value in values]


def _readers(cls: type, message: type[Message], given: tuple[str, ...]) -> list[_Reader]:
    hints = typing.get_type_hints(cls)
    names = (field.name for field in fields(cls) if field.name not in given)
    return [_reader(message, name, hints[name]) for name in names]


def _reader(message: type[Message], name: str, hint: Any) -> _Reader:
    get = _getter(message, name)
    if typing.get_origin(hint) is tuple:
        each = _converter(typing.get_args(hint)[0])
        return lambda m: tuple(map(each, get(m)))
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        convert = _converter(hint)
        return get if convert is _same else lambda m: convert(get(m))
    (inner,) = (arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    convert = _converter(inner)
    if message.DESCRIPTOR.fields_by_name[name].has_presence:
        return lambda m: convert(get(m)) if m.HasField(name) else None
    return lambda m: convert(value) if (value := get(m)) else None


def _getter(message: type[Message], name: str) -> _Reader:
    if f"raw_{name}" in message.DESCRIPTOR.fields_by_name:
        return lambda m: os.fsdecode(getattr(m, f"raw_{name}") or getattr(m, name).encode())
    if name not in message.DESCRIPTOR.fields_by_name:
        raise TypeError(f"{message.DESCRIPTOR.full_name} has no field {name}")
    return operator.attrgetter(name)


def _converter(hint: type) -> _Reader:
    if hint is datetime:
        return _datetime
    if hint is timedelta:
        return lambda m: timedelta(seconds=m.seconds, microseconds=m.nanos // 1_000)
    if hint is date:
        return lambda text: date.fromisoformat(text) if text else date.min
    if is_dataclass(hint):
        return functools.partial(decode, hint)
    if issubclass(hint, OpenEnum):
        members = hint._value2member_map_  # an enum's own call takes five times as long
        return lambda value: members.get(value) or hint(value)
    return _same


def _same(value: Any) -> Any:
    return value


def _datetime(message: Timestamp) -> datetime:
    try:
        return _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1_000)
    except OverflowError:
        # A file's time may lie outside of Python's years 1 to 9999; one such
        # file must not end a stream.
        end = datetime.max if message.seconds > 0 else datetime.min
        return end.replace(tzinfo=timezone.utc)
