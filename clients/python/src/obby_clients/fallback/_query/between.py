"""The difference between two contents."""

from __future__ import annotations

import copy
from datetime import datetime

from ...errors import ObbyError
from ...query.values import Version, VersionDiff
from ...values import AnyPath, ContentKind
from .._content import valid
from .._diff import CONTEXT, unified
from .._problems import field
from .arguments import checked_int, instant, prefix_of
from .errors import failed
from .reader import PAGE_BYTES, Answers, Reader
from .versions import content, version_at

__all__ = ["Side", "diff", "side"]

_MAX_CONTEXT = 1000

Side = tuple[int, "int | None"]
"""A version, or 0 and the time at which a path is looked at."""


def side(content: int | datetime) -> Side:
    """Take what a caller gave; raise ValueError for what no request can carry."""
    if isinstance(content, datetime):
        return 0, instant(content)
    return checked_int("a version's id", content, 64), None


def diff(
    reader: Reader, old: Side, new: Side, path: AnyPath | None, context_lines: int | None
) -> VersionDiff:
    """Compute the unified diff between two contents."""
    file = prefix_of("path", path)
    for name, (version, when) in (("old", old), ("new", new)):
        if when is None and version <= 0:
            raise field(f"{name}.version_id", f"{version} is not the id of a version")
        if when is not None and not file:
            raise field("path", "is empty: a time needs the path that it is asked of")
    lines = CONTEXT if context_lines is None else checked_int("context_lines", context_lines)
    if not 0 <= lines <= _MAX_CONTEXT:
        raise field("context_lines", f"{lines} is out of range: give 0 to {_MAX_CONTEXT}")
    with reader.opened() as answers:
        before, after = _content(answers, file, "old", old), _content(answers, file, "new", new)
    if not file:
        assert after[1] is not None  # times have a path
        file = after[1].path
    name = file.removeprefix("/")
    names = (name if before[1] else "", name if after[1] else "")
    made = unified(names, (before[0], after[0]), lines, PAGE_BYTES)
    text = valid(made.text)
    if made.truncated or len(text.encode()) > PAGE_BYTES:
        raise failed("DIFF_TOO_LARGE")
    return VersionDiff(text, made.added, made.removed, before[1], after[1])


def _content(answers: Answers, path: str, name: str, wanted: Side) -> tuple[bytes, Version | None]:
    """Return a side's text with LF line ends, and its version, where there is one."""
    try:
        number, when = wanted
        if when is not None:
            number = version_at(answers, path, when)
        if not number:
            return b"", None
        found = content(answers, number)
    except ObbyError as error:
        raise _said_of(name, error) from error.__cause__
    if found.version.kind is ContentKind.BINARY:
        raise _said_of(name, failed("CONTENT_BINARY"))
    # Exact bytes have the line ends of the disk.
    text = found.content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text, found.version


def _said_of(name: str, error: ObbyError) -> ObbyError:
    said = copy.copy(error)
    said.message = f"the {name} side: {error.message}"
    return said
