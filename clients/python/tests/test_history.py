"""The built content-tracker and query-service, on one database."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import query, tracker

from .conftest import NOT_UTF8, wait_until
from .processes import Process

Connect = Callable[..., Any]
Start = Callable[..., Process]


@pytest.fixture
def history(connect: Connect, start: Start, root: Path, tmp_path: Path) -> tuple[Any, Any]:
    """Give clients of a content-tracker and a query-service on one database."""
    database = ("--database", str(tmp_path / "obby.db"))
    tracking = start("content-tracker", *database, "--root", str(root))
    querying = start("query-service", *database)
    clients = (
        connect(oc.ContentTrackerClient, tracking.target),
        connect(oc.QueryClient, querying.target),
    )
    for client in clients:
        assert client.wait_ready(60).instance_id
    wait_until(lambda: _served(clients[1]))
    return clients


def _served(ask: Any) -> bool:
    """Tell whether the service has opened the database, which it does just after its start."""
    try:
        return list(ask.recent_diffs(limit=1)) is not None
    except oc.UnavailableError:
        return False


def test_history(history: tuple[Any, Any], root: Path) -> None:
    track, ask = history
    note = root / "a.md"
    begin = datetime.now(timezone.utc) - timedelta(seconds=5)
    note.write_text("one\n")
    first = track.track_change(note)
    note.write_text("one\ntwo \u20ac\n")
    second = track.track_change(str(note), change_type=tracker.ChangeType.MODIFIED)
    assert second.outcome is tracker.TrackOutcome.RECORDED
    assert (second.diff.lines_added, second.diff.lines_removed) == (1, 0)
    assert second.old_version_id == first.version.version_id
    again = track.track_change(note)
    assert (again.outcome, again.change_id) == (tracker.TrackOutcome.UNCHANGED, None)

    newest, oldest = ask.recent_diffs(path_prefix=root)
    assert newest.path == str(note)
    assert newest.change_type is query.ChangeType.MODIFIED
    assert "+two \u20ac" in newest.diff
    assert oldest.change_type is query.ChangeType.CREATED
    assert begin < oldest.observe_time <= newest.observe_time
    assert [d.change_id for d in ask.recent_diffs(limit=1, text=False)] == [newest.change_id]
    assert [d.change_id for d in ask.recent_diffs(page_size=1)] == [
        newest.change_id,
        oldest.change_id,
    ]
    stream = ask.diffs_since(begin)
    assert [diff.change_id for diff in stream] == [oldest.change_id, newest.change_id]
    assert list(ask.diffs_since(stream.cursor)) == []

    versions = list(ask.file_versions(note))
    assert [version.current for version in versions] == [True, False]
    assert versions[0].content_hash == track.content_hash(note).content_hash
    assert ask.version_content(versions[0].version_id).content == note.read_bytes()
    diff = track.generate_diff(first.version.version_id, b"one\n1\n", path="a.md")
    assert diff.text.startswith("--- a/a.md")
    (found,) = wait_until(lambda: list(ask.search_content("two")))
    (mark,) = found.highlights
    assert found.snippet[mark.start : mark.end] == "two"


def test_counts_and_topics(history: tuple[Any, Any], root: Path) -> None:
    track, ask = history
    (root / "a.md").write_text("one\n")
    track.track_change(root / "a.md")
    stats = ask.activity_stats(path_prefix=root)
    assert (stats.total.changes, stats.total.files) == (1, 1)
    assert stats.by_extension[0].name == ".md"
    assert stats.by_change_type[0].change_type is query.ChangeType.CREATED
    analysis = ask.time_analysis(time_zone="Europe/Berlin", bucket_size=query.BucketSize.HOUR)
    assert analysis.total.changes == 1
    assert sum(bucket.counts.changes for bucket in analysis.buckets) == 1
    assert analysis.time_zone == "Europe/Berlin"
    assert list(ask.topic_files("nothing")) == []


def test_errors_of_the_services(history: tuple[Any, Any], root: Path) -> None:
    track, ask = history
    with pytest.raises(oc.InvalidArgumentError) as invalid:
        track.track_change(root / "a.md", request_id="no UUID")
    assert [violation.field for violation in invalid.value.field_violations] == ["request_id"]
    assert invalid.value.reason == "INVALID_FIELD"
    with pytest.raises(oc.NotFoundError):
        track.track_change(root / "never.md")
    with pytest.raises(oc.PermissionDeniedError):
        track.track_change("/etc/hosts")
    with pytest.raises(oc.NotFoundError):
        ask.version_content(99)
    with pytest.raises(oc.InvalidArgumentError):
        list(ask.diffs_since("no token"))
    with pytest.raises(oc.InvalidArgumentError):
        list(ask.topic_files(""))


def test_case_48_names_that_are_not_utf8(history: tuple[Any, Any], root: Path) -> None:
    # Python's path with surrogates goes out, and comes back, as its bytes.
    track, ask = history
    note = root / NOT_UTF8
    note.write_text("words\n")
    assert track.track_change(note).outcome is tracker.TrackOutcome.RECORDED
    for diff in (next(iter(ask.recent_diffs())), next(iter(ask.recent_diffs(path_prefix=note)))):
        assert diff.path == str(note)
        assert Path(diff.path).read_text() == "words\n"
    (version,) = ask.file_versions(note)
    assert version.path == str(note)
    assert ask.activity_stats().by_file[0].name == str(note)


def test_case_45_five_mebibytes(history: tuple[Any, Any]) -> None:
    # The limits of client and service are equal; beyond them is an error.
    track, _ = history
    text = b"0123456789abcde\n" * (5 << 16)
    diff = track.generate_diff(b"", text, timeout=120)
    assert diff.lines_added == 5 << 16
    assert len(diff.text) > 5 << 20
    assert track.content_hash(content=bytes(15 << 20), timeout=60).size_bytes == 15 << 20
    with pytest.raises(oc.ResourceExhaustedError):
        track.content_hash(content=bytes(16 << 20), timeout=60)


def test_case_41_track_batch(history: tuple[Any, Any], root: Path) -> None:
    # Every item is answered once, by itself.
    track, _ = history
    paths = [root / f"{number}.md" for number in range(50)]
    for path in paths[::2]:
        path.write_text(f"{path}\n")
    request_id = str(uuid.uuid4())
    batch = [tracker.TrackChange(path, request_id=None) for path in paths]
    batch[0] = tracker.TrackChange(paths[0], request_id=request_id)
    items = {item.index: item for item in track.track_batch(batch)}
    assert sorted(items) == list(range(50))
    for index, item in items.items():
        if index % 2:
            assert isinstance(item.error, oc.NotFoundError)
        else:
            assert item.result.outcome is tracker.TrackOutcome.RECORDED
    repeated = track.track_change(paths[0], request_id=request_id)
    assert repeated == items[0].result
    with pytest.raises(oc.InvalidArgumentError):
        list(track.track_batch([]))


def test_reconcile(history: tuple[Any, Any], root: Path) -> None:
    track, ask = history
    (root / "missed.md").write_text("missed\n")
    progress = list(track.reconcile(root))
    assert progress[-1].done
    assert progress[-1].path == str(root)
    assert [diff.path for diff in ask.recent_diffs()] == [str(root / "missed.md")]
    with pytest.raises(oc.InvalidArgumentError):
        list(track.reconcile("/nowhere"))


def test_restore_labels_retention_forget(history: tuple[Any, Any], root: Path) -> None:
    track, ask = history
    note = root / "notes" / "a.md"
    note.parent.mkdir()
    versions = []
    for text in ("one\n", "two\n", "three\n"):
        note.write_text(text)
        versions.append(track.track_change(note).version.version_id)
    then = datetime.now(timezone.utc)
    note.unlink()
    track.track_change(note)

    assert list(ask.files(note.parent)) == []
    (file,) = ask.files(note.parent, as_of=then)
    assert (file.path, file.version_id) == (str(note), versions[2])
    (restored,) = track.restore(note.parent, as_of=then)
    assert (restored.outcome, restored.error) == (tracker.RestoreOutcome.WRITTEN, None)
    assert note.read_text() == "three\n"
    (restored,) = track.restore(version_id=versions[0], destination=root / "copy.md")
    assert (restored.path, restored.version_id) == (str(root / "copy.md"), versions[0])

    track.set_version_label(versions[1], "draft", pinned=True)
    (marked,) = ask.labels()
    assert (marked.version_id, marked.label, marked.pinned) == (versions[1], "draft", True)

    rules = [tracker.RetentionRule("*.md", last=1)]
    first, total = track.apply_retention(rules)
    assert (first.path, first.versions_removed, total.path) == (str(note), 1, None)
    assert total.steps_removed == first.steps_removed > 0

    gone = track.forget(note, vacuum=True)
    assert (gone.paths, gone.existing_paths) == (1, (str(note),))
    with pytest.raises(oc.NotFoundError):
        track.forget(note)
