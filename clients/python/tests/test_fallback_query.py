"""The query-service in pure Python, by itself: tests/parity compares its answers with Go's."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.fallback import AsyncQueryService, ContentTracker, QueryService
from obby_clients.fallback._query.reader import Reader
from obby_clients.query import BucketSize, ChangeType, Diff, SearchMode, TopicSource

from .conftest import wait_until

UTC = timezone.utc
SCHEMA = Path(oc.__file__).parent / "fallback" / "schema" / "schema.sql"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a database in which no Go service ever ran."""
    path = tmp_path / "obby.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA.read_text())
    return path


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this machine in a place where clocks change."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


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


@pytest.fixture
def rows(database: Path) -> Iterator[Rows]:
    with closing(Rows(database)) as rows:
        yield rows


@pytest.fixture
def ask(database: Path) -> Iterator[QueryService]:
    with QueryService(database) as service:
        yield service


def test_it_has_the_methods_of_the_client() -> None:
    calls = {name for name in dir(oc.QueryClient) if name[0] != "_"}
    for fallback, client in (
        (QueryService("obby.db"), oc.QueryClient()),
        (AsyncQueryService("obby.db"), oc.AsyncQueryClient()),
    ):
        assert calls - {"service"} <= set(dir(fallback))
        for name in calls - {"service", "is_async", "close"}:
            ours = inspect.signature(getattr(fallback, name)).parameters
            theirs = inspect.signature(getattr(client, name)).parameters
            assert {k: v.default for k, v in ours.items()} == {
                k: v.default for k, v in theirs.items()
            }, name
            assert [v.annotation for v in ours.values()] == [
                v.annotation for v in theirs.values()
            ], name


def test_it_needs_neither_grpcio_nor_protobuf(database: Path) -> None:
    program = """
import sys
sys.modules["grpc"] = sys.modules["google.protobuf"] = None
from obby_clients.fallback import QueryService
with QueryService(sys.argv[1]) as ask:
    print(ask.activity_stats().total.changes, list(ask.recent_diffs()))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, str(database)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout == "0 []\n"


def test_it_never_writes(database: Path) -> None:
    with Reader(database).opened() as answers, pytest.raises(sqlite3.OperationalError):
        answers.connection.execute("CREATE TABLE x (y)")


def test_case_43_an_empty_database(ask: QueryService) -> None:
    stats = ask.activity_stats()
    assert (stats.total.changes, stats.by_file, stats.first_time) == (0, (), None)
    assert (stats.longest_gap, stats.longest_streak, stats.active_days) == (None, None, 0)
    assert ask.time_analysis().total.lines_added == 0
    for items in (ask.recent_diffs(), ask.files("/"), ask.labels(), ask.search_content("x")):
        assert list(items) == []
    now = datetime.now(UTC)
    assert ask.time_analysis(start_time=now, end_time=now).buckets == ()
    with pytest.raises(oc.InvalidArgumentError, match="the start is after the end") as error:
        ask.activity_stats(start_time=now, end_time=now - timedelta(seconds=1))
    assert [violation.field for violation in error.value.field_violations] == ["start_time"]
    with pytest.raises(oc.NotFoundError):
        list(ask.file_versions("/never"))


def test_case_43_a_range_includes_its_start_and_excludes_its_end(
    rows: Rows, ask: QueryService
) -> None:
    rows.step("/a", 1_700_000_000)
    when = datetime.fromtimestamp(1_700_000_000, UTC)
    tick = timedelta(microseconds=1)
    assert len(list(ask.recent_diffs(start_time=when, end_time=when + tick))) == 1
    assert list(ask.recent_diffs(start_time=when + tick)) == []
    assert list(ask.recent_diffs(end_time=when)) == []


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("2024-03-05 10:11:12.123456", "2024-03-05T09:11:12.123456"),
        ("2024-03-05 10:11:12", "2024-03-05T09:11:12"),
        ("2024-03-05T10:11:12.5", "2024-03-05T09:11:12.5"),
        ("2024-03-05T10:11:12Z", "2024-03-05T10:11:12"),
        ("2024-03-05 10:11:12-0330", "2024-03-05T13:41:12"),
        (" 2024-03-05 10:11:12 +02:00 ", "2024-03-05T08:11:12"),
        ("2024-03-05 9:11", "2024-03-05T08:11"),
        ("2024-03-05", "2024-03-04T23:00"),
        (1_709_633_472, "2024-03-05T10:11:12"),
        (1_709_633_472.123456, "2024-03-05T10:11:12.123456"),
        (1_709_633_472_123, "2024-03-05T10:11:12.123"),
        ("1709633472.25", "2024-03-05T10:11:12.25"),
        (-1.5, "1969-12-31T23:59:58.5"),
        # The clock shows it twice, and the other not at all; as Go reads them.
        ("2024-10-27 02:30:00", "2024-10-27T01:30"),
        ("2024-03-31 02:30:00", "2024-03-31T01:30"),
        ("yesterday", None),
        ("", None),
        ("0000-01-01", None),
        ("2024-02-30 00:00:00", None),
        (b"\xff", None),
    ],
)
def test_cases_44_to_46_stored_times(
    rows: Rows, ask: QueryService, stored: Any, read: str | None
) -> None:
    rows.step("/a", stored)
    (diff,) = ask.recent_diffs()
    assert diff.observe_time == (read and datetime.fromisoformat(_padded(read) + "+00:00"))
    ever = datetime(1900, 1, 1, tzinfo=UTC)
    assert len(list(ask.diffs_since(ever))) == (read is not None)


def _padded(text: str) -> str:
    whole, dot, fraction = text.partition(".")
    return whole + dot + fraction.ljust(6, "0") if dot else whole


def test_case_47_steps_of_one_second(rows: Rows, ask: QueryService) -> None:
    steps = [rows.step(f"/{n}", "2024-03-05 10:00:00") for n in range(1200)]
    since = datetime(2024, 1, 1, tzinfo=UTC)
    with ask.diffs_since(since, text=False) as stream:
        seen = [next(stream).change_id for _ in range(700)]
        seen += [diff.change_id for diff in ask.diffs_since(stream.cursor)]
    assert seen == steps
    assert [diff.change_id for diff in ask.recent_diffs(page_size=7)] == steps[::-1]


@pytest.mark.parametrize(
    ("zone", "start", "days", "size", "count"),
    [
        ("Europe/Berlin", "2024-03-30T23:00", 1, BucketSize.HOUR, 24),
        ("Europe/Berlin", "2024-10-26T22:00", 1, BucketSize.HOUR, 24),
        ("Europe/Berlin", "2024-03-29T23:00", 3, BucketSize.DAY, 4),
        ("America/Sao_Paulo", "2018-11-03T03:00", 3, BucketSize.DAY, 4),
        ("America/Havana", "2024-11-02T04:00", 3, BucketSize.DAY, 3),
        ("Pacific/Apia", "2011-12-29T10:00", 2, BucketSize.DAY, 2),
        ("Australia/Lord_Howe", "2024-10-05T13:30", 1, BucketSize.HOUR, 25),
        ("UTC", "2024-03-06T12:00", 14, BucketSize.WEEK, 3),
    ],
)
def test_case_48_clocks_change(  # noqa: PLR0917
    ask: QueryService, zone: str, start: str, days: int, size: BucketSize, count: int
) -> None:
    begin = datetime.fromisoformat(start + "+00:00")
    answer = ask.time_analysis(
        start_time=begin, end_time=begin + timedelta(days=days), time_zone=zone, bucket_size=size
    )
    assert len(answer.buckets) == count
    ends = [bucket.end_time for bucket in answer.buckets]
    starts = [bucket.start_time for bucket in answer.buckets]
    assert [begin, *ends] == [*starts, begin + timedelta(days=days)]


def test_case_49_limits(rows: Rows, ask: QueryService) -> None:
    for n in range(1005):
        rows.step(f"/{n}")
    assert len(list(ask.recent_diffs(page_size=1 << 30))) == 1005
    assert len(list(ask.recent_diffs(limit=3))) == 3
    for calls in (
        lambda: list(ask.recent_diffs(page_size=-1)),
        lambda: ask.activity_stats(list_size=-1),
        lambda: list(ask.search_content("x", max_lines=-1)),
    ):
        with pytest.raises(oc.InvalidArgumentError, match="-1 is negative"):
            calls()
    with pytest.raises(ValueError, match="cannot be negative"):
        ask.recent_diffs(limit=-1)
    with pytest.raises(ValueError, match="has no time zone"):
        ask.recent_diffs(start_time=datetime(2024, 1, 1))


def test_case_50_a_slow_reader_holds_nothing(rows: Rows, ask: QueryService) -> None:
    for n in range(1200):
        rows.step(f"/{n}")
    since = datetime(2024, 1, 1, tzinfo=UTC)
    with ask.diffs_since(since) as stream:
        slow = iter(ask.recent_diffs(page_size=1))
        first = next(slow), next(stream)
        ((busy, _, _),) = rows.run("PRAGMA wal_checkpoint(TRUNCATE)")
        assert (busy, all(first)) == (0, True)


def test_case_51_a_long_diff_is_cut(rows: Rows, ask: QueryService) -> None:
    rows.step("/a", diff_content="\u20ac" * (2 << 20))
    rows.step("/b", diff_content="+x\n")
    short, long = ask.recent_diffs()
    assert (short.diff, short.truncated) == ("+x\n", False)
    assert long.truncated
    assert 3 * len(long.diff) <= 3 << 20


@pytest.fixture
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[QueryService, Path]]:
    """Give a database with an index, of some contents, and the folder that it is of."""
    # Not tmp_path: it has the words of the test in it.
    folder = (tmp_path_factory.mktemp("x") / "notes").resolve()
    folder.mkdir()
    (folder / ".obbywatch").write_text("*.md\n*.txt\n")
    for name, text in CONTENTS.items():
        (folder / name).write_text(text)
    with ContentTracker(folder.with_name("indexed.db"), [folder]) as tracker:
        list(tracker.reconcile(folder))
    with QueryService(folder.with_name("indexed.db")) as service:
        yield service, folder


CONTENTS = {
    "shopping.md": "buy milk\nand eggs\n",
    "caf\u00e9.md": "un caf\u00e9 noir, cafe\u0301 au lait\n",
    "japan.md": "\u65e5\u672c\u8a9e\u306e\u691c\u7d22\u3067\u3059\n",
    "code.txt": "C++ foo.bar it's x=1\n<script>alert(1)</script>\n",
    "party.md": "\U0001f389 party, and milk\nmilk again\n",
    "milk.txt": "nothing\n",
}


def names(results: Any) -> list[str]:
    return [os.path.basename(result.path) for result in results]


@pytest.mark.parametrize(
    "text",
    [
        *("", " \t\u3000", '"', "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "*", "---", "-> ^"),
        *("foo.bar", "it's", "a/b", "C++", "x=1", "x-y", "a:b", "a\0b", "\U0001f389"),
    ],
)
def test_cases_52_and_53_plain_words_are_never_an_error(
    indexed: tuple[QueryService, Path], ask: QueryService, text: str
) -> None:
    for service in (indexed[0], ask):
        for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING):
            list(service.search_content(text, mode=mode))


@pytest.mark.parametrize(
    ("text", "mode", "found"),
    [
        ("C++", SearchMode.PLAIN, ["code.txt"]),  # case 53
        ("--- party", SearchMode.PLAIN, ["party.md"]),
        ("\u691c\u7d22", SearchMode.PLAIN, ["japan.md"]),  # case 54: inside of a run
        ("\u672c", SearchMode.SUBSTRING, ["japan.md"]),
        ("cafe", SearchMode.PLAIN, ["caf\u00e9.md"]),  # case 56
        ("CAFE\u0301", SearchMode.PLAIN, ["caf\u00e9.md"]),
        ("\U0001f389", SearchMode.SUBSTRING, ["party.md"]),
        ("ILK AG", SearchMode.SUBSTRING, ["party.md"]),
        ("milk", SearchMode.PLAIN, ["milk.txt", "party.md", "shopping.md"]),
        ("milk NOT eggs", SearchMode.ADVANCED, ["milk.txt", "party.md"]),
        ("path:mil* OR egg*", SearchMode.ADVANCED, ["milk.txt", "shopping.md"]),
        ('content:("milk again")', SearchMode.ADVANCED, ["party.md"]),
    ],
)
def test_searches(
    indexed: tuple[QueryService, Path], text: str, mode: SearchMode, found: list[str]
) -> None:
    ask, folder = indexed
    assert sorted(names(ask.search_content(text, mode=mode))) == found
    assert names(ask.search_content(text, mode=mode, path_prefix=folder / "none")) == []
    assert sorted(names(ask.search_content(text, mode=mode, extensions="md"))) == [
        name for name in found if name.endswith(".md")
    ]


def test_without_an_index_contents_are_read_by_the_same_rules(
    indexed: tuple[QueryService, Path], rows: Rows, ask: QueryService
) -> None:
    for version in sorted(indexed[0].files(indexed[1]), key=lambda version: version.version_id):
        rows.version(version.path, CONTENTS[os.path.basename(version.path)])
    for text, mode in (
        *((text, SearchMode.PLAIN) for text in ("milk", "cafe", "\u691c\u7d22", "and milk", "md")),
        *((text, SearchMode.ADVANCED) for text in ("milk NOT eggs", "path:milk OR noir", "mil*")),
        ("ilk", SearchMode.SUBSTRING),
    ):
        with_index, without = (
            [
                (r.path, r.snippet, r.highlights, r.lines)
                for r in service.search_content(text, mode=mode)
            ]
            for service in (indexed[0], ask)
        )
        assert with_index == without
        assert with_index


def test_case_57_nothing_is_escaped_and_places_are_told(
    indexed: tuple[QueryService, Path],
) -> None:
    (found,) = indexed[0].search_content("alert", max_lines=1, context_lines=1)
    assert "<script>alert(1)</script>" in found.snippet
    assert [found.snippet[mark.start : mark.end] for mark in found.highlights] == ["alert"]
    assert [(line.line_number, len(line.highlights)) for line in found.lines] == [(1, 0), (2, 1)]


def test_a_mistake_in_an_advanced_search_has_its_place(ask: QueryService) -> None:
    with pytest.raises(oc.InvalidArgumentError) as error:
        list(ask.search_content("caf\u00e9 AND", mode=SearchMode.ADVANCED))
    assert error.value.metadata == {"position": "5"}


def test_case_58_topics_are_compared_exactly(rows: Rows, ask: QueryService) -> None:
    for path, topic in (("/a", "go"), ("/b", "golang"), ("/c", "100%"), ("/d", "GO"), ("/%", "x")):
        rows.topic(path, topic)
    rows.run(
        "INSERT INTO semantic_analysis (file_path, summary, topics, timestamp)"
        """ VALUES ('/e', 's', 'go, b', 1), ('/f', 's', '["go"]', 2), ('/g', 's', '[go', 3)"""
    )
    assert [file.path for file in ask.topic_files("go")] == ["/a", "/d", "/f", "/e"]
    assert [file.path for file in ask.topic_files("100%")] == ["/c"]
    assert {file.source for file in ask.topic_files("go")} == {TopicSource.SUMMARIES}
    assert list(ask.recent_diffs(path_prefix="/%")) == []


def test_topics_by_content_where_there_are_no_summaries(
    indexed: tuple[QueryService, Path],
) -> None:
    found = list(indexed[0].topic_files("milk"))
    assert sorted(names(found)) == ["milk.txt", "party.md", "shopping.md"]
    assert {(file.source, file.entry_count) for file in found} == {(TopicSource.CONTENT, 0)}


def test_case_59_what_is_gone_is_not_found(indexed: tuple[QueryService, Path]) -> None:
    ask, folder = indexed
    (folder / "shopping.md").unlink()
    database = folder.with_name("indexed.db")
    with ContentTracker(database, [folder]) as tracker:
        tracker.track_change(folder / "shopping.md")
    with closing(sqlite3.connect(database)) as connection:  # which leaves its entry dangling
        connection.execute("DELETE FROM file_versions WHERE file_path LIKE '%party.md'")
        connection.commit()
    assert names(ask.search_content("milk")) == ["milk.txt"]


def test_case_60_a_database_that_comes_late_and_is_replaced(database: Path, tmp_path: Path) -> None:
    with QueryService(tmp_path / "late.db") as ask:
        with pytest.raises(oc.UnavailableError, match="does not exist") as error:
            ask.activity_stats()
        assert error.value.reason == "DATABASE_UNAVAILABLE"
        database.rename(tmp_path / "late.db")
        assert ask.activity_stats().total.changes == 0
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
            other.execute("PRAGMA journal_mode = WAL")
            other.executescript(SCHEMA.read_text())
            other.execute(
                "INSERT INTO content_diffs (file_path, change_type, timestamp)"
                " VALUES ('/a', 'moved', 1)"
            )
            other.commit()
        (tmp_path / "other.db").rename(tmp_path / "late.db")
        assert ask.activity_stats().total.changes == 1


def test_case_61_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "obby.db").write_text("no database, but long enough to be looked at\n" * 40)
    with QueryService(tmp_path / "obby.db") as ask, pytest.raises(oc.ObbyError) as error:
        ask.activity_stats()
    assert error.value.reason == "DATABASE_DAMAGED"
    assert error.value.code is oc.errors.StatusCode.DATA_LOSS
    with QueryService(tmp_path) as ask, pytest.raises(oc.UnavailableError, match="a directory"):
        ask.activity_stats()


def test_a_database_that_lacks_a_column_says_which(rows: Rows, ask: QueryService) -> None:
    rows.run("ALTER TABLE content_diffs RENAME COLUMN lines_added TO added")
    with pytest.raises(oc.UnavailableError, match="content_diffs lacks the column lines_added"):
        list(ask.recent_diffs())


def test_following(rows: Rows, ask: QueryService) -> None:
    since = datetime(2024, 1, 1, tzinfo=UTC)
    first = rows.step("/a")
    with ask.diffs_since(since, follow=True, path_prefix="/a") as stream:
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
    from obby_clients.fallback._query.diffs import Position

    return Position(step, "").token()


def test_a_cursor_is_the_go_services() -> None:
    # So that a stream can change over from one side to the other.
    assert _token(7) == "6gF6Pxm5Ts57IklEIjo3LCJEYXRhYmFzZSI6IiJ9"


def test_following_into_another_database(database: Path, rows: Rows, ask: QueryService) -> None:
    step = rows.step("/a")
    with ask.diffs_since(datetime(2024, 1, 1, tzinfo=UTC), follow=True) as stream:
        assert next(stream).change_id == step
        wait_until(lambda: _next_cursor(stream))
        database.rename(database.with_name("old.db"))
        with closing(sqlite3.connect(database)) as other:
            other.execute("PRAGMA journal_mode = WAL")
            other.executescript(SCHEMA.read_text())
        with pytest.raises(oc.InvalidArgumentError, match="not a token of this database"):
            next(stream)


def test_following_while_the_database_is_away(database: Path, rows: Rows) -> None:
    rows.step("/a")
    rows.close()
    begin = datetime(2024, 1, 1, tzinfo=UTC)
    with QueryService(database) as ask, ask.diffs_since(begin, follow=True, retry_for=0) as stream:
        next(stream)
        database.rename(database.with_name("old.db"))
        with pytest.raises(oc.UnavailableError):
            next(stream)


def test_closing_ends_streams(rows: Rows, database: Path) -> None:
    rows.step("/a")
    ask = QueryService(database)
    stream = ask.diffs_since(datetime(2024, 1, 1, tzinfo=UTC), follow=True)
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
        ask.diffs_since(datetime(2024, 1, 1, tzinfo=UTC), follow=True, timeout=0.05) as stream,
        pytest.raises(oc.DeadlineError),
    ):
        next(stream)


def test_asyncio(rows: Rows, database: Path) -> None:
    first = rows.step("/a")

    async def work() -> list[Any]:
        async with AsyncQueryService(database) as ask:
            stats = await ask.activity_stats()
            listed = [diff.change_id async for diff in ask.recent_diffs()]
            stream = ask.diffs_since(datetime(2024, 1, 1, tzinfo=UTC), follow=True)
            async with stream:
                seen: list[Diff] = [await stream.__anext__()]
                rows.step("/b")
                seen.append(await stream.__anext__())
            return [stats.total.changes, listed, [diff.path for diff in seen]]

    assert asyncio.run(work()) == [1, [first], ["/a", "/b"]]


def test_unknown_values_are_refused(ask: QueryService) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "filter.change_types": lambda: list(ask.recent_diffs(change_types=[ChangeType(77)])),
        "mode": lambda: list(ask.search_content("x", mode=SearchMode(77))),
        "bucket_size": lambda: ask.time_analysis(bucket_size=BucketSize(77)),
        "time_zone": lambda: ask.activity_stats(time_zone="Mars/Olympus"),
        "filter.path_prefix": lambda: list(ask.recent_diffs(path_prefix="relative")),
        "resume_token": lambda: list(ask.diffs_since("no token")),
        "version_id": lambda: ask.version_content(0),
        "extensions": lambda: list(ask.search_content("x", extensions="a/b")),
        "filter.path_glob": lambda: list(ask.recent_diffs(path_glob="#x")),
    }
    for field, call in calls.items():
        with pytest.raises(oc.InvalidArgumentError) as error:
            call()
        assert [violation.field for violation in error.value.field_violations] == [field]
