"""Rows as other programs, and older ones, may have left them."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from obby_clients import fallback

__all__ = ["adopt", "make_alone"]

_FOLDER = "/adopted/notes"
_TIMES: list[Any] = [
    *("2024-03-05 10:11:12.123456", "2024-03-05T10:11:12", "2024-03-05 10:11", "2024-03-05"),
    *("2024-03-05T10:11:12.5+02:00", "2024-03-05 10:11:12Z", "2024-03-05 10:11:12-0330"),
    *("2024-03-05 10:11:12 +02:00", "2024-03-05 9:01:02", 1_709_633_472, 1_709_633_472.123456),
    *(1_709_633_472_123, "1709633472.25", -1.5, "yesterday", "", "0000-01-01", b"\xff\xfe"),
    # Shown twice, or never, by the clocks of Berlin and New York.
    *("2024-10-27 02:30:00", "2024-03-31 02:30:00", "2024-11-03 01:30:00", "2024-03-10 02:30:00"),
    *("2024-10-27T02:59:59.999999", "2024-02-30 00:00:00", b"2024-03-05 10:11:12"),
]
_TOPICS = ("go", "Go", "golang", "caf\u00e9", "a,b", "100%")
_LISTS = [
    ("go, golang ,, caf\u00e9", "k1,k2"),
    ('["go","a,b"]', '["k1"]'),
    ("[bad", 'x"y'),
    (None, ""),
    ('["go", 3, null]', "go"),
]


def make_alone(database: Path) -> None:
    """Make a database as the Python backend does, of which Go knows nothing."""
    schema = Path(fallback.__file__).with_name("schema") / "schema.sql"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(schema.read_text("utf-8"))


def adopt(database: Path) -> None:
    """Add such rows to a database."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("BEGIN IMMEDIATE")
        rows = _Rows(connection)
        rows.times()
        rows.odd_versions()
        rows.summaries()
        rows.labels()
        connection.execute("COMMIT")


class _Rows:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def times(self) -> None:
        """Write times in every form, and steps on many days."""
        for n, when in enumerate(_TIMES):
            path = f"{_FOLDER}/odd-{n % 7}.md"
            version = self.version(path, f"adopted {n}\ngo golang\n", when)
            kind = ("created", "modified", "deleted", "moved")[n % 4]
            self.step(path, kind, None if kind == "deleted" else version, when, n)
        version = self.version(f"{_FOLDER}/days.TXT", "days\n", "2025-02-01 12:00:00")
        for day in range(1, 29):
            if day % 6:
                when = f"2025-02-{day:02} 12:00:00"
                self.step(f"{_FOLDER}/days.TXT", "modified", version, when, day)

    def odd_versions(self) -> None:
        """Write a path without steps, bytes that are not UTF-8, no content, states alone."""
        for text in ("one\n", "two\n"):
            self.version(f"{_FOLDER}/stepless.md", text, "2024-05-05 10:00:00")
        path = f"{_FOLDER}/bytes.md"
        self.insert(
            "file_versions (file_path, content_hash, content, timestamp, change_description)"
            " VALUES (?, ?, CAST(? AS TEXT), '2024-05-05', CAST(? AS TEXT))",
            *(path, _hash(b"x\xe9\xe8y"), b"x\xe9\xe8y", b"caf\xe9\xe8"),
        )
        self.insert(
            "content_diffs (file_path, new_version_id, change_type, diff_content, timestamp)"
            " VALUES (?, last_insert_rowid(), 'created', CAST(? AS TEXT), '2024-05-05')",
            *(path, b"+x\xe9\xe8y\n\0z"),
        )
        self.insert(
            "file_versions (file_path, content_hash, timestamp) VALUES (?, ?, '2024-05-05')",
            *(f"{_FOLDER}/none.md", "0" * 64),
        )
        for name in ("odd-1.md", "state-only.md"):
            self.insert(
                "file_states (file_path, last_modified) VALUES (?, '2024-05-05')",
                f"{_FOLDER}/{name}",
            )

    def summaries(self) -> None:
        """Write topics and keywords in both places and forms."""
        (newest,) = self._connection.execute("SELECT max(id) FROM file_versions").fetchone()
        for n in range(40):
            entry = self.insert(
                "semantic_entries (version_id, timestamp, summary, file_path) VALUES (?, ?, ?, ?)",
                None if n % 3 else newest,
                _TIMES[n % 17],
                f"summary {n}",
                f"{_FOLDER}/odd-{n % 7}.md" if n % 5 else None,
            )
            for topic in (_TOPICS[n % 6], "x" * n or "zero"):
                self.insert("semantic_topics (entry_id, topic) VALUES (?, ?)", entry, topic)
            for word in (f"key{n % 9}", f"KEY{n % 4 + 20}"):
                self.insert("semantic_keywords (entry_id, keyword) VALUES (?, ?)", entry, word)
        for n, (topics, keywords) in enumerate(_LISTS):
            self.insert(
                "semantic_analysis (file_path, summary, topics, keywords, timestamp)"
                " VALUES (?, ?, ?, ?, ?)",
                *(f"{_FOLDER}/odd-{n}.md", f"analysis {n}", topics, keywords, _TIMES[n]),
            )

    def labels(self) -> None:
        """Mark some versions, where a content-tracker has made the table for it."""
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'obby_labels'"
        if self._connection.execute(tables).fetchone():
            versions = self._connection.execute("SELECT id FROM file_versions").fetchall()
            for n, (version,) in enumerate(versions[::50]):
                self._connection.execute(
                    "INSERT OR IGNORE INTO obby_labels (version_id, label, pinned)"
                    " VALUES (?, ?, ?)",
                    (version, f"draft {n}" if n % 3 else "", n % 2),
                )

    def version(self, path: str, text: str, when: Any) -> int:
        return self.insert(
            "file_versions (file_path, content_hash, content, line_count, timestamp)"
            " VALUES (?, ?, ?, ?, ?)",
            *(path, _hash(text.encode()), text, None if "one" in text else 2, when),
        )

    def step(self, path: str, kind: str, version: int | None, when: Any, added: int) -> None:
        self.insert(
            "content_diffs (file_path, new_version_id, change_type, diff_content, lines_added,"
            " lines_removed, timestamp) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(path, version, kind, "--- a\n\n+++ b\n\n", added, None if added % 3 else 1, when),
        )

    def insert(self, into: str, *values: Any) -> int:
        row = self._connection.execute(f"INSERT INTO {into}", values).lastrowid
        assert row is not None
        return row


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
