"""The committed changes, in the order of their ids: what events are made of.

The database is the one place that both sides write, so whoever follows it sees every
change once, in one order, whichever side recorded it. The ids of `content_diffs` are
given inside of a write transaction, of which there is one at a time: a reader that has
seen an id never finds a smaller one later. Nothing here needs grpcio.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from .fallback import _paths as paths
from .fallback._times import datetime_of, parse_time
from .values import AnyPath

__all__ = ["TOPIC", "Change", "Changes"]

TOPIC = "changes"
"""The topic of the events."""

_MAX_DIFF = 64 << 10  # bytes of a diff in an event: what is cut is in the database

# The newest id that was ever given, also when its row has been deleted since.
_NEWEST = """SELECT max(
    ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'content_diffs'), 0),
    ifnull((SELECT max(id) FROM content_diffs), 0))"""

_AFTER = """SELECT d.id, d.change_type, d.file_path, o.old_path, d.old_version_id,
    d.new_version_id, v.content_hash, ifnull(v.line_count, 0), ifnull(d.lines_added, 0),
    ifnull(d.lines_removed, 0), ifnull(substr(CAST(d.diff_content AS BLOB), 1, ?), x''),
    ifnull(o.truncated, 0), d.timestamp
FROM content_diffs d
LEFT JOIN obby_diffs o ON o.diff_id = d.id
LEFT JOIN file_versions v ON v.id = d.new_version_id
WHERE d.id > ? ORDER BY d.id LIMIT ?"""


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change, as it is published."""

    change_id: int
    """Identifier of the step; larger: recorded later."""
    event_type: str
    """`created`, `modified`, `deleted` or `moved`."""
    data: bytes
    """The event's JSON: docs/events.md says what it holds."""


class Changes:
    """Reads the changes of a database; one connection, which threads may share.

    The file must have its tables: a ContentTracker of either side makes them.
    """

    def __init__(self, database: AnyPath, roots: Iterable[AnyPath] = ()) -> None:
        self._roots = [paths.text_of(root) for root in roots]
        self._lock = threading.Lock()
        uri = f"file:{quote(os.fsencode(database))}?mode=ro"
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=10, isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA query_only = ON")
        self.database_id: str = self._one("SELECT value FROM obby_meta WHERE key = 'database_id'")
        """Random hexadecimal text; another one where the file was replaced."""

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def newest(self) -> int:
        """Return the id of the newest change there ever was; 0: there was none."""
        return int(self._one(_NEWEST))

    def tick(self) -> int:
        """Return a number that is another one after every commit of anybody."""
        return int(self._one("PRAGMA data_version"))

    def count_after(self, change_id: int, most: int) -> int:
        """Count the changes after an id, up to a number."""
        statement = "SELECT count(*) FROM (SELECT 1 FROM content_diffs WHERE id > ? LIMIT ?)"
        return int(self._one(statement, change_id, most))

    def before_newest(self, count: int) -> int:
        """Return the id after which there are so many changes, or fewer where all are."""
        row = self._rows("SELECT id FROM content_diffs ORDER BY id DESC LIMIT 1 OFFSET ?", count)
        return row[0][0] if row else 0

    def after(self, change_id: int, limit: int = 200) -> list[Change]:
        """Return the changes after an id, oldest first."""
        return [self._change(row) for row in self._rows(_AFTER, _MAX_DIFF + 1, change_id, limit)]

    def _one(self, statement: str, *args: Any) -> Any:
        return self._rows(statement, *args)[0][0]

    def _rows(self, statement: str, *args: Any) -> list[Any]:
        with self._lock, closing(self._connection.execute(statement, args)) as rows:
            return rows.fetchall()

    def _change(self, row: tuple[Any, ...]) -> Change:
        change_id, change_type, path, old_path, old_version, new_version, *rest = row
        content_hash, line_count, added, removed, diff, truncated, timestamp = rest
        exact = paths.decode(path)
        text, cut = _cut(diff)
        micros = parse_time(timestamp)
        event: dict[str, Any] = {
            "database_id": self.database_id,
            "change_id": str(change_id),
            "change_type": change_type,
            "path": paths.shown(exact),
            "old_path": paths.shown(paths.decode(old_path or "")),
            "root": self._root_of(exact),
            "version_id": _text(new_version),
            "old_version_id": _text(old_version),
            "content_hash": content_hash,
            "line_count": line_count,
            "lines_added": added,
            "lines_removed": removed,
            "diff": text,
            "truncated": bool(truncated) or cut,
            "observe_time": None if micros is None else _rfc3339(micros),
        }
        if event["path"] != exact:
            event["raw_path"] = b64encode(os.fsencode(exact)).decode()
        return Change(change_id, change_type, json.dumps(event, ensure_ascii=False).encode())

    def _root_of(self, path: str) -> str:
        """Return the innermost root that holds a path."""
        held = (root for root in self._roots if paths.below(root, path))
        return paths.shown(max(held, key=len, default=""))


def _text(identifier: int | None) -> str | None:
    return str(identifier) if identifier else None


def _cut(diff: bytes) -> tuple[str, bool]:
    """Shorten a diff at the end of a line."""
    cut = len(diff) > _MAX_DIFF
    if cut:
        diff = diff[: diff.rfind(b"\n", 0, _MAX_DIFF) + 1]
    return diff.decode("utf-8", "replace"), cut


def _rfc3339(micros: int) -> str:
    return datetime_of(micros).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
