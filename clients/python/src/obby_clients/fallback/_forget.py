"""Forgetting paths for good: every row that knows of them."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time

from .._lock import Lock
from ..tracker.values import Forgotten
from . import _past
from ._database import Database, columns_of
from ._index import reindex
from ._past import Join
from ._paths import decode, encode, quote, range_of, shown
from ._problems import Stale, problem
from ._record import keyed
from ._retention import name_in_diff
from ._roots import clean
from ._steps import CREATED, DELETED
from ._tracking import Tracker

__all__ = ["forget"]

_LOG = logging.getLogger("obby_clients.fallback")
_TRIES = 5
_SHOWN = 100  # paths that are named
_PATIENCE = 2.0  # seconds for another program to have checkpointed


class _UndoneError(Exception):
    """Takes back a transaction that was only to tell."""


class _Scope:
    """A path, or with all that is below it."""

    def __init__(self, path: str, *, recursive: bool) -> None:
        text = encode(path)
        self.args = (text, *(range_of(text) if recursive else ("", "")))

    @staticmethod
    def holds(column: str) -> str:
        """Return the condition that a column is in the scope."""
        return f"({column} = ?1 OR {column} >= ?2 AND {column} < ?3)"


def forget(tracker: Tracker, path: str, *, recursive: bool, dry: bool, vacuum: bool) -> Forgotten:
    """Remove every row of a path, or of all below it, from the history."""
    path = clean(path)
    scope = _Scope(path, recursive=recursive)
    for _ in range(_TRIES):
        try:
            gone, linked, versions, steps = _forget(tracker, scope, dry=dry)
            break
        except Stale:
            continue
    else:
        raise problem("DATABASE_BUSY", quote(path), "files keep moving into it or out of it")
    if not gone:
        raise problem("NEVER_RECORDED", quote(path))
    existing = [one for one in gone if os.path.lexists(one)]
    if not dry:
        _LOG.warning("forgotten for good: %s: %d paths", quote(path), len(gone))
    if vacuum and not dry:
        _vacuum(tracker.db)
    return Forgotten(len(gone), versions, steps, _named(linked), _named(existing))


def _named(paths: list[str]) -> tuple[str, ...]:
    return tuple(map(shown, paths[:_SHOWN]))


def _forget(tracker: Tracker, scope: _Scope, *, dry: bool) -> tuple[list[str], list[str], int, int]:
    joins = _partings(tracker, scope)
    told: tuple[list[str], list[str], int, int] = ([], [], 0, 0)
    try:
        with tracker.db.writing() as connection:
            told = _removed(tracker.db, connection, scope, joins)
            if dry:
                raise _UndoneError
            if told[0] and tracker.db.searchable:
                # A removed entry's words stay in older segments until these are merged.
                connection.execute("INSERT INTO obby_search (obby_search) VALUES ('optimize')")
    except _UndoneError:
        pass
    return told


def _partings(tracker: Tracker, scope: _Scope) -> list[Join]:
    """Return what becomes of the moves of which one end stays.

    What came from the scope was created where it is now, and what went there was
    deleted where it was.
    """
    new, old = scope.holds("d.file_path"), scope.holds("o.old_path")
    moves = "obby_diffs o JOIN content_diffs d ON d.id = o.diff_id"
    with tracker.db.reading() as connection:
        out = connection.execute(
            f"SELECT d.id, d.file_path, ifnull(d.new_version_id, 0) FROM {moves}"
            f" WHERE {old} AND NOT {new}",
            scope.args,
        ).fetchall()
        into = connection.execute(
            f"SELECT d.id, o.old_path, ifnull(d.old_version_id, 0) FROM {moves}"
            f" WHERE {new} AND NOT {old}",
            scope.args,
        ).fetchall()
    joins = []
    for step, text, version in out:
        diff = _past.diff_of(tracker.db, name_in_diff(tracker, decode(text)), 0, version)
        joins.append(Join(step, CREATED, 0, version, diff))
    for step, text, version in into:
        diff = _past.diff_of(tracker.db, name_in_diff(tracker, decode(text)), version, 0)
        joins.append(Join(step, DELETED, version, 0, diff, decode(text)))
    return joins


def _removed(
    db: Database, connection: sqlite3.Connection, scope: _Scope, joins: list[Join]
) -> tuple[list[str], list[str], int, int]:
    """Remove the rows; return the paths, those linked with them, and the counts."""
    here, new, old = (scope.holds(c) for c in ("file_path", "d.file_path", "o.old_path"))
    moves = "obby_diffs o JOIN content_diffs d ON d.id = o.diff_id"
    gone = _texts(
        connection,
        scope,
        f"SELECT file_path FROM file_versions WHERE {here}"
        f" UNION SELECT file_path FROM content_diffs WHERE {here}"
        f" UNION SELECT file_path FROM file_states WHERE {here}",
    )
    if not gone:
        return [], [], 0, 0
    linked = _texts(
        connection,
        scope,
        f"SELECT d.file_path FROM {moves} WHERE {old} AND NOT {new}"
        f" UNION SELECT o.old_path FROM {moves} WHERE {new} AND NOT {old}",
    )
    ids = json.dumps([one.id for one in joins])
    (missed,) = connection.execute(
        f"SELECT EXISTS (SELECT 1 FROM {moves} WHERE {old} <> {new}"
        " AND d.id NOT IN (SELECT value FROM json_each(?4)))",
        (*scope.args, ids),
    ).fetchone()
    if missed:
        raise Stale  # a move was recorded since the joins were made
    steps = connection.execute(f"SELECT id FROM content_diffs WHERE {here}", scope.args)
    _past.unpack(connection, [*(step for (step,) in steps), *(one.id for one in joins)])
    for one in joins:
        _past.join(connection, one)
        _leave(connection, one)
    reindex(db, connection, {encode(path): 0 for path in gone})
    counts = {
        table: connection.execute(statement, scope.args).rowcount
        for table, statement in _traces(connection, scope)
    }
    return gone, linked, counts["file_versions"], counts["content_diffs"]


def _leave(connection: sqlite3.Connection, one: Join) -> None:
    """Make of a move that was joined as a deletion a step of the path that the file left."""
    if not one.path:
        return
    path = encode(one.path)
    connection.execute(
        """UPDATE file_changes SET file_path = ?, change_type = ?, new_content_hash = NULL
        WHERE file_path = (SELECT file_path FROM content_diffs WHERE id = ?)
            AND substr(content_hash, ?) = ?""",
        (path, DELETED, one.id, 64 - 26 + 1, keyed(one.id)),
    )
    connection.execute(
        "UPDATE content_diffs SET file_path = ?, new_version_id = NULL WHERE id = ?",
        (path, one.id),
    )


def _traces(connection: sqlite3.Connection, scope: _Scope) -> list[tuple[str, str]]:
    """Return what removes every row, in an order in which each still finds its own."""
    here = scope.holds("file_path")
    versions = f"(SELECT id FROM file_versions WHERE {here})"
    diffs = f"(SELECT id FROM content_diffs WHERE {here})"
    blobs = f"""content_hash IN (SELECT content_hash FROM file_versions WHERE {here})
        AND NOT EXISTS (SELECT 1 FROM file_versions v
            WHERE v.content_hash = obby_blobs.content_hash AND NOT {scope.holds("v.file_path")})"""
    traces = [
        ("obby_requests", f"diff_id IN {diffs} OR version_id IN {versions}"),
        ("obby_outbox", f"diff_id IN {diffs}"),
        ("obby_diffs", f"diff_id IN {diffs}"),
        ("content_diffs", here),
        ("obby_labels", f"version_id IN {versions}"),
        ("obby_versions", f"version_id IN {versions}"),
        ("obby_blobs", blobs),
        ("file_changes", here),
        ("events", scope.holds("path")),
        ("file_states", here),
        ("obby_files", here),
        ("obby_indexed", here),
        ("obby_paths", here),
        *(
            (table, here)
            for table in ("semantic_entries", "semantic_analysis")
            if "file_path" in columns_of(connection, table)
        ),
        ("file_versions", here),
    ]
    return [(table, f"DELETE FROM {table} WHERE {condition}") for table, condition in traces]


def _texts(connection: sqlite3.Connection, scope: _Scope, statement: str) -> list[str]:
    return [decode(text) for (text,) in connection.execute(statement, scope.args)]


def _vacuum(db: Database) -> None:
    """Rewrite the database's files without what is not in use, and empty its log."""
    with db.reading() as connection:
        connection.execute("VACUUM")
        if not _emptied(db, connection):
            raise problem(
                "DATABASE_BUSY",
                "",
                "what was forgotten is gone from the history, but remains of it are in the"
                " database's log until that program lets go of it",
            )


def _emptied(db: Database, connection: sqlite3.Connection) -> bool:
    """Empty the log, unless another program is the one that checkpoints."""
    with Lock(f"{db.path}-checkpoint") as lock:
        until = time.monotonic() + _PATIENCE
        while not lock.taken():  # `obby-backend` has it for a moment, the content-tracker stays
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        (busy,) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[:1]
        return not busy
