"""The full-text index: the newest version of each live path that is text.

Where this Python's SQLite has no FTS5 nothing is done: the content-tracker indexes
what is behind when it runs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping

from ._database import Database

__all__ = ["HEAD_VERSION", "catch_up", "head_versions", "reindex"]

HEAD_VERSION = """CASE WHEN s.file_path IS NOT NULL
    THEN (SELECT id FROM file_versions
        WHERE file_path = s.file_path AND content_hash = s.content_hash)
    ELSE (SELECT max(id) FROM file_versions WHERE file_path = paths.value) END"""
"""Id of the version that is the head of a path of `paths`, with its row `s` of file_states.

A path of another program may have versions and no state: its newest version is its head.
"""

_BATCH = 1000

# Where paths come from whose entry may be outdated: new versions, and new steps at both
# ends of a move. The cursors are the content-tracker's.
_NEW_ROWS = {
    "indexed_file_versions": "SELECT r.id, r.file_path, '' FROM file_versions r",
    "indexed_content_diffs": """SELECT r.id, r.file_path, ifnull(o.old_path, '')
        FROM content_diffs r LEFT JOIN obby_diffs o ON o.diff_id = r.id""",
}


def reindex(db: Database, connection: sqlite3.Connection, want: Mapping[str, int]) -> None:
    """Have the index hold a version of each path, in its text form; 0: none.

    An entry is removed with exactly the values that it was made of; where another
    program deleted that row they are lost, and the entry dangles: readers join it away.
    """
    if not db.searchable or not want:
        return
    want = dict(want)
    gone, paths = _outdated(connection, want)
    come = sorted(version for version in want.values() if version)
    for statement, rows in (
        (
            """INSERT INTO obby_search (obby_search, rowid, file_path, content)
            SELECT 'delete', id, file_path, content FROM file_versions
            WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id""",
            gone,
        ),
        ("DELETE FROM obby_indexed WHERE file_path IN (SELECT value FROM json_each(?))", paths),
        (
            """INSERT INTO obby_search (rowid, file_path, content)
            SELECT id, file_path, content FROM file_versions
            WHERE id IN (SELECT value FROM json_each(?)) AND content IS NOT NULL ORDER BY id""",
            come,
        ),
        (
            """INSERT OR REPLACE INTO obby_indexed (file_path, version_id)
            SELECT file_path, id FROM file_versions
            WHERE id IN (SELECT value FROM json_each(?)) AND content IS NOT NULL""",
            come,
        ),
    ):
        if rows:
            connection.execute(statement, (json.dumps(rows),))


def _outdated(connection: sqlite3.Connection, want: dict[str, int]) -> tuple[list[int], list[str]]:
    """Return the versions, and their paths, that must go; remove what is indexed already."""
    gone, paths = [], []
    for path, version in connection.execute(
        "SELECT i.file_path, i.version_id FROM json_each(?) j"
        " CROSS JOIN obby_indexed i ON i.file_path = j.value",
        (json.dumps(list(want)),),
    ).fetchall():
        if want[path] == version:
            del want[path]
        else:
            gone.append(version)
            paths.append(path)
    return gone, paths


def head_versions(connection: sqlite3.Connection, paths: Iterable[str]) -> dict[str, int]:
    """Return which version of each path, in its text form, is its head; 0: none is."""
    rows = connection.execute(
        f"""SELECT paths.value, ifnull({HEAD_VERSION}, 0)
        FROM json_each(?) paths LEFT JOIN file_states s ON s.file_path = paths.value""",
        (json.dumps(list(paths)),),
    )
    return dict(rows.fetchall())


def catch_up(db: Database) -> None:
    """Index the rows that other programs wrote, and those that the content-tracker left."""
    more = db.searchable
    while more:
        with db.writing() as connection:
            more = _catch_up_once(db, connection)


def _catch_up_once(db: Database, connection: sqlite3.Connection) -> bool:
    paths: set[str] = set()
    more = False
    for cursor, query in _NEW_ROWS.items():
        rows = connection.execute(
            f"""{query} WHERE r.id > ifnull((SELECT CAST(value AS INTEGER)
                FROM obby_meta WHERE key = ?), 0) ORDER BY r.id LIMIT ?""",
            (cursor, _BATCH),
        ).fetchall()
        if not rows:
            continue
        paths.update(path for row in rows for path in row[1:] if path)
        more = more or len(rows) == _BATCH
        connection.execute(
            "INSERT OR REPLACE INTO obby_meta (key, value) VALUES (?, ?)",
            (cursor, str(rows[-1][0])),
        )
    reindex(db, connection, head_versions(connection, paths))
    return more
