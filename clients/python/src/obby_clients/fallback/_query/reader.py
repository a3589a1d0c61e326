"""Reading the database: never writing it, and never holding it."""

from __future__ import annotations

import os
import sqlite3
import urllib.parse
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from ...errors import FailedPreconditionError
from ...values import AnyPath
from .._database import columns_of, locate, verify
from .._paths import decode, shown
from .._places import identity
from .._times import NEVER, datetime_of, parse_time
from .errors import failed, of_sqlite

__all__ = ["PAGE_BYTES", "Answers", "Page", "Reader", "at", "time_of", "valid"]

T = TypeVar("T")
Row = tuple[Any, ...]

PAGE_BYTES = 3 << 20
"""What the items of a page may take; a page ends early where its rows are large."""

_BUSY_TIMEOUT = 10.0

# The tables, and of these the columns, that statements name and a file may lack.
_OPTIONAL = {
    "obby_meta": ("key", "value"),
    "obby_versions": ("version_id", "kind", "size_bytes", "mtime_ns"),
    "obby_blobs": ("content_hash", "data"),
    "obby_diffs": ("diff_id", "old_path", "truncated"),
    "obby_labels": ("id", "version_id", "label", "pinned"),
    "semantic_entries": ("id", "version_id", "timestamp", "summary", "file_path"),
    "semantic_topics": ("entry_id", "topic"),
    "semantic_keywords": ("entry_id", "keyword"),
    "semantic_analysis": ("id", "file_path", "summary", "topics", "keywords", "timestamp"),
}


class Page(NamedTuple):
    """A part of a list."""

    items: list[Any]
    more: bool
    """The list goes on."""


class Answers:
    """An open connection. `indexed` tells whether its file can be searched by FTS5."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        verify(connection)
        self._with = _stand_ins(connection)
        # By its name: where the module is missing, nothing more can be asked of the table.
        self.indexed = bool(
            connection.execute(
                """SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'obby_search')
                AND EXISTS (SELECT 1 FROM pragma_module_list WHERE name = 'fts5')"""
            ).fetchone()[0]
        )

    def rows(self, statement: str, args: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run a statement, in which every optional table may be named."""
        return self.connection.execute(self._with + statement, args)

    def match(self, matches: Callable[[str], bool]) -> None:
        """Have obby_match, of a path as it is stored, as a blob, mean this."""
        self.connection.create_function(
            "obby_match",
            1,
            lambda stored: matches(decode(stored.decode("utf-8", "surrogateescape"))),
        )

    def row(self, statement: str, args: Sequence[Any] = ()) -> Row:
        """Run a statement that gives one row."""
        row: Row = self.rows(statement, args).fetchone()
        return row

    def page(
        self,
        statement: str,
        args: Sequence[Any],
        limit: int,
        item: Callable[[Row], T],
    ) -> Page:
        """Run a statement whose last parameter is LIMIT; return at most `limit` items."""
        items: list[T] = []
        size = 0
        with closing(self.rows(statement, (*args, limit + 1))) as rows:
            for row in rows:
                size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
                if len(items) == limit or (size > PAGE_BYTES and items):
                    return Page(items, True)
                items.append(item(row))
        return Page(items, False)


class Reader:
    """Stands for the database at a path, whatever lies there when an answer is wanted."""

    def __init__(self, path: AnyPath) -> None:
        self._path = os.fsdecode(path)

    def identity(self) -> tuple[int, int] | None:
        """Return what tells the file from one that replaced it; None where there is none."""
        return identity(self._path)

    @contextmanager
    def opened(self) -> Iterator[Answers]:
        """Open the database for one answer.

        Raises UnavailableError where there is none that can be used, and for what
        SQLite meets meanwhile.
        """
        with closing(self._connect()) as connection:
            try:
                yield Answers(connection)
            except sqlite3.Error as error:
                raise of_sqlite(error) or error from error
            except FailedPreconditionError as error:
                if error.reason != "DATABASE_UNUSABLE":
                    raise
                raise failed("DATABASE_UNAVAILABLE", error.message) from error

    def _connect(self) -> sqlite3.Connection:
        try:
            file = locate(self._path)
            if not os.path.exists(file):
                raise failed(
                    "DATABASE_UNAVAILABLE",
                    f"database {file} does not exist: start the content-tracker, which makes it",
                )
            # Without `file:` SQLite takes the rest for a part of the name. Another
            # thread may drop the last reference.
            connection = sqlite3.connect(
                f"file:{urllib.parse.quote(os.fsencode(file))}?mode=ro",
                uri=True,
                timeout=_BUSY_TIMEOUT,
                isolation_level=None,
                check_same_thread=False,
            )
        except sqlite3.Error as error:
            raise failed("DATABASE_UNAVAILABLE", f"{self._path}: {error}") from error
        except FailedPreconditionError as error:
            raise failed("DATABASE_UNAVAILABLE", error.message) from error
        try:
            connection.execute("PRAGMA query_only = 1")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
        except sqlite3.Error as error:
            connection.close()
            raise of_sqlite(error) or error from error
        # A TEXT column can hold bytes that are not UTF-8.
        connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
        connection.create_function("obby_time", 1, parse_time, deterministic=True)
        return connection


def _stand_ins(connection: sqlite3.Connection) -> str:
    """Return the WITH clause that lets every statement name every optional table.

    An empty table stands in for one that the file lacks, NULL for a column.
    """
    tables = []
    for table, columns in _OPTIONAL.items():
        have = columns_of(connection, table)
        if have.keys() >= set(columns):
            continue
        values = ", ".join(column if column in have else "NULL" for column in columns)
        source = f"FROM main.{table}" if have else "WHERE false"
        tables.append(f"{table} ({', '.join(columns)}) AS (SELECT {values} {source})")
    return f"WITH {', '.join(tables)} " if tables else ""


def at(column: str) -> str:
    """Return the expression for the time in a column: microseconds, or NULL.

    A function of Python's cannot be given text that is not UTF-8.
    """
    return (
        f"obby_time(CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB)"
        f" ELSE {column} END)"
    )


def time_of(micros: int | None) -> datetime | None:
    """Return a time that was read by `at`; None where it is unreadable."""
    return None if micros is None or micros == NEVER else datetime_of(micros)


def valid(text: str) -> str:
    """Make a stored text fit to show: U+FFFD for each run of what is not UTF-8."""
    return shown(text)
