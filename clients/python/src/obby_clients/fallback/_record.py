"""Writing the history: a step is one transaction.

Version, diff, state, change, event, index and outbox rows stand or fall together. The
head of a path is file_states.content_hash, which other programs write too, so a step
compares it inside its transaction.
"""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from ._content import Content, Stat, valid
from ._database import Database, columns_of
from ._index import head_versions, reindex
from ._paths import encode
from ._problems import Stale, problem
from ._steps import DELETED, MOVED, Result, Step, Version
from ._store import HOURS_24, head_of
from ._times import SECOND, format_time, now_micros
from ._versions import add_version, describe, fill, insert

__all__ = ["change_key", "keyed", "record", "set_label", "set_root", "touch", "unchanged"]

_MAX_AHEAD = 12 * 3600 * SECOND  # how far a time may run ahead of the clock to stay in order


def record(db: Database, step: Step, *, publish: bool) -> Result:
    """Record a step. Raises Stale, and records nothing, where the head has moved on."""
    with db.writing() as connection:
        expected = [(step.path, step.before)]
        if step.type == MOVED:
            expected = [(step.path, step.over), (step.old_path, step.before)]
        for path, head in expected:
            now = head_of(connection, path).version
            if (now.id, now.hash) != (head.version.id, head.version.hash):
                raise Stale  # of a file that was restored, an id may be another version's
        newest = (step.over if step.type == MOVED else step.before).observed
        step = replace(step, observed=_after(step.observed, newest))
        version = 0 if step.type == DELETED else add_version(connection, step)
        change = _add_diff(connection, step, version)
        _add_change(connection, step, change)
        _set_state(connection, step)
        want = {encode(step.old_path): 0} if step.type == MOVED else {}
        reindex(db, connection, {**want, encode(step.path): version})
        if publish:
            # A row of this id is of a step that another program removed.
            connection.execute("INSERT OR REPLACE INTO obby_outbox (diff_id) VALUES (?)", (change,))
        _remember(connection, step.request_id, change, version)
    return _result(step, change, version)


def _after(observed: int, newest: int | None) -> int:
    """Keep the times of a path's steps in order though clocks step back (cases 33, 34)."""
    if newest is None or observed > newest or newest + 1 - observed > _MAX_AHEAD:
        return observed
    return newest + 1


def _result(step: Step, change: int, number: int) -> Result:
    version, after = None, step.after
    if number and after is None:  # a move that was not read
        version = replace(step.before.version, id=number, observed=step.observed)
    elif number and after is not None:
        version = Version(
            number,
            after.hash,
            after.line_count,
            after.size,
            after.kind,
            after.eol,
            step.observed,
            after.stat.mtime,
        )
    return Result(True, change, step.type, version, step.before.version.id, step.diff)


def _add_diff(connection: sqlite3.Connection, step: Step, version: int) -> int:
    diff = step.diff
    change = insert(
        connection,
        """INSERT INTO content_diffs (file_path, old_version_id, new_version_id, change_type,
            diff_content, lines_added, lines_removed, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        encode(step.path),
        step.before.version.id or None,
        version or None,
        step.type,
        valid(diff.text),
        diff.added,
        diff.removed,
        format_time(step.observed),
    )
    if step.old_path or diff.truncated:
        connection.execute(
            "INSERT OR REPLACE INTO obby_diffs (diff_id, old_path, truncated) VALUES (?, ?, ?)",
            (change, encode(step.old_path) or None, diff.truncated),
        )
    return change


def change_key(change: int, observed: int) -> str:
    """Return the change log's de-duplication key of a step: it has the form of a hash."""
    return f"{b'obby change'.hex()}{observed:016x}{keyed(change)}"


def keyed(change: int) -> str:
    """Return how the key of a step ends."""
    return f"{change:026x}"


def _add_change(connection: sqlite3.Connection, step: Step, change: int) -> None:
    path, observed = encode(step.path), format_time(step.observed)
    connection.execute(
        """INSERT INTO file_changes (file_path, change_type, old_content_hash, new_content_hash,
            timestamp, content_hash) VALUES (?, ?, ?, ?, ?, ?)""",
        (
            path,
            step.type,
            step.before.version.hash or None,
            step.new_hash,
            observed,
            change_key(change, step.observed),
        ),
    )
    connection.execute(
        "INSERT INTO events (type, path, timestamp, size) VALUES (?, ?, ?, ?)",
        (step.type, path, observed, step.stat.size),
    )


def _set_state(connection: sqlite3.Connection, step: Step) -> None:
    """Move the head pointer."""
    if step.type in {DELETED, MOVED}:
        left = step.path if step.type == DELETED else step.old_path
        _put_state(connection, left, modified=step.observed)
        connection.execute("DELETE FROM obby_files WHERE file_path = ?", (encode(left),))
    if step.type != DELETED:
        lines = step.after.line_count if step.after else step.before.version.line_count
        _put_state(
            connection,
            step.path,
            modified=step.stat.mtime // 1000,
            digest=step.new_hash,
            lines=lines,
            size=step.stat.size,
        )
        _put_stat(connection, step.path, step.stat)


def _put_state(
    connection: sqlite3.Connection,
    path: str,
    *,
    modified: int,
    digest: str | None = None,
    lines: int = 0,
    size: int = 0,
) -> None:
    # An old file has no updated_at (case 41).
    stamped = "updated_at" in columns_of(connection, "file_states")
    connection.execute(
        f"""INSERT INTO file_states (file_path, content_hash, last_modified, line_count, file_size)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (file_path) DO UPDATE SET content_hash = excluded.content_hash,
            last_modified = excluded.last_modified, line_count = excluded.line_count,
            file_size = excluded.file_size
            {", updated_at = CURRENT_TIMESTAMP" if stamped else ""}""",
        (encode(path), digest, format_time(modified), lines, size),
    )


def _put_stat(connection: sqlite3.Connection, path: str, stat: Stat) -> None:
    connection.execute(
        """INSERT OR REPLACE INTO obby_files
        (file_path, device, inode, size_bytes, mtime_ns, ctime_ns) VALUES (?, ?, ?, ?, ?, ?)""",
        (
            encode(path),
            _signed(stat.device),
            _signed(stat.inode),
            stat.size,
            stat.mtime,
            stat.ctime,
        ),
    )


def touch(db: Database, path: str, version: int, content: Content) -> None:
    """Note what else is told by a file that still has a version's content."""
    with db.writing() as connection:
        _put_stat(connection, path, content.stat)
        filled = fill(connection, version, content)
        describe(connection, version, content)
        if filled:
            reindex(db, connection, head_versions(connection, [encode(path)]))


def unchanged(db: Database, request_id: str, version: int) -> None:
    """Remember that a request recorded nothing."""
    with db.writing() as connection:
        _remember(connection, request_id, 0, version)


def _remember(connection: sqlite3.Connection, request_id: str, change: int, version: int) -> None:
    if not request_id:
        return
    now = now_micros()
    connection.execute("DELETE FROM obby_requests WHERE created_at < ?", (now - HOURS_24,))
    connection.execute(
        "INSERT OR REPLACE INTO obby_requests (request_id, diff_id, version_id, created_at)"
        " VALUES (?, ?, ?, ?)",
        (request_id, change or None, version or None, now),
    )


def set_root(db: Database, root: str, stat: Stat) -> None:
    """Record which directory a root is."""
    with db.writing() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO obby_roots (root_path, device, inode) VALUES (?, ?, ?)",
            (encode(root), _signed(stat.device), _signed(stat.inode)),
        )


def set_label(db: Database, version: int, label: str, *, pinned: bool) -> None:
    """Label a version and pin it, or take both back; raises VERSION_NOT_FOUND."""
    with db.writing() as connection:
        if not connection.execute(
            "SELECT EXISTS (SELECT 1 FROM file_versions WHERE id = ?)", (version,)
        ).fetchone()[0]:
            raise problem("VERSION_NOT_FOUND", f"version {version}")
        connection.execute("DELETE FROM obby_labels WHERE version_id = ?", (version,))
        if label or pinned:
            connection.execute(
                "INSERT INTO obby_labels (version_id, label, pinned) VALUES (?, ?, ?)",
                (version, label, pinned),
            )


def _signed(number: int) -> int:
    """SQLite's integers are signed; inode numbers use all 64 bits."""
    return number - (1 << 64) if number >= 1 << 63 else number
