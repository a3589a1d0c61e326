"""Following the steps in pure Python, and the ends of it."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.fallback import AsyncQueryService, ContentTracker, QueryService
from obby_clients.fallback._query.diffs import Position
from obby_clients.query import Diff

from .conftest import wait_until
from .rows import Rows, make

UTC = timezone.utc
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def test_following(rows: Rows, ask: QueryService) -> None:
    first = rows.step("/a")
    with ask.diffs_since(BEGIN, follow=True, path_prefix="/a") as stream:
        assert next(stream).change_id == first
        rows.step("/b")  # is left out, and yet behind the cursor then
        wait_until(lambda: _next_cursor(stream) != _token(first))
        second = rows.step("/a/x")
        assert next(stream).change_id == second
        third = rows.step("/a/y")
        assert next(stream).change_id == third
        cursor = stream.cursor
    with pytest.raises(StopIteration):
        next(stream)
    fourth = rows.step("/a/z")
    assert [diff.change_id for diff in ask.diffs_since(cursor)] == [fourth]


def _next_cursor(stream: Any) -> str:
    """Take what is there without waiting for a step: only the cursor may move."""
    assert stream._source.take() is None
    return str(stream.cursor)


def _token(step: int) -> str:
    return Position(step, "").token()


def test_a_cursor_is_the_go_services() -> None:
    # So that a stream can change over from one side to the other.
    # Oracle: what the service gives; tests/test_query_service.py asks it.
    assert _token(7) == "6gF6Pxm5Ts57IklEIjo3LCJEYXRhYmFzZSI6IiIsIlRpbWUiOjB9"


def test_a_cursor_of_another_database_is_refused(tmp_path: Path) -> None:
    cursors = []
    for name in ("a.db", "b.db"):
        with ContentTracker(tmp_path / name, [tmp_path]), QueryService(tmp_path / name) as ask:
            with closing(Rows(tmp_path / name)) as rows:
                rows.step("/a")
            stream = ask.diffs_since(BEGIN)
            next(stream)
            cursors.append(stream.cursor)
    with QueryService(tmp_path / "a.db") as ask:
        assert list(ask.diffs_since(cursors[0])) == []
        with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
            next(ask.diffs_since(cursors[1]))


def test_a_cursor_of_a_step_that_a_restore_took_back(
    database: Path, rows: Rows, ask: QueryService
) -> None:
    # Case 60: the id that the cursor names is another step's now.
    step = rows.step("/a")
    stream = ask.diffs_since(BEGIN)
    next(stream)
    cursor = stream.cursor
    with closing(sqlite3.connect(database)) as changed, changed:
        changed.execute("UPDATE content_diffs SET timestamp = '2020-01-01 00:00:00'")
    with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
        next(ask.diffs_since(cursor))
    with closing(sqlite3.connect(database)) as changed, changed:
        changed.execute("DELETE FROM content_diffs WHERE id = ?", [step])
    assert list(ask.diffs_since(cursor)) == []  # a step that is gone was not replaced


def test_following_into_another_database(database: Path, rows: Rows, ask: QueryService) -> None:
    step = rows.step("/a")
    with ask.diffs_since(BEGIN, follow=True) as stream:
        assert next(stream).change_id == step
        wait_until(lambda: _next_cursor(stream))
        database.rename(database.with_name("old.db"))
        make(database)
        with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
            next(stream)


def _put(copy: Path, database: Path) -> None:
    """Replace a database as docs/operations.md says."""
    for suffix in ("-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    copy.rename(database)


@pytest.mark.parametrize("more", [1, 3])
def test_following_into_an_older_copy_that_has_overtaken(
    database: Path, rows: Rows, ask: QueryService, more: int
) -> None:
    # Case 60: what it recorded under the ids that were given already would never come.
    rows.step("/a")
    copy = database.with_name("copy.db")
    rows.run("VACUUM INTO ?", str(copy))
    second = rows.step("/a")
    with closing(Rows(copy)) as restored:
        for _ in range(more):
            restored.step("/b", "2024-03-06 10:00:00")
    with ask.diffs_since(BEGIN, follow=True, timeout=60) as stream:
        next(stream)
        assert next(stream).change_id == second
        wait_until(lambda: _next_cursor(stream))
        rows.close()
        _put(copy, database)
        with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
            next(stream)


def test_an_older_copy_between_two_pages(database: Path, rows: Rows, ask: QueryService) -> None:
    # Case 60: the steps of a page and of the next are of one file, or there is none.
    rows.step("/a")
    copy = database.with_name("copy.db")
    rows.run("VACUUM INTO ?", str(copy))
    with closing(Rows(copy)) as restored:
        for _ in range(1100):
            restored.step("/b", "2024-03-06 10:00:00")
    for _ in range(1100):
        rows.step("/a")
    stream = ask.diffs_since(BEGIN)
    next(stream)
    rows.close()
    _put(copy, database)
    with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
        list(stream)


def test_following_while_the_database_is_away(database: Path, rows: Rows) -> None:
    rows.step("/a")
    rows.close()
    with QueryService(database) as ask, ask.diffs_since(BEGIN, follow=True, retry_for=0) as stream:
        next(stream)
        database.rename(database.with_name("old.db"))
        with pytest.raises(oc.UnavailableError):
            next(stream)


def test_closing_ends_streams(rows: Rows, database: Path) -> None:
    rows.step("/a")
    ask = QueryService(database)
    stream = ask.diffs_since(BEGIN, follow=True)
    next(stream)
    closing_thread = threading.Timer(0.1, ask.close)
    closing_thread.start()
    with pytest.raises(oc.ClosedError):
        next(stream)
    closing_thread.join()
    with pytest.raises(oc.ClosedError):
        ask.activity_stats()


def test_case_64_no_time_is_no_call(ask: QueryService) -> None:
    for timeout in (0.0, -1.0):
        with pytest.raises(oc.DeadlineError):
            ask.activity_stats(timeout=timeout)
    with (
        ask.diffs_since(BEGIN, follow=True, timeout=0.05) as stream,
        pytest.raises(oc.DeadlineError),
    ):
        next(stream)


def test_asyncio(rows: Rows, database: Path) -> None:
    first = rows.step("/a")

    async def work() -> list[Any]:
        async with AsyncQueryService(database) as ask:
            stats = await ask.activity_stats()
            listed = [diff.change_id async for diff in ask.recent_diffs()]
            stream = ask.diffs_since(BEGIN, follow=True)
            async with stream:
                seen: list[Diff] = [await stream.__anext__()]
                rows.step("/b")
                seen.append(await stream.__anext__())
            return [stats.total.changes, listed, [diff.path for diff in seen]]

    assert asyncio.run(work()) == [1, [first], ["/a", "/b"]]
