"""Comparing what both sides answer: field by field, ids mapped, times by plausibility."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import obby_clients as oc
from obby_clients.tracker import UnifiedDiff

from .report import Report

__all__ = ["Answers", "applied", "outcome"]

_IDS = {"version_id", "old_version_id", "change_id"}
_EVENT_IDS = {"event_id", "oldest_event_id"}
_TIMES = {"create_time", "observe_time", "publish_time"}
_SLACK = timedelta(minutes=5)


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call gives, a list where it streams, or its error as a value."""
    try:
        result = call()
        if hasattr(result, "__next__"):
            with result if hasattr(result, "__enter__") else _Nothing():
                return list(result)
        return result
    except oc.ObbyError as error:
        return error
    except (TypeError, ValueError) as error:
        return type(error)


class _Nothing:
    def __enter__(self) -> None: ...
    def __exit__(self, *error: object) -> None: ...


class Answers:
    """Compares the answers of one operation.

    `name_of` tells what an id of each side stands for; `contents` gives the two texts
    that a diff is between, where one is to be applied.
    """

    def __init__(
        self,
        report: Report,
        name: str,
        name_of: Callable[[int, str, int], Any],
    ) -> None:
        self._report, self._name, self._name_of = report, name, name_of
        self._begin = datetime.now(timezone.utc)

    def compare(self, what: str, go: Any, python: Any) -> None:
        """Compare two answers, and note what differs."""
        self._report.count(self._name)
        self._same(what, go, python)

    def _same(self, what: str, go: Any, python: Any, field: str = "") -> None:
        if isinstance(go, oc.ObbyError) and isinstance(python, oc.ObbyError):
            go, python = _error(go), _error(python)
        if isinstance(go, UnifiedDiff) and isinstance(python, UnifiedDiff):
            self._diffs(what, go, python)
        elif dataclasses.is_dataclass(go) and type(go) is type(python):
            for item in dataclasses.fields(go):
                pair = getattr(go, item.name), getattr(python, item.name)
                self._same(f"{what}.{item.name}", *pair, field=item.name)
        elif isinstance(go, (list, tuple)) and isinstance(python, (list, tuple)):
            if len(go) != len(python):
                self._differs(what, f"{len(go)} items", f"{len(python)} items")
            for n, pair in enumerate(zip(go, python, strict=False)):
                self._same(f"{what}[{n}]", *pair)
        elif go != python:
            self._values(what, go, python, field)

    def _values(self, what: str, go: Any, python: Any, field: str) -> None:
        """Compare two values that are not equal."""
        if field == "watch_id" and go and python:
            return  # random on both sides
        if None not in {go, python}:
            if field in _IDS:
                go, python = self._name_of(0, field, go), self._name_of(1, field, python)
            elif field in _EVENT_IDS:  # each hub has an epoch of its own
                go, python = go.partition("-")[2], python.partition("-")[2]
            elif field in _TIMES:
                span = self._begin - _SLACK, datetime.now(timezone.utc) + _SLACK
                if span[0] < go < span[1] and span[0] < python < span[1]:
                    return
        if field == "bytes_removed":
            self._report.explained(self._name, "the diffs that went have other context lines")
        elif go != python and field != "remaining":
            self._differs(what, go, python)

    def _diffs(self, what: str, go: UnifiedDiff, python: UnifiedDiff) -> None:
        if go == python:
            return
        counts = [(diff.lines_added, diff.lines_removed) for diff in (go, python)]
        if counts[0] != counts[1] or go.truncated != python.truncated:
            # More added and as many more removed: other lines stay, both diffs are right.
            if counts[0][0] - counts[1][0] != counts[0][1] - counts[1][1]:
                self._differs(what, counts[0], counts[1])
                return
            self._report.explained(self._name, "another edit script, of another length")
        elif _changes(go.text) == _changes(python.text):
            self._report.explained(self._name, "another of the shortest edit scripts")
        else:
            self._differs(what, go.text[:200], python.text[:200])

    def _differs(self, what: str, go: Any, python: Any) -> None:
        self._report.differs(self._name, f"{what}: go {go!r:.300}, python {python!r:.300}")


def _changes(text: str) -> tuple[str, int]:
    """Return what two diffs of the same contents must share: header and number of changes."""
    header, _, rest = text.partition("@@")
    return header, sum(line.startswith(("+", "-")) for line in rest.split("\n"))


def _error(error: oc.ObbyError) -> Any:
    """Return what a program reads of an error; its sentence is for people."""
    return (
        type(error).__name__,
        error.reason,
        tuple(violation.field for violation in error.field_violations),
        error.retry_delay,
    )


_RANGE = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")


def applied(old: bytes, diff: bytes) -> bytes | None:
    """Apply a unified diff byte for byte, as `patch` does; None where a line does not fit."""
    lines = re.findall(rb"[^\n]*\n|[^\n]+", old)
    out: list[bytes] = []
    at = 0
    body = re.findall(rb"[^\n]*\n|[^\n]+", diff)[2:]
    for n, line in enumerate(body):
        if match := _RANGE.fullmatch(line):
            start = int(match[1]) - (match[2] != b"0")
            out += lines[at:start]
            at = start
            continue
        if line.startswith(b"\\"):
            continue
        text = line[1:]
        if n + 1 < len(body) and body[n + 1].startswith(b"\\"):
            text = text[:-1]
        if line[:1] in {b" ", b"-"}:
            if lines[at : at + 1] != [text]:
                return None
            at += 1
        if line[:1] in {b" ", b"+"}:
            out.append(text)
    return b"".join(out + lines[at:])
