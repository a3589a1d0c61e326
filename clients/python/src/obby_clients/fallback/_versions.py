"""Writing versions: a row for each distinct content of a path."""

from __future__ import annotations

import sqlite3

from ._content import BINARY, LOSSY, OMITTED, TEXT, Content, valid
from ._paths import encode
from ._steps import Step
from ._times import format_time

__all__ = ["add_version", "describe", "fill", "insert"]


def add_version(connection: sqlite3.Connection, step: Step) -> int:
    """Return the row of the step's content: a new one unless the path had it before."""
    if step.after is None:
        return _copy_version(connection, step)
    number = _find_version(connection, step.path, step.after.hash)
    if number:
        fill(connection, number, step.after)
    else:
        number = insert(
            connection,
            """INSERT INTO file_versions
            (file_path, content_hash, content, line_count, timestamp, change_description)
            VALUES (?, ?, ?, ?, ?, ?)""",
            encode(step.path),
            step.after.hash,
            _text_of(step.after),
            step.after.line_count,
            format_time(step.observed),
            f"File {step.type}",
        )
    describe(connection, number, step.after)
    return number


def _copy_version(connection: sqlite3.Connection, step: Step) -> int:
    """Give a moved path the version that its old path had, unread."""
    before = step.before.version
    if number := _find_version(connection, step.path, before.hash):
        return number
    number = insert(
        connection,
        """INSERT INTO file_versions
        (file_path, content_hash, content, line_count, timestamp, change_description)
        SELECT ?, content_hash, content, line_count, ?, ? FROM file_versions WHERE id = ?""",
        encode(step.path),
        format_time(step.observed),
        f"File {step.type}",
        before.id,
    )
    connection.execute(
        """INSERT OR REPLACE INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns)
        SELECT ?, kind, eol, size_bytes, mtime_ns FROM obby_versions WHERE version_id = ?""",
        (number, before.id),
    )
    return number


def _find_version(connection: sqlite3.Connection, path: str, digest: str) -> int:
    row = connection.execute(
        "SELECT id FROM file_versions WHERE file_path = ? AND content_hash = ?",
        (encode(path), digest),
    ).fetchone()
    return row[0] if row else 0


def fill(connection: sqlite3.Connection, number: int, content: Content) -> bool:
    """Give a version that has no content the one that is met again; never replace one."""
    if content.kind == OMITTED:
        return False
    filled = connection.execute(
        """UPDATE file_versions SET content = ifnull(content, ?), line_count = ?
        WHERE id = ? AND content_hash = ? AND CASE ifnull(
            (SELECT kind FROM obby_versions WHERE version_id = file_versions.id), 'text')
            WHEN 'omitted' THEN 1 WHEN 'text' THEN content IS NULL ELSE 0 END""",
        (_text_of(content), content.line_count, number, content.hash),
    )
    if filled.rowcount:
        connection.execute(
            "UPDATE obby_versions SET kind = ? WHERE version_id = ?", (content.kind, number)
        )
    return filled.rowcount > 0


def describe(connection: sqlite3.Connection, number: int, content: Content) -> None:
    """Keep what the row of a version has no column for.

    The kind says what the row holds: a version that is met again keeps its own, and a
    text of another program is not omitted, however large.
    """
    if content.kind in {LOSSY, BINARY}:
        connection.execute(
            "INSERT OR IGNORE INTO obby_blobs (content_hash, data) VALUES (?, ?)",
            (content.hash, content.body),
        )
    connection.execute(
        """INSERT INTO obby_versions (version_id, kind, eol, size_bytes, mtime_ns)
        SELECT id, CASE WHEN ?2 = 'omitted' AND content IS NOT NULL THEN 'text' ELSE ?2 END,
            ?3, ?4, ?5 FROM file_versions WHERE id = ?1
        ON CONFLICT (version_id) DO UPDATE SET
            eol = excluded.eol, size_bytes = excluded.size_bytes, mtime_ns = excluded.mtime_ns""",
        (number, content.kind, content.eol, content.size, content.stat.mtime),
    )


def _text_of(content: Content) -> str | None:
    """Return what the TEXT column holds: always valid UTF-8 (case 6)."""
    if content.kind not in {TEXT, LOSSY}:
        return None
    return valid(content.body or b"")


def insert(connection: sqlite3.Connection, statement: str, *args: object) -> int:
    """Insert a row and return its id."""
    return connection.execute(statement, args).lastrowid or 0
