"""The shared SQLite file: opening it, making it, adopting one that is there.

It is used by the rules of docs/database.md: WAL, BEGIN IMMEDIATE, and no checkpoint
but SQLite's own when the last connection closes, for the content-tracker does that
and two programs that checkpoint at one instant can corrupt the file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..values import AnyPath
from ._places import explained, identity, locate, refused
from ._problems import problem
from ._times import parse_time

__all__ = ["Database", "columns_of", "locate", "refused", "verify"]

_BUSY_TIMEOUT = 10.0
# Our own tables, each script from the version that is its place to the next one.
_OWN_SCRIPTS = ("obby.sql", "steps.sql")
_SCHEMA = Path(__file__).with_name("schema")

# The tables and columns without which nothing works; files of different age lack others.
_INDISPENSABLE = {
    "file_versions": "id file_path content_hash content line_count timestamp change_description",
    "content_diffs": "id file_path old_version_id new_version_id change_type diff_content"
    " lines_added lines_removed timestamp",
    "file_changes": "id file_path change_type old_content_hash new_content_hash timestamp"
    " content_hash",
    "events": "id type path timestamp size",
    "file_states": "id file_path content_hash last_modified line_count file_size",
}
_OTHERS = (
    "semantic_entries semantic_topics semantic_keywords semantic_analysis semantic_search"
    " config_values watch_patterns migration_log"
)


_ALL: weakref.WeakSet[Database] = weakref.WeakSet()
# Of a fork's parent. They are neither used nor closed in the child, but kept: SQLite's
# close would take its turn at the parent's files.
_INHERITED: list[sqlite3.Connection] = []


def _forked() -> None:
    for database in _ALL:
        database.forked()


os.register_at_fork(after_in_child=_forked)


class Database:
    """One connection, used by one thread at a time, and one in each process.

    Opening it makes the file where there is none. `searchable` tells whether this
    Python's SQLite has full-text search (FTS5): without it an index that is there
    is left to the content-tracker.

    SQLite goes on writing to a file that was replaced or removed, where nobody reads it.
    So whoever meets that here gets UnavailableError, and the next one the new file.
    """

    def __init__(self, path: AnyPath) -> None:
        self._given = os.path.abspath(os.fsdecode(path))
        self.path = locate(self._given)
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None  # of the open file; None: of none yet
        self.file = 0
        """Counts the files that were opened at the path: what is known of one is its own."""
        _ALL.add(self)
        self.searchable = True
        with self.reading():
            pass

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def forked(self) -> None:
        """Begin anew in the child of a fork: the parent may hold the lock."""
        if self._connection is not None:
            _INHERITED.append(self._connection)
        self._lock, self._connection = threading.RLock(), None

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection outside of a transaction."""
        with self._lock:
            if self._connection is None:
                self._connection = self._opened()
            else:
                self._check()
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside of a write transaction, which an exception undoes."""
        with self.reading() as connection:
            with _transaction(connection):
                yield connection
            self._check()  # or it was replaced meanwhile, and the commit went with it

    def same(self, file: int) -> None:
        """Raise UnavailableError where the open file is another one than it was."""
        if self.file != file:
            raise problem("DATABASE_REPLACED", f"database {self.path}")

    def _check(self) -> None:
        """Raise UnavailableError where another file, or none, is at the path by now."""
        if identity(self._given) == self._identity:
            return
        self._let_go()
        raise problem("DATABASE_REPLACED", f"database {self.path}")

    def _opened(self) -> sqlite3.Connection:
        self.path = locate(self._given)
        before = identity(self.path)
        # An operator who is about to put a file there would copy it over a new one.
        if self.file and (before is None or not os.stat(self.path).st_size):
            raise problem(
                "DATABASE_REPLACED",
                f"database {self.path}",
                "there is none at the moment: put one there, or start this program again, which"
                " makes a new one",
            )
        connection = self._connected()
        found = identity(self.path)
        if before is not None and found != before:
            connection.close()
            raise problem("DATABASE_REPLACED", f"database {self.path}")
        self._identity = found
        self.file += 1
        return connection

    def _connected(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self.path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise explained(self.path, error) from error
        try:
            self._prepare(connection)
        except sqlite3.Error as error:
            connection.close()
            raise explained(self.path, error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        if Path(self.path).stat().st_size == 0:
            connection.execute("PRAGMA page_size = 8192")  # as the content-tracker has it
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise refused(
                f"database {self.path}: SQLite cannot use WAL mode here, only {mode}: keep the"
                " file on a local disk"
            )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.create_function("obby_time", 1, parse_time, deterministic=True)
        self.searchable = bool(
            connection.execute(
                "SELECT count(*) FROM pragma_module_list WHERE name = 'fts5'"
            ).fetchone()[0]
        )
        with _transaction(connection):
            self._adopt(connection)

    def _adopt(self, connection: sqlite3.Connection) -> None:
        """Make the file ready: see docs/database.md. It may be called on every start."""
        names = [*_INDISPENSABLE, *_OTHERS.split()]
        (found,) = connection.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND"
            f" (name GLOB 'living_note_*' OR name IN ({', '.join('?' * len(names))}))",
            names,
        ).fetchone()
        if not found:
            _run(connection, "schema.sql")
        verify(connection)
        version = _own_version(connection)
        if version == 0 and not self.searchable:
            raise refused(
                f"database {self.path}: this Python's SQLite has no full-text search (FTS5): start"
                " the content-tracker once, which makes the tables, or use another Python"
            )
        for number, script in enumerate(_OWN_SCRIPTS[version:], version + 1):
            _run(connection, script)
            connection.execute(
                "UPDATE obby_schema SET version = ? WHERE component = 'store'", (number,)
            )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it already
            connection.execute("ROLLBACK")
        raise


def _run(connection: sqlite3.Connection, name: str) -> None:
    """Run a script inside of the present transaction, which executescript would end."""
    statement = ""
    for line in (_SCHEMA / name).read_text("utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""


def columns_of(connection: sqlite3.Connection, table: str) -> dict[str, bool]:
    """Return the columns of a table, each with whether a row must give it a value."""
    rows = connection.execute(
        'SELECT name, "notnull" AND dflt_value IS NULL AND NOT pk FROM pragma_table_info(?)',
        (table,),
    )
    return {name: bool(required) for name, required in rows}


def verify(connection: sqlite3.Connection) -> None:
    """Raise FailedPreconditionError where the file lacks something, or is too new."""
    for table, need in _INDISPENSABLE.items():
        _verify_table(table, need.split(), columns_of(connection, table))
    version = _own_version(connection)
    if version > len(_OWN_SCRIPTS):
        raise refused(
            f"the database was written by a newer release (obby tables of version {version}, this"
            f" program knows {len(_OWN_SCRIPTS)}): run that release or a later one"
        )


def _own_version(connection: sqlite3.Connection) -> int:
    """Return the version of our own tables, 0 where there are none."""
    if not columns_of(connection, "obby_schema"):
        return 0
    (version,) = connection.execute(
        "SELECT coalesce(max(version), 0) FROM obby_schema WHERE component = 'store'"
    ).fetchone()
    return int(version)


def _verify_table(table: str, need: list[str], columns: dict[str, bool]) -> None:
    if not columns:
        raise refused(
            f"the table {table} is missing: let the Python backend create its tables, or start"
            " with a file that has none of them"
        )
    for name in need:
        if name not in columns:
            raise refused(
                f"the table {table} lacks the column {name}: let the Python backend bring the file"
                " up to date"
            )
    for name, required in columns.items():
        if required and name not in need:
            raise refused(
                f"the table {table} has the unknown column {name} that must have a value: give it"
                " a default"
            )
