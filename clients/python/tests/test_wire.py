"""Between messages and Python's values, field by field."""

from __future__ import annotations

import copy
import dataclasses
import os
import pickle
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from obby_clients import OpenEnum, ServerInfo, hub, query, tracker, watcher
from obby_clients._contract import query_pb2, sse_pb2, tracker_pb2, watcher_pb2
from obby_clients._wire import decode, duration, put_path, timestamp

NOT_UTF8 = b"/notes/caf\xe9.md"
NFC = "/notes/caf\u00e9.md"

# Every dataclass that is read from a message, and that message.
MESSAGES: list[tuple[Any, Any]] = [
    (hub.Event, sse_pb2.Event),
    (hub.Published, sse_pb2.PublishResponse),
    (hub.Reset, sse_pb2.Reset),
    (query.ActivityCounts, query_pb2.ActivityCounts),
    (query.ActivityStats, query_pb2.GetActivityStatsResponse),
    (query.ChangeTypeCounts, query_pb2.ChangeTypeCounts),
    (query.Diff, query_pb2.Diff),
    (query.Highlight, query_pb2.Highlight),
    (query.HistoryMatch, query_pb2.HistoryMatch),
    (query.MatchLine, query_pb2.MatchLine),
    (query.NamedCounts, query_pb2.NamedCounts),
    (query.QuietGap, query_pb2.QuietGap),
    (query.SearchResult, query_pb2.SearchResult),
    (query.Streak, query_pb2.Streak),
    (query.TermCount, query_pb2.TermCount),
    (query.TextChange, query_pb2.TextChange),
    (query.TimeAnalysis, query_pb2.GetTimeAnalysisResponse),
    (query.TimeBucket, query_pb2.TimeBucket),
    (query.Version, query_pb2.Version),
    (query.VersionContent, query_pb2.GetVersionContentResponse),
    (query.VersionDiff, query_pb2.GetDiffResponse),
    (tracker.Forgotten, tracker_pb2.ForgetResponse),
    (tracker.RetentionRule, tracker_pb2.RetentionRule),
    (tracker.Thinned, tracker_pb2.ApplyRetentionResponse),
    (tracker.ContentHash, tracker_pb2.GetContentHashResponse),
    (tracker.Progress, tracker_pb2.ReconcileResponse),
    (tracker.TrackResult, tracker_pb2.TrackChangeResponse),
    (tracker.UnifiedDiff, tracker_pb2.UnifiedDiff),
    (tracker.Version, tracker_pb2.Version),
    (watcher.Event, watcher_pb2.Event),
    (watcher.PatternSet, watcher_pb2.PatternSet),
    (watcher.Resync, watcher_pb2.Resync),
    (watcher.StartedWatch, watcher_pb2.StartWatchingResponse),
    (watcher.Watch, watcher_pb2.Watch),
    *((ServerInfo, pb.GetServerInfoResponse) for pb in (query_pb2, sse_pb2, tracker_pb2)),
    (ServerInfo, watcher_pb2.GetServerInfoResponse),
]
# Those that are not: a request's part, unions of result and error, and a file with
# what the page says of all of its files.
BY_HAND = {tracker.TrackChange, tracker.BatchItem, tracker.Restored, query.TopicFile}

ENUMS = [
    (hub.ResetReason, sse_pb2.ResetReason),
    (query.BucketSize, query_pb2.BucketSize),
    (query.ChangeType, query_pb2.ChangeType),
    (query.ContentKind, query_pb2.ContentKind),
    (query.SearchMode, query_pb2.SearchMode),
    (query.TopicSource, query_pb2.TopicSource),
    (tracker.ChangeType, tracker_pb2.ChangeType),
    (tracker.ContentKind, tracker_pb2.ContentKind),
    (tracker.LineEnding, tracker_pb2.LineEnding),
    (tracker.RestoreOutcome, tracker_pb2.RestoreOutcome),
    (tracker.TrackOutcome, tracker_pb2.TrackOutcome),
    (watcher.ChangeType, watcher_pb2.ChangeType),
    (watcher.EntryKind, watcher_pb2.EntryKind),
    (watcher.ResyncReason, watcher_pb2.ResyncReason),
    (watcher.WatchMethod, watcher_pb2.WatchMethod),
    (watcher.WatchState, watcher_pb2.WatchState),
]


def public(kind: type) -> set[type]:
    values = (getattr(m, name) for m in (hub, query, tracker, watcher) for name in m.__all__)
    return {value for value in values if isinstance(value, type) and issubclass(value, kind)}


@pytest.mark.parametrize(("cls", "message"), MESSAGES)
def test_a_dataclass_has_the_fields_of_its_message(cls: Any, message: Any) -> None:
    names = set(message.DESCRIPTOR.fields_by_name)
    raw = {name for name in names if name.removeprefix("raw_") in names - {name}}
    assert {field.name for field in dataclasses.fields(cls)} == names - raw
    decode(cls, message())  # also when nothing is set, as an older server would


def test_every_dataclass_is_compared_with_its_message() -> None:
    compared = {cls for cls, _ in MESSAGES} | BY_HAND
    assert {cls for cls in public(object) if dataclasses.is_dataclass(cls)} <= compared


@pytest.mark.parametrize("cls", [cls for cls, _ in MESSAGES])
def test_results_are_frozen_and_slotted(cls: Any) -> None:
    assert cls.__dataclass_params__.frozen
    assert "__slots__" in vars(cls)


@pytest.mark.parametrize(("cls", "generated"), ENUMS)
def test_an_enum_has_the_values_of_the_contract(cls: type[OpenEnum], generated: Any) -> None:
    ((prefix, _),) = [(n.removesuffix("UNSPECIFIED"), v) for n, v in generated.items() if v == 0]
    assert {m.name: m.value for m in cls} == {
        name.removeprefix(prefix): value for name, value in generated.items()
    }


def test_every_enum_is_compared_with_the_contract() -> None:
    assert public(OpenEnum) == {cls for cls, _ in ENUMS}


def test_case_46_unknown_enum_values() -> None:
    # An unknown value from a newer server is kept, with its number.
    diff = decode(query.Diff, query_pb2.Diff.FromString(b"\x30\x4d"))  # change_type = 77
    assert repr(diff.change_type) == "<ChangeType.UNKNOWN(77): 77>"
    assert str(diff.change_type) == f"{diff.change_type}" == "UNKNOWN(77)"
    assert not diff.change_type.known
    assert diff.change_type == query.ChangeType(77) != query.ChangeType.MOVED
    assert {diff.change_type: 1}[query.ChangeType(77)] == 1
    for same in (copy.deepcopy(diff), pickle.loads(pickle.dumps(diff))):
        assert same == diff
    assert query.ChangeType.MOVED.known
    with pytest.raises(ValueError, match="x"):
        query.ChangeType("x")  # type: ignore[arg-type]


@pytest.mark.parametrize("pair", [("path", "raw_path"), ("old_path", "raw_old_path")])
def test_case_47_paths_in(pair: tuple[str, str]) -> None:
    # The bytes of a name that is not UTF-8 arrive as Python spells them.
    name, raw = pair
    message = query_pb2.Diff()
    setattr(message, name, NFC)
    assert getattr(decode(query.Diff, message), name) == NFC
    setattr(message, name, "/notes/caf\ufffd.md")
    setattr(message, raw, NOT_UTF8)
    assert os.fsencode(getattr(decode(query.Diff, message), name)) == NOT_UTF8


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (NFC, (NFC, b"")),
        (NFC.encode(), (NFC, b"")),
        (os.fsdecode(NOT_UTF8), ("", NOT_UTF8)),
        (NOT_UTF8, ("", NOT_UTF8)),
        (None, ("", b"")),
    ],
)
def test_case_48_paths_out(path: Any, expected: tuple[str, bytes]) -> None:
    # A path with surrogates is sent as its bytes.
    message = query_pb2.GetFileVersionsRequest()
    put_path(message, "path", path)
    assert (message.path, message.raw_path) == expected
    if path is not None:
        message.Clear()
        put_path(message, "path", Path(os.fsdecode(path)))
        assert (message.path, message.raw_path) == expected


def test_times() -> None:
    when = datetime(2026, 2, 3, 4, 5, 6, 789_012, tzinfo=timezone(timedelta(hours=-5)))
    message = timestamp(when)
    assert message is not None
    assert message.ToJsonString() == "2026-02-03T09:05:06.789012Z"
    back = decode(query.Diff, query_pb2.Diff(observe_time=message)).observe_time
    assert back == when
    assert back.tzinfo is timezone.utc
    old = timestamp(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=timezone.utc))
    assert old == Timestamp(seconds=-1, nanos=500_000_000)
    assert decode(query.Diff, query_pb2.Diff()).observe_time is None
    with pytest.raises(ValueError, match="has no time zone"):
        timestamp(datetime(2026, 1, 1))


def test_a_file_time_outside_of_pythons_years_ends_no_stream() -> None:
    for seconds, year in ((1 << 62, 9999), (-(1 << 62), 1)):
        event = watcher_pb2.Event(modify_time=Timestamp(seconds=seconds))
        modified = decode(watcher.Event, event).modify_time
        assert modified is not None
        assert (modified.year, modified.tzinfo) == (year, timezone.utc)


def test_durations() -> None:
    span = timedelta(milliseconds=1_500)
    assert decode(watcher.Watch, watcher_pb2.Watch(debounce=duration(span))).debounce == span
    progress = decode(tracker.Progress, tracker_pb2.ReconcileResponse(remaining=duration(span)))
    assert progress.remaining == span
    assert decode(tracker.Progress, tracker_pb2.ReconcileResponse()).remaining is None


def test_dates() -> None:
    message = query_pb2.Streak(start_date="2026-02-27", end_date="2026-03-01", days=3)
    streak = query.Streak(date(2026, 2, 27), date(2026, 3, 1), 3)
    assert decode(query.Streak, message) == streak


def test_zero_means_none_where_the_contract_says_so() -> None:
    diff = decode(query.Diff, query_pb2.Diff(new_version_id=5))
    assert (diff.old_version_id, diff.new_version_id, diff.old_path) == (None, 5, None)
    version = decode(query.Version, query_pb2.Version(size_bytes=0))
    assert version.size_bytes == 0  # it has presence: an empty file
    assert decode(query.Version, query_pb2.Version()).size_bytes is None
    unchanged = decode(tracker.TrackResult, tracker_pb2.TrackChangeResponse())
    assert (unchanged.change_id, unchanged.change_type, unchanged.diff) == (None, None, None)


def test_a_dataclass_that_does_not_fit_is_noticed() -> None:
    with pytest.raises(TypeError, match="Highlight has no field term"):
        decode(query.TermCount, query_pb2.Highlight())
