"""Databases as the Python backend leaves them, in which no Go service ever ran."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from obby_clients import fallback

SCHEMA = Path(fallback.__file__).with_name("schema") / "schema.sql"


def make(database: Path) -> None:
    """Make an empty one."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA.read_text())


class Rows:
    """Writes what the Python backend would."""

    def __init__(self, database: Path) -> None:
        self._connection = sqlite3.connect(database, isolation_level=None)

    def close(self) -> None:
        self._connection.close()

    def version(self, path: str, text: str, when: Any = "2024-03-05 10:00:00") -> int:
        digest = hashlib.sha256(text.encode()).hexdigest()
        return self._insert(
            "file_versions (file_path, content_hash, content, timestamp)", path, digest, text, when
        )

    def step(self, path: str, when: Any = "2024-03-05 10:00:00", **more: Any) -> int:
        columns = ["file_path", "timestamp", "change_type", *more]
        return self._insert(
            f"content_diffs ({', '.join(columns)})", path, when, "modified", *more.values()
        )

    def topic(self, path: str, topic: str, when: Any = "2024-03-05 10:00:00") -> None:
        entry = self._insert("semantic_entries (file_path, timestamp, summary)", path, when, topic)
        self._insert("semantic_topics (entry_id, topic)", entry, topic)

    def run(self, statement: str, *args: Any) -> Any:
        return self._connection.execute(statement, args).fetchall()

    def _insert(self, into: str, *values: Any) -> int:
        marks = ", ".join("?" * len(values))
        row = self._connection.execute(f"INSERT INTO {into} VALUES ({marks})", values).lastrowid
        assert row is not None
        return row
