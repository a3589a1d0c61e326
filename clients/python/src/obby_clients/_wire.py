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

from ._options import instance, members, moment
from .errors import InvalidArgumentError
from .values import AnyPath, OpenEnum

__all__ = ["decode", "duration", "number", "numbers", "put_path", "timestamp"]

T = TypeVar("T")
_Reader = Callable[[Any], Any]
_READERS: dict[tuple[type, type[Message], tuple[str, ...]], Callable[[Message], list[Any]]] = {}

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def decode(cls: type[T], message: Message, **given: Any) -> T:
    """Read a dataclass from its message, all but the fields that are given."""
    key = cls, type(message), tuple(given)
    values = (_READERS.get(key) or _READERS.setdefault(key, _values(*key)))(message)
    if not given:
        return cls(*values)
    names = [field.name for field in fields(cls) if field.name not in given]  # type: ignore[arg-type]
    return cls(**dict(zip(names, values, strict=True)), **given)


def put_path(message: Message, field: str, path: AnyPath | None) -> None:
    """Set `field` to a path, or its `raw_` neighbour where the path is not UTF-8."""
    if path is None:
        return
    try:
        raw = os.fsencode(path)
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{field}: {path!r} cannot be the path of a file") from None
    try:
        setattr(message, field, raw.decode())
    except UnicodeDecodeError:
        setattr(message, f"raw_{field}", raw)


def timestamp(when: datetime | None) -> Timestamp | None:
    """Return the message for an aware datetime."""
    if when is None:
        return None
    since = moment(when) - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)


def duration(span: timedelta | None) -> Duration | None:
    """Return the message for a timedelta."""
    if span is None:
        return None
    message = Duration()
    message.FromTimedelta(instance("a span of time", span, timedelta))
    return message


def number(value: OpenEnum | None) -> Any:
    """Return the number of an enum's value; the generated types want their own, hence Any."""
    return None if value is None else int(value)


def numbers(values: Iterable[OpenEnum]) -> Any:
    """Return the numbers of an enum's values."""
    return [int(value) for value in members("change_types", values)]


def _values(
    cls: type, message: type[Message], given: tuple[str, ...]
) -> Callable[[Message], list[Any]]:
    """Return what reads the fields' values, in their order.

    Every call passes here: one attrgetter reads all the fields at once, in C, and
    only those that are not Python's own already are looked at again.
    """
    hints = typing.get_type_hints(cls)
    names = [field.name for field in fields(cls) if field.name not in given]
    plain, converted, looked_up = list(names), [], []
    for place, name in enumerate(names):
        if (read := _whole(message, name, hints[name])) is not None:
            plain[place] = "__class__"  # anything: it is replaced
            looked_up.append((place, read))
        elif name not in message.DESCRIPTOR.fields_by_name:
            raise TypeError(f"{message.DESCRIPTOR.full_name} has no field {name}")
        elif (convert := _of_field(hints[name])) is not _same:
            converted.append((place, convert))
    get = operator.attrgetter(*plain, "__class__")  # with one name it would give no tuple

    def values(message: Message) -> list[Any]:
        found = list(get(message)[:-1])
        for place, convert in converted:
            found[place] = convert(found[place])
        for place, read in looked_up:
            found[place] = read(message)
        return found

    return values


def _whole(message: type[Message], name: str, hint: Any) -> _Reader | None:
    """Return what reads a field for which its message must be looked at, or None."""
    known = message.DESCRIPTOR.fields_by_name
    optional = typing.get_origin(hint) in (types.UnionType, typing.Union)
    if f"raw_{name}" in known:
        raw, text = operator.attrgetter(f"raw_{name}"), operator.attrgetter(name)

        def path(m: Any) -> Any:
            found = raw(m) or text(m).encode()
            return os.fsdecode(found) if found or not optional else None

        return path
    if not optional or name not in known or not known[name].has_presence:
        return None
    get, convert = operator.attrgetter(name), _converter(_inner(hint))
    return lambda m: convert(get(m)) if m.HasField(name) else None


def _of_field(hint: Any) -> _Reader:
    if typing.get_origin(hint) is tuple:
        each = _converter(typing.get_args(hint)[0])
        return tuple if each is _same else lambda values: tuple(map(each, values))
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return _converter(hint)
    convert = _converter(_inner(hint))
    return lambda value: convert(value) if value else None


def _inner(hint: Any) -> Any:
    (inner,) = (arg for arg in typing.get_args(hint) if arg is not types.NoneType)
    return inner


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
        return _Members(hint).__getitem__
    return _same


class _Members(dict[int, OpenEnum]):
    """An enum's values by number; the enum's own call takes five times as long."""

    def __init__(self, kind: type[OpenEnum]) -> None:
        super().__init__({int(value): value for value in kind})
        self._kind = kind

    def __missing__(self, number: int) -> OpenEnum:
        return self._kind(number)


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
