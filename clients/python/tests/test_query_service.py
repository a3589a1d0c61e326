"""What the query-service can be asked, by its clients and of its fallback: the same tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import query
from obby_clients.fallback import QueryService

from .conftest import wait_until
from .processes import Process

Connect = Callable[..., Any]
Start = Callable[..., Process]


class World:
    """A content-tracker, and who answers from its database."""

    def __init__(self, root: Path, database: Path, start: Start, kind: str) -> None:
        self.root, self.database = root, database
        self.tracking = start("content-tracker", "--database", str(database), "--root", str(root))
        self.track = oc.ContentTrackerClient(self.tracking.target)
        self.track.wait_ready(60)
        self.process = start("query-service", "--database", str(database)) if kind == "go" else None
        self.ask: Any = None

    def write(self, name: str, text: str) -> Any:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return self.track.track_change(path)


@pytest.fixture(params=["go", "python"])
def world(
    request: pytest.FixtureRequest, connect: Connect, start: Start, root: Path, tmp_path: Path
) -> Iterator[World]:
    world = World(root, tmp_path / "obby.db", start, request.param)
    if world.process is not None:
        world.ask = connect(oc.QueryClient, world.process.target)
    else:
        world.ask = connect(QueryService, str(tmp_path / "obby.db"))
    world.ask.wait_ready(60)
    world.write("a.md", "milk\n")
    wait_until(lambda: opened(world.ask))
    yield world
    world.track.close()


def opened(ask: Any) -> bool:
    try:
        return list(ask.recent_diffs(limit=1)) != []
    except oc.UnavailableError:
        return False


def test_filters(world: World) -> None:
    world.write("sub/b.md", "bread\n")
    second = world.write("a.md", "milk\neggs\n")
    for glob, prefix, names in (
        ("*.md", None, ["a.md", "b.md", "a.md"]),
        ("sub/*", world.root, ["b.md"]),
        ("[!a].md", None, ["b.md"]),
        ("sub/*", None, []),
    ):
        found = world.ask.recent_diffs(path_glob=glob, path_prefix=prefix, text=False)
        assert [Path(diff.path).name for diff in found] == names
    versions = world.ask.file_versions(
        path_prefix=world.root, change_types=[query.ChangeType.MODIFIED]
    )
    assert [version.version_id for version in versions] == [second.version.version_id]
    now = datetime.now(timezone.utc)
    assert list(world.ask.file_versions(world.root / "a.md", start_time=now)) == []
    with pytest.raises(oc.InvalidArgumentError) as error:
        list(world.ask.file_versions())
    assert [violation.field for violation in error.value.field_violations] == ["path"]


def test_diff(world: World) -> None:
    (first,) = world.ask.file_versions(world.root / "a.md")
    then = datetime.now(timezone.utc)
    second = world.write("a.md", "milk\neggs\n").version
    by_id = world.ask.diff(first.version_id, second.version_id)
    assert by_id.diff.endswith("@@ -1 +1,2 @@\n milk\n+eggs\n")
    assert (by_id.lines_added, by_id.lines_removed) == (1, 0)
    later = datetime.now(timezone.utc)
    assert world.ask.diff(then, later, path=world.root / "a.md") == by_id
    created = world.ask.diff(then - timedelta(days=1), later, path=world.root / "a.md")
    assert created.old_version is None
    assert created.diff.startswith("--- /dev/null\n")
    bare = world.ask.diff(first.version_id, second.version_id, context_lines=0)
    assert "milk" not in bare.diff
    for old, options, kind in (
        (99, {}, oc.NotFoundError),
        (then, {}, oc.InvalidArgumentError),
        (then, {"path": "/never"}, oc.NotFoundError),
        (first.version_id, {"context_lines": 1001}, oc.InvalidArgumentError),
    ):
        with pytest.raises(kind):
            world.ask.diff(old, second.version_id, **options)


def test_following(world: World) -> None:
    begin = datetime.now(timezone.utc) - timedelta(hours=1)
    with closing(world.ask.diffs_since(begin, follow=True, path_glob="a.md")) as stream:
        first = next(stream)
        world.write("b.md", "left out\n")
        second = world.write("a.md", "milk\neggs\n")
        assert (Path(first.path).name, next(stream).change_id) == ("a.md", second.change_id)
        cursor = stream.cursor
    with QueryService(world.database) as python, closing(python.diffs_since(begin)) as stream:
        last = [stream.cursor for diff in stream if diff.change_id == second.change_id]
    assert last == [cursor]  # either side goes on where the other one stopped
    third = world.write("c.md", "c\n")
    assert [diff.change_id for diff in world.ask.diffs_since(cursor)] == [third.change_id]


def test_following_over_a_restart(world: World) -> None:
    begin = datetime.now(timezone.utc) - timedelta(hours=1)
    with closing(world.ask.diffs_since(begin, follow=True)) as stream:
        seen = [next(stream).change_id]
        if world.process is not None:
            world.process.kill()
        made = [world.write("a.md", f"{n}\n").change_id for n in range(3)]
        if world.process is not None:
            world.process.restart()
        made += [world.write("a.md", f"{n}\n").change_id for n in range(3, 6)]
        seen += [next(stream).change_id for _ in made]
    assert seen[1:] == made


def test_searching(world: World) -> None:
    world.write("list.txt.md", "one\nbuy MILK and eggs\nthree\n")
    wait_until(lambda: len(list(world.ask.search_content("milk"))) == 2)
    (found,) = world.ask.search_content(
        "path:list AND mil*", mode=query.SearchMode.ADVANCED, context_lines=1
    )
    lines = [(line.line_number, line.text, bool(line.highlights)) for line in found.lines]
    assert lines == [(1, "one", False), (2, "buy MILK and eggs", True), (3, "three", False)]
    (mark,) = found.path_highlights
    assert found.path[mark.start : mark.end] == "list"
    (inside,) = world.ask.search_content("ilk and e", mode=query.SearchMode.SUBSTRING)
    assert inside.path == found.path
    assert list(world.ask.search_content("milk", extensions="txt")) == []
    with pytest.raises(oc.InvalidArgumentError) as error:
        list(world.ask.search_content("milk AND", mode=query.SearchMode.ADVANCED))
    assert error.value.metadata["position"] == "5"


def test_when_a_text_came_and_went(world: World) -> None:
    added = world.write("a.md", "milk\nmilk and eggs\n")
    removed = world.write("a.md", "nothing\n")
    (match,) = world.ask.search_history("milk", path_glob="a.md")
    assert [(change.count_before, change.count_after) for change in match.changes] == [
        *((0, 1), (1, 2), (2, 0)),
    ]
    assert [change.change_id for change in match.changes[1:]] == [
        added.change_id,
        removed.change_id,
    ]
    assert (match.present, match.last_version.version_id) == (False, added.version.version_id)
    assert list(world.ask.search_history("MILK")) == []
    assert len(list(world.ask.search_history("MILK", ignore_case=True))) == 1


def test_topics_and_days(world: World) -> None:
    wait_until(lambda: list(world.ask.search_content("milk")))
    (file,) = world.ask.topic_files("milk")
    assert (file.source, file.entry_count) == (query.TopicSource.CONTENT, 0)
    world.write("a.md", "eggs\n")
    stats = world.ask.activity_stats(time_zone="Asia/Tokyo")
    assert stats.time_zone == "Asia/Tokyo"
    assert stats.active_days in {1, 2}  # at midnight there
    assert stats.longest_gap is not None
    assert stats.longest_streak == stats.current_streak
    assert isinstance(stats.longest_streak.start_date, date)
    assert (stats.topics, stats.keywords) == ((), ())
