"""The content-tracker in Python beside others: the service, other writers, older files."""

from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import fallback
from obby_clients.tracker import TrackChange, TrackOutcome

from .processes import REPOSITORY


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_sides_take_turns(root: Path, tmp_path: Path, start: Callable[..., Any]) -> None:
    """Either side goes on where the other stopped: one line of steps, one answer a request."""
    database, note = tmp_path / "obby.db", root / "a.md"
    service = start("content-tracker", "--database", str(database), "--root", str(root))
    requests = [str(uuid.uuid4()) for _ in range(6)]
    results: list[Any] = []
    with (
        oc.ContentTrackerClient(service.target) as go,
        fallback.ContentTracker(database, [root]) as python,
    ):
        go.wait_ready(60)
        for n, request_id in enumerate(requests):
            note.write_text("".join(f"{line}\n" for line in range(n + 1)))
            first, second = (go, python) if n % 2 else (python, go)
            made = first.track_change(note, request_id=request_id)
            again = second.track_change(note, request_id=request_id)  # client case 40
            assert (again.change_id, again.outcome) == (made.change_id, TrackOutcome.RECORDED)
            assert again.diff == made.diff
            assert second.track_change(note).outcome is TrackOutcome.UNCHANGED
            results.append(made)
    for before, after in itertools.pairwise(results):
        assert after.old_version_id == before.version.version_id
        assert (after.diff.lines_added, after.diff.lines_removed) == (1, 0)
    count = "SELECT count(*) FROM content_diffs WHERE file_path LIKE '%.md'"
    assert rows(database, count) == [(6,)]


def test_batch_that_broke_off(root: Path, tmp_path: Path, start: Callable[..., Any]) -> None:
    """Client case 41: what the service has recorded of a batch is not recorded again."""
    database = tmp_path / "obby.db"
    service = start("content-tracker", "--database", str(database), "--root", str(root))
    changes = []
    for n in range(100):
        (root / f"{n}.md").write_text(f"{n}\n")
        changes.append(TrackChange(root / f"{n}.md", request_id=str(uuid.uuid4())))
    with oc.ContentTrackerClient(service.target) as go:
        go.wait_ready(60)
        with go.track_batch(changes) as stream:
            answered = {next(stream).index for _ in range(40)}
    left = [change for n, change in enumerate(changes) if n not in answered]
    with fallback.ContentTracker(database, [root]) as python:
        items = list(python.track_batch(left))
    assert len(items) == 60
    assert all(item.error is None for item in items)
    assert rows(database, "SELECT count(*), count(DISTINCT file_path) FROM content_diffs") == [
        (100, 100)
    ]


def test_many_at_once(root: Path, tmp_path: Path) -> None:
    """Tracker case 35: of many who track one path each state is recorded once, in one line."""
    database, note = tmp_path / "obby.db", root / "a.md"
    made = [fallback.ContentTracker(database, [root]) for _ in range(3)]

    def track(one: fallback.ContentTracker) -> None:
        for _ in range(5):
            one.track_change(note)

    for state in range(5):
        note.write_text(f"{state}\n")
        threads = [threading.Thread(target=track, args=[one]) for one in made for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for one in made:
        one.close()
    steps = rows(database, "SELECT old_version_id, new_version_id FROM content_diffs ORDER BY id")
    assert [new for _, new in steps] == [1, 2, 3, 4, 5]
    assert [old for old, _ in steps] == [None, 1, 2, 3, 4]


def test_locked_database(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tracker case 39: a lock that lasts is UNAVAILABLE, nothing is half written."""
    monkeypatch.setattr("obby_clients.fallback._database._BUSY_TIMEOUT", 0.05)
    database = tmp_path / "obby.db"
    (root / "a.md").write_text("x")
    with (
        fallback.ContentTracker(database, [root]) as made,
        closing(sqlite3.connect(database, isolation_level=None)) as other,
    ):
        made.track_change(root / "a.md")
        (root / "a.md").write_text("y")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(oc.UnavailableError) as failed:
            made.track_change(root / "a.md")
        assert failed.value.reason == "DATABASE_BUSY"
        assert failed.value.retry_delay
        other.execute("ROLLBACK")
        assert made.track_change(root / "a.md").change_id == 2


def test_full_disk(root: Path, tmp_path: Path) -> None:
    """Tracker case 38: an error, nothing left behind, and it recovers."""
    (root / "a.md").write_text("x\n")
    with fallback.ContentTracker(tmp_path / "obby.db", [root]) as made:
        with made._db.reading() as connection:
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
            connection.execute(f"PRAGMA max_page_count = {pages}")
        (root / "b.md").write_text("long line\n" * 20_000)
        with pytest.raises(oc.ResourceExhaustedError) as failed:
            made.track_change(root / "b.md")
        assert failed.value.reason == "DISK_FULL"
        with made._db.reading() as connection:
            connection.execute("PRAGMA max_page_count = 1000000")
        assert made.track_change(root / "b.md").change_id == 1


def test_an_older_file_is_adopted(root: Path, tmp_path: Path, start: Callable[..., Any]) -> None:
    """Tracker case 41: a file of the product, of both sides adopted alike."""
    legacy = (REPOSITORY / "internal/sqlitetest/legacy.sql").read_text("utf-8")
    schemas = []
    for n in range(2):
        database = tmp_path / f"{n}.db"
        with closing(sqlite3.connect(database)) as connection:
            connection.executescript(legacy)
        if n:
            service = start("content-tracker", "--database", str(database), "--root", str(root))
            with oc.ContentTrackerClient(service.target) as go:
                go.wait_ready(60)
        else:
            fallback.ContentTracker(database, [root]).close()
        schemas.append(set(rows(database, "SELECT type, name, sql FROM sqlite_master")))
    assert schemas[0] == schemas[1]


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        ("CREATE TABLE file_versions (id INTEGER)", "the table file_versions lacks the column"),
        ("CREATE TABLE config_values (key TEXT)", "the table file_versions is missing"),
        ("", "newer release"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, prepare: str, says: str) -> None:
    database = tmp_path / "obby.db"
    if not prepare:
        fallback.ContentTracker(database, [tmp_path]).close()
        prepare = "UPDATE obby_schema SET version = 99"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(prepare)
        connection.commit()
    with pytest.raises(oc.FailedPreconditionError, match=says):
        fallback.ContentTracker(database, [tmp_path])


def test_places_where_no_database_can_be(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "text").write_text("no database, " * 100)
    for name, says in (
        ("missing/obby.db", "its directory does not exist: create"),
        (".", "is a directory: name a file in it"),
        ("fifo", "is not a regular file"),
        ("text", "not an SQLite database: name another file"),
    ):
        with pytest.raises(oc.FailedPreconditionError, match=says):
            fallback.ContentTracker(tmp_path / name, [tmp_path])


def test_found_by_search(root: Path, tmp_path: Path) -> None:
    """Rows that another program wrote are found when a tracker opens the file again."""
    database = tmp_path / "obby.db"
    fallback.ContentTracker(database, [root]).close()
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "INSERT INTO file_versions (file_path, content_hash, content, timestamp)"
            " VALUES ('/n/a.md', ?, 'written elsewhere', '2024-01-01 00:00:00.000000')",
            ("a" * 64,),
        )
        connection.commit()
    with fallback.ContentTracker(database, [root]) as made, made._db.reading() as connection:
        query = "SELECT rowid FROM obby_search WHERE obby_search MATCH 'elsewhere'"
        assert connection.execute(query).fetchall() == [(1,)]


def test_root_that_is_gone(tmp_path: Path) -> None:
    """Below a root that is missing or replaced nothing counts as deleted."""
    root = tmp_path / "notes"
    root.mkdir()
    (root / ".obbywatch").write_text("*\n")
    (root / "a.md").write_text("x\n")
    with fallback.ContentTracker(tmp_path / "obby.db", [root]) as made:
        made.track_change(root / "a.md")
        root.rename(tmp_path / "away")
        root.mkdir()
        for call in (lambda: made.track_change(root / "a.md"), lambda: list(made.reconcile())):
            with pytest.raises(oc.FailedPreconditionError) as failed:
                call()
            assert failed.value.reason == "ROOT_WAITING"
        *_, last = made.reconcile(accept_replaced_root=True)
        assert (last.done, last.changes_recorded) == (True, 1)
        assert made.track_change(root / "a.md").version is None
    steps = rows(tmp_path / "obby.db", "SELECT change_type FROM content_diffs ORDER BY id")
    assert steps == [("created",), ("deleted",)]


def test_after_a_fork(root: Path, tmp_path: Path) -> None:
    """Client case 56: a tracker that was made before a fork works in parent and child."""
    program = """
import os, pathlib, sys
from obby_clients import fallback

root, database = map(pathlib.Path, sys.argv[1:])
tracker = fallback.ContentTracker(database, [root])
note = root / "a.md"
for text in ("parent", "child", "parent again"):
    note.write_text(text)
    if text != "child":
        tracker.track_change(note)
    elif os.fork() == 0:
        os._exit(tracker.track_change(note).change_id != 2)
    else:
        assert os.wait()[1] == 0
print(tracker.track_change(note).version.version_id)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, root, tmp_path / "obby.db"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.returncode) == ("3\n", 0), done.stderr
