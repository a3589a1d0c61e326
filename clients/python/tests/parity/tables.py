"""Comparing two databases: every table, row by row, its ids replaced by what they name."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from .compare import applied
from .report import Report

__all__ = ["Ids", "compare_tables", "indexed"]

_NAMED = """
WITH versions (id, name) AS (SELECT id, file_path || ' ' || content_hash FROM file_versions),
steps (id, name) AS (SELECT id, file_path || ' step ' ||
    row_number() OVER (PARTITION BY file_path ORDER BY id) FROM content_diffs)
"""

# What is compared of each table; a column named like a time is looked at by itself.
_TABLES = {
    "file_versions": """SELECT file_path || ' ' || content_hash, content, line_count,
        change_description, timestamp, created_at FROM file_versions""",
    "content_diffs": """SELECT s.name, d.file_path, o.name, n.name, d.change_type, d.diff_content,
        d.lines_added, d.lines_removed, d.timestamp, d.created_at FROM content_diffs d
        JOIN steps s ON s.id = d.id LEFT JOIN versions o ON o.id = d.old_version_id
        LEFT JOIN versions n ON n.id = d.new_version_id""",
    "file_changes": """SELECT file_path || ' ' || row_number() OVER (PARTITION BY file_path
        ORDER BY id), change_type, old_content_hash, new_content_hash, length(content_hash),
        substr(content_hash, 1, 22), timestamp, created_at FROM file_changes""",
    "events": """SELECT path || ' ' || row_number() OVER (PARTITION BY path ORDER BY id), type,
        size, processed, timestamp, created_at FROM events""",
    "file_states": """SELECT file_path, content_hash, line_count, file_size,
        CASE WHEN content_hash IS NULL THEN NULL ELSE last_modified END AS modified,
        updated_at FROM file_states""",
    "obby_files": "SELECT * FROM obby_files",
    "obby_versions": """SELECT v.name, o.kind, o.eol, o.size_bytes, o.mtime_ns FROM obby_versions o
        JOIN versions v ON v.id = o.version_id""",
    "obby_blobs": "SELECT content_hash, data FROM obby_blobs",
    "obby_diffs": """SELECT s.name, o.old_path, o.truncated FROM obby_diffs o
        JOIN steps s ON s.id = o.diff_id""",
    "obby_labels": """SELECT v.name, l.label, l.pinned FROM obby_labels l
        JOIN versions v ON v.id = l.version_id""",
    "obby_requests": """SELECT r.request_id, s.name, v.name FROM obby_requests r
        LEFT JOIN steps s ON s.id = r.diff_id LEFT JOIN versions v ON v.id = r.version_id""",
    "obby_outbox": "SELECT s.name FROM obby_outbox q JOIN steps s ON s.id = q.diff_id",
    "obby_roots": "SELECT root_path, device, inode FROM obby_roots",
    "obby_schema": "SELECT component, version FROM obby_schema",
    "obby_meta": "SELECT key, length(value) FROM obby_meta WHERE key = 'database_id'",
    "obby_indexed": """SELECT i.file_path, v.name FROM obby_indexed i
        JOIN versions v ON v.id = i.version_id""",
    "sqlite_schema": "SELECT type || ' ' || name, sql FROM sqlite_master",
}
_TIMES = {"timestamp", "created_at", "updated_at"}
_WORDS = ("import", "return", "the", "error", "inserted", "replaced", "zzz", "func", "café", "日本")


class Ids:
    """Tells what the ids of two databases stand for."""

    def __init__(self, databases: Iterable[Path]) -> None:
        self._open = [_connect(path) for path in databases]

    def name(self, side: int, field: str, number: int) -> Any:
        """Return the name of a step or a version of one side."""
        table = "steps" if field == "change_id" else "versions"
        row = (
            self._open[side]
            .execute(f"{_NAMED} SELECT name FROM {table} WHERE id = ?", (number,))
            .fetchone()
        )
        return row and row[0]

    def close(self) -> None:
        """Close both."""
        for connection in self._open:
            connection.close()


def compare_tables(report: Report, go: Path, python: Path, *, restored: bool) -> None:
    """Compare every table of two databases; `restored`: both sides have written files."""
    with closing(_connect(go)) as a, closing(_connect(python)) as b:
        for table, query in _TABLES.items():
            rows = _rows(a, query), _rows(b, query)
            _compare_table(report, table, rows, _contents(a), restored=restored)
        for word in _WORDS:
            found = [_found(connection, word) for connection in (a, b)]
            report.count("obby_search", len(found[0]))
            if found[0] != found[1]:
                report.differs("obby_search", f"{word}: {found[0] ^ found[1]}")
        for connection in (a, b):
            checks = connection.execute("PRAGMA quick_check").fetchall()
            checks += connection.execute("PRAGMA foreign_key_check").fetchall()
            if checks != [("ok",)]:
                report.differs("quick_check", repr(checks))


def indexed(database: Path) -> bool:
    """Tell whether the full-text index has every live path that is text."""
    with closing(_connect(database)) as connection:
        (missing,) = connection.execute(
            """SELECT count(*) FROM file_states s
            JOIN file_versions v ON v.file_path = s.file_path AND v.content_hash = s.content_hash
            WHERE v.content IS NOT NULL AND NOT EXISTS (SELECT 1 FROM obby_indexed i
                WHERE i.file_path = s.file_path AND i.version_id = v.id)"""
        ).fetchone()
    return not missing


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def _rows(connection: sqlite3.Connection, query: str) -> dict[Any, dict[str, Any]]:
    cursor = connection.execute(_NAMED + query)
    names = [f"{n} {column[0]}" for n, column in enumerate(cursor.description)]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}


def _contents(connection: sqlite3.Connection) -> Callable[[str | None], bytes | None]:
    def content(version: str | None) -> bytes | None:
        if version is None:
            return b""
        path, _, digest = version.rpartition(" ")
        row = connection.execute(
            """SELECT CASE WHEN o.kind = 'text' THEN v.content END FROM file_versions v
            JOIN obby_versions o ON o.version_id = v.id
            WHERE v.file_path = ? AND v.content_hash = ?""",
            (path, digest),
        ).fetchone()
        return row[0].encode() if row and row[0] is not None else None

    return content


def _compare_table(
    report: Report,
    table: str,
    rows: tuple[dict[Any, dict[str, Any]], dict[Any, dict[str, Any]]],
    content: Callable[[str | None], bytes | None],
    *,
    restored: bool,
) -> None:
    go, python = rows
    report.count(table, len(go))
    for key in go.keys() ^ python.keys():
        report.differs(table, f"{key!r} only on {'go' if key in go else 'python'}'s side")
    for key in go.keys() & python.keys():
        row, other = go[key], python[key]
        for column, value in row.items():
            mine, name = other[column], column.split(" ", 1)[1]
            if name in _TIMES:
                if not _plausible(value, mine):
                    report.differs(table, f"{key!r} {name}: go {value!r}, python {mine!r}")
            elif name == "modified" and value != mine and restored and _plausible(value, mine):
                report.explained(table, "each side has written the file that it restored")
            elif name == "diff_content" and value != mine:
                _compare_diffs(report, table, key, (row, other), content)
            elif value != mine and name not in {"lines_added", "lines_removed"}:
                report.differs(table, f"{key!r} {name}: go {value!r:.200}, python {mine!r:.200}")


def _compare_diffs(
    report: Report,
    table: str,
    key: Any,
    rows: tuple[dict[str, Any], dict[str, Any]],
    content: Callable[[str | None], bytes | None],
) -> None:
    """Two diffs with other lines are right where both make the new content of the old one."""
    old, new = content(rows[0]["2 name"]), content(rows[0]["3 name"])
    applies = "both diffs apply"
    if old is None or new is None:
        applies = "not UTF-8, so a diff's text is not exact"
    elif any(applied(old, row["5 diff_content"].encode()) != new for row in rows):
        report.differs(table, f"{key!r}: a diff does not apply: {rows}")
        return
    counts = [(row["6 lines_added"], row["7 lines_removed"]) for row in rows]
    script = "another of the shortest edit scripts"
    if counts[0] != counts[1]:
        script = "an edit script of another length"
    report.explained(table, f"{script}; {applies}")


def _plausible(go: str | None, python: str | None) -> bool:
    """Both sides write the same form, at about the same time."""
    if go is None or python is None:
        return go is python
    if len(go) != len(python):
        return False
    return abs(datetime.fromisoformat(go) - datetime.fromisoformat(python)) < timedelta(minutes=10)


def _found(connection: sqlite3.Connection, word: str) -> set[str]:
    rows = connection.execute(
        "SELECT i.file_path FROM obby_search"
        " JOIN obby_indexed i ON i.version_id = obby_search.rowid WHERE obby_search MATCH ?",
        (f'"{word}"',),
    )
    return {row[0] for row in rows}
