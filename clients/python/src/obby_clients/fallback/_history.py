"""What was where at a time."""

from __future__ import annotations

from ._database import Database
from ._paths import decode, encode, range_of

__all__ = ["FILES_AT", "files_at", "logged_at"]

FILES_AT = """
SELECT path, version_id FROM (
    SELECT file_path AS path, new_version_id AS version_id, max(id) AS step FROM content_diffs
    WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2)
        AND file_path <> ?5 AND obby_time(timestamp) <= ?4
    GROUP BY file_path
    HAVING new_version_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
        WHERE o.old_path = path AND d.id > step AND obby_time(d.timestamp) <= ?4)
    ORDER BY file_path LIMIT ?6)
UNION ALL
SELECT path, version_id FROM (
    SELECT file_path AS path, max(id) AS version_id FROM file_versions v
    WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2)
        AND file_path <> ?5 AND obby_time(timestamp) <= ?4
        AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.file_path = v.file_path)
    GROUP BY file_path
    ORDER BY file_path LIMIT ?6)
ORDER BY path LIMIT ?6"""
"""Path and version of the next files, by path, that existed at or below a path at a time.

Parameters: the path, its range (`range_of`), the time in microseconds, the path after
which to begin, how many. The newest step of a path says where it stood: nowhere where
that removed it, or where a later one carried it off. A path of another program may have
versions and no steps: then its newest version is what it had.
"""

_LOGGED_AT = """
SELECT c.change_type <> 'deleted' AND NOT EXISTS (
    SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
    WHERE o.old_path = c.file_path
        AND obby_time(d.timestamp) BETWEEN obby_time(c.timestamp) AND ?2)
FROM file_changes c WHERE c.file_path = ?1 AND obby_time(c.timestamp) <= ?2
ORDER BY c.id DESC LIMIT 1"""


def files_at(db: Database, path: str, at: int) -> list[tuple[str, int]]:
    """Return the files at or below a path at a time, each with its version."""
    text = encode(path)
    with db.reading() as connection:
        rows = connection.execute(
            FILES_AT, (text, *range_of(text), at, "", (1 << 63) - 1)
        ).fetchall()
    return [(decode(found), version) for found, version in rows]


def logged_at(db: Database, path: str, at: int) -> bool:
    """Tell whether the bare change log says that a path was there at a time.

    A move away leaves no row of the path that the file left: that is read from the
    steps, for retention keeps every move.
    """
    with db.reading() as connection:
        row = connection.execute(_LOGGED_AT, (encode(path), at)).fetchone()
    return bool(row and row[0])
