"""The committed changes, in the order of their ids: what events are made of.

The database is the one place that both sides write, so whoever follows it sees every
change once, in one order, whichever side recorded it. The ids of `content_diffs` are
given inside of a write transaction, of which there is one at a time: a reader that has
seen an id never finds a smaller one later. Nothing here needs grpcio.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from . import _options
from .fallback import _paths as paths
from .fallback._places import identity
from .fallback._query.errors import failed
from .fallback._times import NEVER, datetime_of, parse_time
from .values import AnyPath

__all__ = ["TOPIC", "Change", "Changes", "Place", "Replaced"]

_LOG = logging.getLogger("obby_clients.changes")

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


# Of the last step up to a time, looked for from the newest one on.
_NEWEST_FIRST = "SELECT id, timestamp FROM content_diffs ORDER BY id DESC"


class Replaced(Exception):  # noqa: N818 (it is no error: the place is to be found again)
    """The file is another one than that which a place was read from."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the record of steps: after the one with this id."""

    change_id: int
    time: int = 0
    """Of the step, microseconds since the Unix epoch; 0: not known, or unreadable."""
    database_id: str = ""
    file: int = 0
    """Which of the files it was read from that were there, one after the other."""

    @property
    def event_id(self) -> str:
        """Return the id of the step's event."""
        return f"{self.database_id}-{self.change_id}-{self.time}"

    @property
    def key(self) -> str:
        """Return the step's idempotency key, which is the content-tracker's too."""
        return f"{self.database_id}/{self.change_id}/{self.time}"


@dataclass(frozen=True, slots=True)
class Change:
    """One committed change, as it is published."""

    place: Place
    """The place behind it; a larger id: recorded later."""
    event_type: str
    """`created`, `modified`, `deleted` or `moved`."""
    data: bytes
    """The event's JSON: docs/events.md says what it holds."""


class Changes:
    """Reads the changes of a database; one connection, which threads may share.

    The file must have its tables: a ContentTracker of either side makes them. Where it
    was replaced, what is asked next is answered from the new file; a place in the old
    one is refused with Replaced, and `resumed` finds it again. Every call raises
    UnavailableError, with the reason DATABASE_UNAVAILABLE, while there is no file that
    can be read.
    """

    def __init__(self, database: AnyPath, roots: Iterable[AnyPath] = ()) -> None:
        _options.path("database", database)
        self._roots = [paths.text_of(root) for root in _options.paths("roots", roots)]
        self._path = os.path.abspath(os.fsdecode(database))
        self._lock = threading.Lock()  # guards what follows
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._file = 0
        self._database_id = ""
        with self._lock:
            self._current()

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._let_go()

    @property
    def database_id(self) -> str:
        """Random hexadecimal text; another one where the file is not of the same history."""
        with self._using():
            return self._database_id

    def newest(self) -> Place:
        """Return the place behind the newest change there ever was, or with the id 0."""
        with self._using() as connection:
            return self._place(connection.execute(_NEWEST).fetchone()[0])

    def tick(self) -> tuple[int, int]:
        """Return what is another one after every commit of anybody."""
        with self._using() as connection:
            return self._file, connection.execute("PRAGMA data_version").fetchone()[0]

    def count_after(self, place: Place, most: int) -> int:
        """Count the changes after a place, up to a number."""
        statement = "SELECT count(*) FROM (SELECT 1 FROM content_diffs WHERE id > ? LIMIT ?)"
        with self._using(place) as connection:
            return int(connection.execute(statement, (place.change_id, most)).fetchone()[0])

    def before_newest(self, count: int) -> Place:
        """Return the place after which there are so many changes, or fewer where all are."""
        statement = "SELECT id FROM content_diffs ORDER BY id DESC LIMIT 1 OFFSET ?"
        with self._using() as connection:
            row = connection.execute(statement, (count,)).fetchone()
            return self._place(row[0] if row else 0)

    def after(self, place: Place, limit: int = 200) -> list[Change]:
        """Return the changes after a place, oldest first."""
        with self._using(place) as connection:
            rows = connection.execute(_AFTER, (_MAX_DIFF + 1, place.change_id, limit))
            return [self._change(row) for row in rows.fetchall()]

    def held(self, place: Place) -> Place | None:
        """Return the same place in the present file; None: its step is not in it.

        An older copy of the database that was put back gives ids again: the time tells.
        """
        with self._using() as connection:
            return self._held(connection, place)

    def resumed(self, place: Place) -> Place:
        """Return where to go on in the present file, whatever it is.

        In one that was restored, after the last step up to the place's time, because
        what follows was recorded since; in another database after the newest step.
        """
        with self._using() as connection:
            if (held := self._held(connection, place)) is not None:
                return held
            if place.database_id == self._database_id and place.time:
                with closing(connection.execute(_NEWEST_FIRST)) as rows:
                    for number, timestamp in rows:
                        if _micros(timestamp) <= place.time:
                            return self._place(number)
                return self._place(0)
            return self._place(connection.execute(_NEWEST).fetchone()[0])

    def _held(self, connection: sqlite3.Connection, place: Place) -> Place | None:
        if place.database_id != self._database_id:
            return None
        found = self._place(place.change_id)
        if place.change_id > connection.execute(_NEWEST).fetchone()[0]:
            return None
        # Of a step that was forgotten since there is no time.
        return found if 0 in {place.time, found.time} or place.time == found.time else None

    def _place(self, change_id: int) -> Place:
        assert self._connection is not None
        row = self._connection.execute(
            "SELECT timestamp FROM content_diffs WHERE id = ?", (change_id,)
        ).fetchone()
        return Place(change_id, _micros(row[0]) if row else 0, self._database_id, self._file)

    @contextmanager
    def _using(self, place: Place | None = None) -> Iterator[sqlite3.Connection]:
        """Give the connection to the file that is there; raise Replaced if a place is not of it."""
        with self._lock:
            connection = self._current()
            if place is not None and place.file != self._file:
                raise Replaced
            try:
                yield connection
            except sqlite3.Error as error:  # locked for too long, or damaged
                raise failed("DATABASE_UNAVAILABLE", f"{self._path}: {error}") from error

    def _current(self) -> sqlite3.Connection:
        now = identity(self._path)
        if self._connection is not None and now != self._identity:
            self._let_go()
            _LOG.warning("the database was replaced or removed: %s", self._path)
        if self._connection is None:
            if now is None:
                raise failed("DATABASE_UNAVAILABLE", f"{self._path} does not exist: put it back")
            connection = self._opened()
            # If it is replaced meanwhile, the next call notices it.
            self._connection, self._identity = connection, now
            self._file += 1
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        uri = f"file:{quote(os.fsencode(self._path))}?mode=ro"
        connection = None
        try:
            connection = sqlite3.connect(
                uri, uri=True, timeout=10, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA query_only = ON")
            (self._database_id,) = connection.execute(
                "SELECT value FROM obby_meta WHERE key = 'database_id'"
            ).fetchone()
        except (sqlite3.Error, TypeError) as error:  # without a row, or a table, it is not ready
            if connection is not None:
                connection.close()
            raise failed("DATABASE_UNAVAILABLE", f"{self._path}: {error}") from error
        return connection

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _change(self, row: tuple[Any, ...]) -> Change:
        change_id, change_type, path, old_path, old_version, new_version, *rest = row
        content_hash, line_count, added, removed, diff, truncated, timestamp = rest
        exact = paths.decode(path)
        text, cut = _cut(diff)
        micros = parse_time(timestamp)
        place = Place(change_id, _micros(timestamp), self._database_id, self._file)
        event: dict[str, Any] = {
            "database_id": self._database_id,
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
        return Change(place, change_type, json.dumps(event, ensure_ascii=False).encode())

    def _root_of(self, path: str) -> str:
        """Return the innermost root that holds a path."""
        held = (root for root in self._roots if paths.below(root, path))
        return paths.shown(max(held, key=len, default=""))


def _micros(timestamp: object) -> int:
    """Return a stored time as keys have it: 0 where it cannot be read."""
    micros = parse_time(timestamp)
    return 0 if micros in {None, NEVER} else int(micros or 0)


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
