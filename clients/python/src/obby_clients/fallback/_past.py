"""Taking steps out of the history, and joining those that stay: the SQL of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from ._content import TEXT, Content, valid
from ._database import Database, columns_of
from ._diff import CONTEXT, MAX_STORED, Diff, between
from ._paths import encode
from ._problems import Stale
from ._steps import CREATED, DELETED, MODIFIED, MOVED
from ._store import content_of

__all__ = [
    "Join",
    "PastStep",
    "Thinning",
    "bytes_of",
    "diff_of",
    "join",
    "past",
    "paths",
    "thin",
    "type_of",
    "unpack",
]

_SUMMARIES = ("semantic_entries", "semantic_analysis")


@dataclass(frozen=True, slots=True)
class PastStep:
    """A recorded step, as retention sees it."""

    id: int
    type: str
    old: int
    new: int
    """Versions; 0: none."""
    at: int
    fixed: bool
    """Kept whatever the rules say: a move, a pinned or summarised version, one to publish."""
    bytes: int
    """Of its diff and its new version."""

    @property
    def incomplete(self) -> bool:
        """It is another program's and does not say which versions it is between."""
        if self.type == DELETED:
            return False
        return self.new == 0 or (self.old == 0 and self.type != CREATED)


@dataclass(frozen=True, slots=True)
class Join:
    """Makes a step begin at an older version than it did."""

    id: int
    type: str
    old: int
    new: int
    diff: Diff
    path: str = ""
    """The step becomes one of this path; empty: it stays where it is."""


@dataclass(frozen=True, slots=True)
class Thinning:
    """What a path is to lose."""

    path: str
    past: list[PastStep]
    """The path's steps, of which it was made."""
    joins: list[Join]
    gone: list[int]


def paths(connection: sqlite3.Connection) -> list[str]:
    """Return the paths with more than one step, in their text form."""
    rows = connection.execute(
        "SELECT file_path FROM content_diffs GROUP BY file_path HAVING count(*) > 1"
        " ORDER BY file_path"
    )
    return [path for (path,) in rows]


def past(connection: sqlite3.Connection, path: str, *, publish: bool) -> list[PastStep]:
    """Return a path's steps, oldest first."""
    referenced = "".join(
        f" OR EXISTS (SELECT 1 FROM {table} e WHERE e.version_id = d.new_version_id)"
        for table in _summaries(connection, "version_id")
    )
    if publish:
        referenced += " OR EXISTS (SELECT 1 FROM obby_outbox q WHERE q.diff_id = d.id)"
    rows = connection.execute(
        f"""SELECT d.id, d.change_type, ifnull(d.old_version_id, 0), ifnull(d.new_version_id, 0),
            ifnull(obby_time(d.timestamp), 0), d.change_type = '{MOVED}' OR EXISTS (
                SELECT 1 FROM obby_labels l WHERE l.version_id = d.new_version_id AND l.pinned)
                {referenced},
            {_size("d.diff_content")} + {_size("v.content")} + {_size("b.data")}
        FROM content_diffs d
        LEFT JOIN file_versions v ON v.id = d.new_version_id
        LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash
        WHERE d.file_path = ? ORDER BY d.id""",
        (path,),
    )
    return [
        PastStep(number, kind, old, new, at, bool(fixed), size)
        for number, kind, old, new, at, fixed, size in rows
    ]


def _size(column: str) -> str:
    """Return the bytes of a column: octet_length is newer than some Pythons' SQLite."""
    return f"ifnull(length(CAST({column} AS BLOB)), 0)"


def _summaries(connection: sqlite3.Connection, column: str) -> list[str]:
    """Return which tables of the product's summaries have a column."""
    return [table for table in _SUMMARIES if column in columns_of(connection, table)]


def bytes_of(connection: sqlite3.Connection) -> int:
    """Return what contents and diffs take."""
    total = 0
    for table, column in (
        ("file_versions", "content"),
        ("content_diffs", "diff_content"),
        ("obby_blobs", "data"),
    ):
        query = f"SELECT ifnull(sum({_size(column)}), 0) FROM {table}"
        total += connection.execute(query).fetchone()[0]
    return total


def diff_of(db: Database, name: str, old: int, new: int) -> Diff:
    """Return the diff between two versions; 0: nothing is there."""
    nothing = Content("", TEXT, "none", 0, 0, b"")
    before = content_of(db, old) if old else nothing
    after = content_of(db, new) if new else nothing
    names = (name if old else "", name if new else "")
    return between(names, before, after, CONTEXT, MAX_STORED)


def type_of(old: int, new: int) -> str:
    """Return what a step between two versions is; 0: nothing is there."""
    if new == 0:
        return DELETED
    return MODIFIED if old else CREATED


def thin(
    connection: sqlite3.Connection, thinning: Thinning, *, publish: bool
) -> tuple[int, int, int]:
    """Remove steps, and versions that are needed no more; return how many, and the bytes.

    Raises Stale where the path's steps are others by now.
    """
    if past(connection, encode(thinning.path), publish=publish) != thinning.past:
        raise Stale
    gone = json.dumps(thinning.gone)
    those = "(SELECT value FROM json_each(?1))"
    steps, size = connection.execute(
        f"SELECT count(*), ifnull(sum({_size('diff_content')}), 0) FROM content_diffs"
        f" WHERE id IN {those}",
        (gone,),
    ).fetchone()
    unpack(connection, [*thinning.gone, *(one.id for one in thinning.joins)])
    for one in thinning.joins:
        join(connection, one)
    candidates = [
        version
        for (version,) in connection.execute(
            f"SELECT old_version_id FROM content_diffs WHERE id IN {those}"
            f" UNION SELECT new_version_id FROM content_diffs WHERE id IN {those}",
            (gone,),
        )
        if version is not None
    ]
    for table in ("obby_diffs", "obby_requests", "obby_outbox"):
        connection.execute(f"DELETE FROM {table} WHERE diff_id IN {those}", (gone,))
    connection.execute(f"DELETE FROM content_diffs WHERE id IN {those}", (gone,))
    versions, freed = _drop_versions(connection, candidates)
    return steps, versions, size + freed


def unpack(connection: sqlite3.Connection, steps: Iterable[int]) -> None:
    """Take apart the content-tracker's blocks of steps that are about to change."""
    connection.execute(
        """DELETE FROM obby_steps WHERE first_id IN (SELECT
            (SELECT max(first_id) FROM obby_steps WHERE first_id <= value) FROM json_each(?))""",
        (json.dumps(list(steps)),),
    )


def join(connection: sqlite3.Connection, one: Join) -> None:
    """Have a step begin at an older version."""
    diff = one.diff
    connection.execute(
        """UPDATE content_diffs SET old_version_id = ?, change_type = ?, diff_content = ?,
            lines_added = ?, lines_removed = ? WHERE id = ?""",
        (one.old or None, one.type, valid(diff.text), diff.added, diff.removed, one.id),
    )
    connection.execute("DELETE FROM obby_diffs WHERE diff_id = ?", (one.id,))
    if diff.truncated:
        connection.execute("INSERT INTO obby_diffs (diff_id, truncated) VALUES (?, 1)", (one.id,))


def _drop_versions(connection: sqlite3.Connection, candidates: Iterable[int]) -> tuple[int, int]:
    """Remove those of the versions that nothing refers to any more."""
    unreferenced = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM {table} e WHERE e.version_id = v.id)"
        for table in _summaries(connection, "version_id")
    )
    rows = connection.execute(
        f"""SELECT v.id, v.content_hash, {_size("v.content")}
        FROM json_each(?) c JOIN file_versions v ON v.id = c.value
        JOIN file_states s ON s.file_path = v.file_path
        WHERE v.content_hash IS NOT s.content_hash
            AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.old_version_id = v.id)
            AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.new_version_id = v.id)
            AND NOT EXISTS (SELECT 1 FROM obby_indexed i
                WHERE i.file_path = v.file_path AND i.version_id = v.id)
            AND NOT EXISTS (SELECT 1 FROM obby_labels l WHERE l.version_id = v.id AND l.pinned)
            {unreferenced}""",
        (json.dumps(list(candidates)),),
    ).fetchall()
    ids = json.dumps([number for number, _, _ in rows])
    for table in ("obby_labels", "obby_requests", "obby_versions"):
        connection.execute(
            f"DELETE FROM {table} WHERE version_id IN (SELECT value FROM json_each(?))", (ids,)
        )
    connection.execute(
        "DELETE FROM file_versions WHERE id IN (SELECT value FROM json_each(?))", (ids,)
    )
    blobs = """FROM obby_blobs WHERE content_hash IN (SELECT value FROM json_each(?)) AND NOT EXISTS
        (SELECT 1 FROM file_versions v WHERE v.content_hash = obby_blobs.content_hash)"""
    hashes = (json.dumps([digest for _, digest, _ in rows]),)
    (freed,) = connection.execute(
        f"SELECT ifnull(sum({_size('data')}), 0) {blobs}", hashes
    ).fetchone()
    connection.execute(f"DELETE {blobs}", hashes)
    return len(rows), freed + sum(size for _, _, size in rows)
