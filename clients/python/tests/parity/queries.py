"""Every question of the query-service, asked of both sides about one database."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timezone
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import fallback
from obby_clients.fallback._content import valid
from obby_clients.query import Version, VersionDiff

from ..conftest import wait_until
from ..processes import Process
from .adopted import adopt, make_alone
from .asking import Known, Questions
from .compare import applied, outcome
from .finding_questions import FINDINGS
from .history_questions import HISTORY
from .report import Report

__all__ = ["QUESTIONS", "ask_all", "prepared"]

QUESTIONS: dict[str, Callable[[Known], Questions]] = {**HISTORY, **FINDINGS}

_ALONE = "python-alone.db"


def prepared(folder: Path) -> list[Path]:
    """Return the databases that the suite has made, and one in which Go never ran.

    Odd rows are put into all of them.
    """
    databases = [folder / side / "obby.db" for side in ("go", "python")]
    databases.append(folder / _ALONE)
    make_alone(databases[-1])
    for database in databases:
        adopt(database)
    return databases


def ask_all(
    report: Report, database: Path, names: Iterable[str] = QUESTIONS, *, every: int = 1
) -> None:
    """Ask both sides every so-manieth question, and compare field by field.

    The times in a database in which Go never ran are read as in a place where clocks
    change. Those of the others stand in blocks too, as they were read when they were
    written.
    """
    with pytest.MonkeyPatch.context() as patch:
        if database.name == _ALONE:
            patch.setenv("TZ", "Europe/Berlin")
            time.tzset()
        _ask_all(report, database, names, every)
    time.tzset()


def _ask_all(report: Report, database: Path, names: Iterable[str], every: int) -> None:
    known = _known(database)
    process = Process("query-service", "--database", str(database))
    try:
        with (
            oc.QueryClient(process.target) as client,
            fallback.QueryService(database) as python,
        ):
            client.wait_ready(60)
            wait_until(lambda: _opened(client))
            for name in names:
                for what, ask in islice(QUESTIONS[name](known), 0, None, every):
                    answers = [outcome(partial(ask, side)) for side in (client, python)]
                    if not _other_script(report, name, client, *answers):
                        _compare(report, name, what, *answers)
    finally:
        process.stop()


def _opened(client: oc.QueryClient) -> bool:
    """Tell whether the service has opened its database."""
    try:
        return next(client.recent_diffs(limit=1)) is not None
    except oc.UnavailableError:
        return False


def _known(database: Path) -> Known:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = os.fsdecode
        paths = [
            path
            for (path,) in connection.execute(
                "SELECT DISTINCT file_path FROM file_versions ORDER BY file_path"
            )
        ]
        versions = [
            row[0] for row in connection.execute("SELECT id FROM file_versions ORDER BY id")
        ]
        (steps,) = connection.execute("SELECT count(*) FROM content_diffs").fetchone()
    with fallback.QueryService(database) as service:
        stats = service.activity_stats(end_time=datetime.max.replace(tzinfo=timezone.utc))
    assert stats.first_time is not None
    assert stats.last_time is not None
    root = os.path.commonpath(paths)
    return Known(root, paths, versions, steps, stats.first_time, stats.last_time)


def _other_script(report: Report, name: str, client: Any, go: Any, python: Any) -> bool:
    """Tell whether two diffs differ, and both turn the old content into the new one."""
    if not isinstance(go, VersionDiff) or not isinstance(python, VersionDiff) or go == python:
        return False
    same = dataclasses.replace(python, diff=go.diff, lines_added=go.lines_added)
    if dataclasses.replace(same, lines_removed=go.lines_removed) != go:
        return False
    old, new = (_text(client, version) for version in (go.old_version, go.new_version))
    if any(applied(old, diff.diff.encode()) != new for diff in (go, python)):
        return False
    lengths = [diff.lines_added + diff.lines_removed for diff in (go, python)]
    report.count(name)
    kind = "of another length" if lengths[0] != lengths[1] else "as short"
    report.explained(name, f"another edit script, {kind}; both apply")
    return True


def _text(client: Any, version: Version | None) -> bytes:
    """Return the content of a version as a diff shows it."""
    if version is None:
        return b""
    content = client.version_content(version.version_id).content
    text = valid(content.replace(b"\r\n", b"\n").replace(b"\r", b"\n"))
    return text.encode()


def _compare(report: Report, name: str, what: str, go: Any, python: Any) -> None:
    report.count(name, max(len(go), 1) if isinstance(go, list) else 1)
    if isinstance(go, oc.ObbyError) and go.reason == "NO_SEARCH_INDEX":
        report.explained(name, "without an index Go refuses, and Python reads the contents")
        return
    go, python = _plain(go), _plain(python)
    if go == python:
        return
    if isinstance(go, list) and isinstance(python, list):
        pairs = [
            (n, one, other)
            for n, (one, other) in enumerate(zip(go, python, strict=False))
            if one != other
        ]
        if pairs:
            n, one, other = pairs[0]
            what, go, python = f"{what}[{n}] of {len(go)}", *_parted(one, other)
        else:
            go, python = f"{len(go)} items", f"{len(python)} items"
    else:
        go, python = _parted(go, python)
    report.differs(name, f"{what}: go {go!r:.400}, python {python!r:.400}")


def _parted(go: Any, python: Any) -> tuple[Any, Any]:
    """Return the fields that differ, of values that have the same fields."""
    if dataclasses.is_dataclass(go) and type(go) is type(python):
        names = [field.name for field in dataclasses.fields(go)]
        different = [name for name in names if getattr(go, name) != getattr(python, name)]
        return (
            {name: getattr(go, name) for name in different},
            {name: getattr(python, name) for name in different},
        )
    return go, python


def _plain(answer: Any) -> Any:
    """Return an answer without what may differ: the measure of relevance."""
    if isinstance(answer, oc.ObbyError):
        fields = [violation.field for violation in answer.field_violations]
        return type(answer).__name__, int(answer.code), answer.reason, answer.message, fields
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    if isinstance(answer, oc.query.SearchResult):
        return dataclasses.replace(answer, score=0.0)
    return answer
