"""Where values come from: the flags file, then the process's environment.

The file is looked at when a decision is made, at most every half second, read
whole and swapped in by reference: nobody sees half of it. A file that is being
written, cannot be read or is damaged leaves the last good one in force.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .kill import kills
from .parse import trimmed

__all__ = ["EVERY", "DamagedError", "FlagsFile", "Overrides", "parse_file", "read_environment"]

EVERY = 0.5
"""Seconds between two looks at the file."""

_LOG = logging.getLogger("obby_clients.flags")
_MAX_BYTES = 1 << 16
_SETTLED = 1_000_000_000  # ns after which a file's times tell of every later write


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the flags file says, or said when it was last good."""

    path: str = ""
    """The file; empty where none is configured."""
    values: Mapping[str, str] = field(default_factory=dict)
    """Values by variable, white space removed; a variable without a value is left out."""
    good: Mapping[str, str] = field(default_factory=dict)
    """Those of the last good file: without what a damaged one turns on."""
    error: str = ""
    """Why the file as it is now is not used, and what to do; empty where it is."""
    missing: bool = False
    """The file does not exist: nothing is overridden."""


def read_environment(environ: Mapping[str, str]) -> Callable[[tuple[str, ...]], Any]:
    """Return what reads some variables at once, as something to be compared.

    `os.environ` takes a microsecond for each variable that is not set; the dict
    behind it takes a thirtieth. A decision reads eight.
    """
    data = getattr(environ, "_data", None)
    if os.name != "posix" or not isinstance(data, dict):
        return lambda names: tuple(map(environ.get, names))
    keys: dict[tuple[str, ...], tuple[bytes, ...]] = {}

    def read(names: tuple[str, ...]) -> tuple[bytes | None, ...]:
        encoded = keys.get(names) or keys.setdefault(names, tuple(map(os.fsencode, names)))
        return tuple(map(data.get, encoded))

    return read


class FlagsFile:
    """Keeps the newest good state of the file."""

    def __init__(self) -> None:
        # The state in force and the signature of the file that says so. One pair, so that
        # no thread can leave the signature of a new file with the state of an old one.
        self._known: tuple[Overrides, object] = Overrides(), None
        self._due = 0.0

    @property
    def now(self) -> Overrides:
        """The state in force; replaced, never altered."""
        return self._known[0]

    def look(self, path: str) -> Overrides:
        """Return the state in force, after a look at the file where one is due.

        No lock: one that is held during a fork stays held. Two threads that look
        at once store what each has read; the later look finds out what is true.
        """
        known, now = self._known, time.monotonic()
        if now >= self._due or path != known[0].path:
            self._due = now + EVERY
            found = _looked(path, *known)
            if found != known:
                self._known = found
            return found[0]
        return known[0]


def _looked(path: str, known: Overrides, before: object) -> tuple[Overrides, object]:
    """Return what the file says now, and its signature; `known` and `before` are the last."""
    if not path:
        return (Overrides() if known.path else known), None
    signature = None
    try:
        signature = _signature(path)
        if signature == before and path == known.path:
            return known, signature
        new = parse_file(path, _read(path))
    except FileNotFoundError:
        signature, new = None, Overrides(path, missing=True)
    except (OSError, ValueError) as error:
        signature, new = None, _last_good(path, known, error)
    if new.error and new.error != known.error:
        _LOG.error("flags file not used: %s", new.error)
    elif known.error and not new.error:
        _LOG.info("flags file is good again: %s", path)
    return (known if new == known else new), signature


def _last_good(path: str, known: Overrides, error: Exception) -> Overrides:
    same = path == known.path
    values = known.values if same else {}
    good = known.good if same else {}
    if isinstance(error, DamagedError):
        if not values and not error.text:
            return Overrides(path)  # empty from the start: it says nothing
        if error.text:  # a kill switch that only a damaged file turned on ends with its line
            values = {**good, **kills(error.text)}
    said = f"{path}: {getattr(error, 'strerror', None) or error}"
    return Overrides(path, values, good, said)


class DamagedError(ValueError):
    """The file's text cannot be taken for what somebody meant to write; says which line."""

    def __init__(self, message: str, text: str = "") -> None:
        super().__init__(message)
        self.text = text


def parse_file(path: str, text: str) -> Overrides:
    """Read `KEY=value` lines; a `#` begins a line that is a comment."""
    if not text:
        raise DamagedError(
            "it is empty; delete it, or leave a comment in it, to override nothing", ""
        )
    if not text.endswith("\n"):
        raise DamagedError(
            "its last line has no end, so it may be half written; end the line", text
        )
    values: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not (stripped := line.strip()) or stripped.startswith("#"):
            continue
        key, equals, value = stripped.partition("=")
        if not equals or not key.strip().isidentifier():
            raise DamagedError(f"line {number} is not KEY=value", text)
        if (kept := trimmed(value)) is not None:
            values[key.strip()] = kept
        else:
            values.pop(key.strip(), None)
    values |= kills(text)
    return Overrides(path, values, values)


def _signature(path: str) -> object:
    """Return what changes when the file does, or a new object where nothing tells."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no regular file")
    if status.st_size > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES} bytes")
    # The kernel's clock ticks every few milliseconds: a write in the same tick as
    # the last one leaves the times as they are.
    if time.time_ns() - max(status.st_mtime_ns, status.st_ctime_ns) < _SETTLED:
        return object()
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def _read(path: str) -> str:
    with open(path, "rb") as file:
        data = file.read(_MAX_BYTES + 1)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DamagedError("it is not UTF-8", data.decode("utf-8", "replace")) from error
