"""A database that is replaced or removed, while it is in use and between two runs."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

import obby_clients as oc
from obby_clients.backend.publishing import Cursor
from obby_clients.changes import TOPIC, Changes, Replaced
from obby_clients.fallback import AsyncSSEHub, ContentTracker
from obby_clients.fastapi._feed import feed
from obby_clients.fastapi._streams import EventStreams

from ..conftest import wait_until
from ..processes import Process
from .test_event_streams import Reader, Sides
from .world import Backend, Listener


class Copied:
    """A tracker of one root, and a copy of its database that can be put back."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.database, self.root = folder / "obby.db", root
        self._copy = folder / "copy.db"
        self.tracker = ContentTracker(self.database, [root])

    def record(self, *names: str) -> None:
        """Write some files and have them recorded."""
        for name in names:
            (self.root / name).write_text(f"{name}\n")
            self.tracker.track_change(self.root / name)

    def copy(self) -> None:
        """Make a copy."""
        with (
            closing(sqlite3.connect(self.database)) as present,
            closing(sqlite3.connect(self._copy)) as copy,
        ):
            present.backup(copy)

    def put_back(self) -> None:
        """Put the copy in the place of the database, with nobody stopped."""
        self.remove()
        os.rename(self._copy, self.database)

    def remove(self) -> None:
        """Remove the database and what belongs to it."""
        for name in ("obby.db", "obby.db-wal", "obby.db-shm"):
            (self.database.parent / name).unlink(missing_ok=True)

    def recorded(self) -> list[str]:
        """Return what is recorded in the file that is there."""
        with closing(sqlite3.connect(self.database)) as connection:
            rows = connection.execute("SELECT file_path FROM content_diffs ORDER BY id")
            return [Path(path).name for (path,) in rows]


@pytest.fixture
def copied(tmp_path: Path, root: Path) -> Iterator[Copied]:
    made = Copied(tmp_path, root)
    yield made
    made.tracker.close()


def test_what_is_recorded_is_in_the_file_that_is_there(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    copied.record("b.md")
    copied.put_back()
    with pytest.raises(oc.UnavailableError, match="was replaced or removed") as raised:
        copied.record("c.md")
    assert raised.value.reason == "DATABASE_REPLACED"
    copied.record("c.md")
    assert copied.recorded() == ["a.md", "c.md"]
    assert [item.done for item in copied.tracker.reconcile()][-1]
    assert copied.recorded() == ["a.md", "c.md", "b.md"]


def test_a_database_that_is_away_is_waited_for_and_not_made(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    copied.remove()
    for _ in range(2):
        with pytest.raises(oc.UnavailableError, match="replaced or removed"):
            copied.record("b.md")
    copied.database.touch()  # an operator's cp has begun
    with pytest.raises(oc.UnavailableError, match="put one there"):
        copied.record("b.md")
    assert copied.database.stat().st_size == 0
    copied.put_back()
    copied.record("b.md")
    assert copied.recorded() == ["a.md", "b.md"]


def test_a_commit_that_went_with_the_old_file_is_not_acknowledged(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    database = copied.tracker._db
    with pytest.raises(oc.UnavailableError, match="replaced"), database.writing():
        copied.put_back()


def test_a_reconciliation_does_not_go_on_in_another_file(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    comparing = copied.tracker.reconcile()
    next(comparing)
    copied.put_back()
    with pytest.raises(oc.UnavailableError, match="replaced"):
        copied.tracker.track_change(copied.root / "a.md")
    copied.record("b.md")
    with pytest.raises(oc.UnavailableError, match="replaced"):
        list(comparing)


def test_a_place_is_of_one_file(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    copied.record("b.md")
    with closing(Changes(copied.database)) as changes:
        first, second = changes.before_newest(1), changes.newest()
        copied.put_back()
        with pytest.raises(Replaced):
            changes.after(second)
        found = changes.held(first)
        assert found is not None
        assert changes.after(found) == []
        assert changes.held(second) is None
        assert changes.resumed(second) == found
        with pytest.raises(oc.UnavailableError):
            copied.record("c.md")
        copied.record("c.md", "d.md")  # with the id that b.md had
        assert changes.held(second) is None
        assert changes.resumed(second) == found
        copied.remove()
        with pytest.raises(oc.UnavailableError, match="put it back"):
            changes.newest()


def test_the_hub_hears_of_steps_with_ids_that_are_given_again(copied: Copied) -> None:
    async def run() -> None:
        async with AsyncSSEHub() as hub:
            news = hub.subscribe(TOPIC)
            await news.connect()
            with closing(Changes(copied.database)) as changes:
                turned = asyncio.Event()
                feeding = asyncio.ensure_future(feed(changes, hub, turned.set))

                async def told(name: str) -> None:
                    data = b""
                    while name.encode() not in data:
                        event = await asyncio.wait_for(anext(news), 60)
                        data = getattr(event, "data", b"")

                count = 0
                first = asyncio.ensure_future(told("a.md"))
                while not first.done():  # the feed begins with what comes after its start
                    count += 1
                    (copied.root / "a.md").write_text(f"{count}\n")
                    copied.tracker.track_change(copied.root / "a.md")
                    await asyncio.sleep(0)
                copied.copy()
                copied.record("b.md")
                await told("b.md")
                copied.put_back()
                await asyncio.wait_for(turned.wait(), 60)
                with pytest.raises(oc.UnavailableError):
                    copied.record("c.md")
                copied.record("c.md")
                await told("c.md")
                feeding.cancel()
                await asyncio.wait({feeding})

    asyncio.run(run())


def test_a_stream_that_stands_is_reset_and_goes_on(copied: Copied) -> None:
    async def run() -> None:
        with closing(Changes(copied.database)) as changes:
            made = EventStreams(Sides(), changes)  # type: ignore[arg-type]
            frames: AsyncIterator[bytes] = made.frames(None, None)
            async with aclosing(frames):  # type: ignore[type-var]
                reader = Reader(frames)
                await reader.begin()
                copied.copy()
                copied.record("b.md")
                made.turn()
                assert await reader.until(1) == [2]
                copied.put_back()
                made.turn()
                while b"event: reset" not in reader.text:
                    reader.text += await anext(frames)
                assert b'{"reason": "future"}' in reader.text
                with pytest.raises(oc.UnavailableError):
                    copied.record("c.md")
                copied.record("c.md", "d.md")
                made.turn()
                assert await reader.until(3) == [2, 2, 3]

    copied.record("a.md")
    asyncio.run(run())


def test_a_client_with_an_id_that_was_given_again_is_told(copied: Copied) -> None:
    copied.record("a.md")
    copied.copy()
    copied.record("b.md")
    with closing(Changes(copied.database)) as changes:
        first, second = changes.before_newest(1), changes.newest()
    copied.tracker.close()
    copied.put_back()
    copied.tracker = ContentTracker(copied.database, [copied.root])
    copied.record("c.md", "d.md")

    async def begun(changes: Changes, last_event_id: str) -> str:
        made = EventStreams(Sides(), changes)  # type: ignore[arg-type]
        frames = made.frames(None, last_event_id)
        async with aclosing(frames):  # type: ignore[type-var]
            return (await anext(frames)).decode()

    with closing(Changes(copied.database)) as changes:
        assert 'event: reset\ndata: {"reason": "future"}' in asyncio.run(
            begun(changes, second.event_id)
        )
        assert "reset" not in asyncio.run(begun(changes, first.event_id))


@pytest.mark.parametrize("behind", [0, 1])
def test_the_go_hub_is_told_what_was_recorded_since(
    behind: int, tmp_path: Path, copied: Copied
) -> None:
    """The cursor's step is not in the file any more; or another has its id."""
    copied.record("a.md")
    copied.copy()
    copied.record("b.md", "c.md")
    with closing(Changes(copied.database)) as changes:
        Cursor(tmp_path / "obby.db").write(changes.before_newest(behind))
    copied.tracker.close()
    copied.put_back()
    copied.tracker = ContentTracker(copied.database, [copied.root])
    copied.record("d.md")
    with closing(Changes(copied.database)) as changes:
        found = Cursor(tmp_path / "obby.db").read(changes)
        assert found.change_id == 1
        assert len(changes.after(found)) == 1


def test_both_sides_publish_a_step_under_the_same_key(
    root: Path, tmp_path: Path, start: Callable[..., Process]
) -> None:
    hub = start("sse-hub")
    database = tmp_path / "obby.db"
    tracking = start(
        "content-tracker", "--database", str(database), "--root", str(root), "--hub", hub.target
    )
    with oc.ContentTrackerClient(tracking.target) as tracker, oc.SSEHubClient(hub.target) as go:
        assert tracker.wait_ready(60).instance_id
        assert go.wait_ready(60).instance_id
        with go.subscribe(TOPIC) as news:
            news.connect()
            (root / "a.md").write_text("a\n")
            tracker.track_change(root / "a.md")
            told = next(item for item in news if isinstance(item, oc.hub.Event))
        with closing(Changes(database)) as changes:
            (change,) = changes.after(changes.before_newest(1))
        answer = go.publish(TOPIC, change.data, idempotency_key=change.place.key)
    assert (answer.duplicate, answer.event_id) == (True, told.event_id)


def test_a_backend_goes_on_by_itself(
    root: Path, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    made = backend(flags={}, workers=2)
    copy = made.database.with_name("copy.db")

    def names() -> set[str]:
        rows = made.rows("SELECT file_path FROM content_diffs")
        return {Path(path).name for (path,) in rows}

    (root / "a.md").write_text("a\n")
    wait_until(lambda: names() == {"a.md"})
    with closing(sqlite3.connect(made.database)) as present, closing(sqlite3.connect(copy)) as to:
        present.backup(to)
    (root / "b.md").write_text("b\n")
    wait_until(lambda: names() == {"a.md", "b.md"})
    listener = listen(made)
    for end in ("-wal", "-shm"):
        made.database.with_name(f"obby.db{end}").unlink(missing_ok=True)
    os.rename(copy, made.database)
    wait_until(lambda: names() == {"a.md", "b.md"})  # it is compared without being told
    (root / "c.md").write_text("c\n")
    wait_until(lambda: names() == {"a.md", "b.md", "c.md"})
    wait_until(lambda: 3 in listener.changes)
    assert listener.resets == ["future"]
