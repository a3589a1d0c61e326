"""Reading the history from the shared SQLite file."""

from __future__ import annotations

import sqlite3
from typing import Any

from ._content import BINARY, LOSSY, NO_STAT, OMITTED, TEXT, Content, Stat
from ._database import Database
from ._diff import Diff
from ._index import HEAD_VERSION
from ._paths import decode, encode, range_of
from ._problems import problem
from ._steps import Head, Result, Version
from ._times import SECOND, now_micros, parse_time

__all__ = ["HOURS_24", "answer", "content_of", "head_of", "live", "path_of", "recorded", "root_of"]

HOURS_24 = 24 * 3600 * SECOND
"""How long a repeated request gets the answer of the first."""

_HEAD = f"""
WITH paths (value) AS (VALUES (?))
SELECT s.file_path IS NOT NULL OR v.id IS NOT NULL,
    v.id, v.content_hash, v.line_count, o.size_bytes, o.kind, o.eol, +v.timestamp, o.mtime_ns,
    f.device, f.inode, f.size_bytes, f.mtime_ns, f.ctime_ns,
    (SELECT +d.timestamp FROM content_diffs d WHERE d.file_path = paths.value
        ORDER BY d.id DESC LIMIT 1)
FROM paths
LEFT JOIN file_states s ON s.file_path = paths.value
LEFT JOIN file_versions v ON v.id = {HEAD_VERSION}
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN obby_files f ON f.file_path = paths.value"""

_LIVE = """
SELECT s.file_path, f.device, f.inode, f.size_bytes, f.mtime_ns, f.ctime_ns
FROM file_states s LEFT JOIN obby_files f ON f.file_path = s.file_path
WHERE s.file_path >= ?1 AND s.file_path < ?2 AND EXISTS (SELECT 1 FROM file_versions v
    WHERE v.file_path = s.file_path AND v.content_hash = s.content_hash)
UNION SELECT v.file_path, NULL, NULL, NULL, NULL, NULL FROM file_versions v
WHERE v.file_path >= ?1 AND v.file_path < ?2
    AND NOT EXISTS (SELECT 1 FROM file_states s WHERE s.file_path = v.file_path)"""

_CONTENT = """
SELECT v.content_hash, v.content, ifnull(o.kind, 'text'), ifnull(o.eol, ''), b.data
FROM file_versions v
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash AND o.kind IN ('lossy', 'binary')
WHERE v.id = ?"""

_VERSION = """
SELECT v.id, v.content_hash, v.line_count, o.size_bytes, o.kind, o.eol, +v.timestamp, o.mtime_ns
FROM file_versions v LEFT JOIN obby_versions o ON o.version_id = v.id WHERE v.id = ?"""

_RECORDED = """
SELECT d.id, d.change_type, d.old_version_id, d.diff_content, d.lines_added, d.lines_removed,
    o.truncated, d.new_version_id
FROM content_diffs d LEFT JOIN obby_diffs o ON o.diff_id = d.id WHERE d.id = ?"""


def head_of(connection: sqlite3.Connection, path: str) -> Head:
    """Return where a path stands; one without record is not known."""
    known, *columns = connection.execute(_HEAD, (encode(path),)).fetchone()
    version = _version(columns[:8]) if columns[0] else Version()
    return Head(bool(known), version, _stat(columns[8:13]), parse_time(columns[13]))


def live(db: Database, directory: str) -> dict[str, Stat]:
    """Return the live paths below a directory, each with the Stat that it was tracked with."""
    with db.reading() as connection:
        rows = connection.execute(_LIVE, range_of(encode(directory))).fetchall()
    return {decode(path): _stat(columns) for path, *columns in rows}


def content_of(db: Database, version: int, *, needed: bool = False) -> Content:
    """Return a version's content, without a body where none is stored.

    Raises VERSION_NOT_FOUND; where the body is needed, CONTENT_NOT_STORED too.
    """
    with db.reading() as connection:
        row = connection.execute(_CONTENT, (version,)).fetchone()
    if row is None:
        raise problem("VERSION_NOT_FOUND", f"version {version}")
    digest, text, kind, eol, exact = row
    if kind == TEXT and text is not None:
        return Content(digest, TEXT, eol, 0, 0, text.encode())
    if kind in {LOSSY, BINARY}:
        return Content(digest, kind, eol, 0, 0, exact or b"")
    if needed:
        raise problem("CONTENT_NOT_STORED", f"version {version}")
    return Content(digest, OMITTED, eol, 0, 0, None)


def path_of(db: Database, version: int) -> str:
    """Return the path of a version, or raise VERSION_NOT_FOUND."""
    with db.reading() as connection:
        row = connection.execute(
            "SELECT file_path FROM file_versions WHERE id = ?", (version,)
        ).fetchone()
    if row is None:
        raise problem("VERSION_NOT_FOUND", f"version {version}")
    return decode(row[0])


def root_of(db: Database, root: str) -> tuple[int, int] | None:
    """Return device and inode of a root as it was first seen."""
    with db.reading() as connection:
        row: tuple[int, int] | None = connection.execute(
            "SELECT device, inode FROM obby_roots WHERE root_path = ?", (encode(root),)
        ).fetchone()
    return row and (row[0] % (1 << 64), row[1] % (1 << 64))


def answer(db: Database, request_id: str) -> Result | None:
    """Return what a request was answered before; None where it is new, or its rows are gone."""
    with db.reading() as connection:
        row = connection.execute(
            "SELECT diff_id, version_id FROM obby_requests"
            " WHERE request_id = ? AND created_at >= ?",
            (request_id, now_micros() - HOURS_24),
        ).fetchone()
        if row is None:
            return None
        change, version = row
        if change is not None:
            return recorded(connection, change)
        if version is None:
            return Result()
        found = _version_row(connection, version)
    return None if found is None else Result(old_version=version, version=found)


def recorded(connection: sqlite3.Connection, change: int) -> Result | None:
    """Return a recorded step as it was answered; None where its rows are gone."""
    row = connection.execute(_RECORDED, (change,)).fetchone()
    if row is None:
        return None
    number, kind, old, text, added, removed, truncated, new = row
    version = _version_row(connection, new) if new else None
    if new and version is None:
        return None
    diff = Diff((text or "").encode(), added, removed, bool(truncated))
    return Result(True, number, kind, version, old or 0, diff)


def _version_row(connection: sqlite3.Connection, version: int) -> Version | None:
    row = connection.execute(_VERSION, (version,)).fetchone()
    return _version(row) if row else None


def _version(columns: Any) -> Version:
    number, digest, lines, size, kind, eol, observed, mtime = columns
    return Version(
        number, digest, lines or 0, size or 0, kind or "", eol or "", parse_time(observed), mtime
    )


def _stat(columns: Any) -> Stat:
    """Return the Stat of a row that may be missing; SQLite's integers are signed."""
    device, inode, size, mtime, ctime = columns
    if device is None:
        return NO_STAT
    return Stat(device % (1 << 64), inode % (1 << 64), size, mtime, ctime)
