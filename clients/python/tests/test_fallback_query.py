"""The query-service in pure Python, by itself: tests/parity compares its answers with Go's."""

from __future__ import annotations

import inspect
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.fallback import AsyncQueryService, QueryService
from obby_clients.fallback._query.reader import Reader
from obby_clients.query import BucketSize, ChangeType, SearchMode

from .rows import Rows, make

UTC = timezone.utc


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put this machine in a place where clocks change."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


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
    ("zone", "start", "days", "size", "count", "second"),
    [
        ("Europe/Berlin", "2024-03-30T23:00", 1, BucketSize.HOUR, 24, "2024-03-31T00:00"),
        ("Europe/Berlin", "2024-10-26T22:00", 1, BucketSize.HOUR, 24, "2024-10-26T23:00"),
        ("Europe/Berlin", "2024-03-29T23:00", 3, BucketSize.DAY, 4, "2024-03-30T23:00"),
        ("America/Sao_Paulo", "2018-11-03T03:00", 3, BucketSize.DAY, 4, "2018-11-04T03:00"),
        ("America/Havana", "2024-11-02T04:00", 3, BucketSize.DAY, 3, "2024-11-03T04:00"),
        ("Pacific/Apia", "2011-12-29T10:00", 2, BucketSize.DAY, 2, "2011-12-30T10:00"),
        ("Australia/Lord_Howe", "2024-10-05T13:30", 1, BucketSize.HOUR, 25, "2024-10-05T14:30"),
        ("UTC", "2024-03-06T12:00", 14, BucketSize.WEEK, 3, "2024-03-11T00:00"),
    ],
)
def test_case_48_clocks_change(  # noqa: PLR0917
    ask: QueryService, zone: str, start: str, days: int, size: BucketSize, count: int, second: str
) -> None:
    begin = datetime.fromisoformat(start + "+00:00")
    answer = ask.time_analysis(
        start_time=begin, end_time=begin + timedelta(days=days), time_zone=zone, bucket_size=size
    )
    assert len(answer.buckets) == count
    assert answer.buckets[1].start_time == datetime.fromisoformat(second + "+00:00")
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


def test_case_60_a_database_that_comes_late_and_is_replaced(database: Path, tmp_path: Path) -> None:
    with QueryService(tmp_path / "late.db") as ask:
        with pytest.raises(oc.UnavailableError, match="does not exist") as error:
            ask.activity_stats()
        assert error.value.reason == "DATABASE_UNAVAILABLE"
        database.rename(tmp_path / "late.db")
        assert ask.activity_stats().total.changes == 0
        make(tmp_path / "other.db")
        with closing(sqlite3.connect(tmp_path / "other.db")) as other:
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


def test_what_has_no_path_is_below_none(rows: Rows, ask: QueryService) -> None:
    rows.topic("/a", "milk")
    rows.run("INSERT INTO semantic_entries (id, timestamp) VALUES (9, '2024-03-05 10:00:00')")
    rows.run("INSERT INTO semantic_topics (entry_id, topic) VALUES (9, 'milk')")
    for prefix, count in ((None, 2), ("/", 1), ("/a", 1)):
        (topic,) = ask.activity_stats(path_prefix=prefix).topics
        assert (topic.term, topic.count) == ("milk", count), prefix


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
