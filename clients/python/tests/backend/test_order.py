"""The order of what is told is that of the ids, whatever the clock said."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from obby_clients.changes import Changes
from obby_clients.fallback import ContentTracker, SSEHub
from obby_clients.fallback._database import Database
from obby_clients.flags import Backend

from .committing import World
from .test_event_streams import Reader, Sides, streams


def test_an_event_that_overtakes_others_waits_for_them(world: World) -> None:
    async def run() -> None:
        sides = Sides()
        frames = streams(sides, world).frames(None, None)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            await reader.begin()
            world.change()
            assert await reader.until(1) == [1]
            _, _, last = world.change(3)
            sides.hubs[Backend.PYTHON].tell(last)
            assert await reader.until(2) == [1, 2, 3, 4]

    asyncio.run(run())


def test_a_clock_that_stepped_back_changes_no_order(world: World, tmp_path: Path) -> None:
    begin = world.changes.newest()
    world.change(3)
    with closing(sqlite3.connect(tmp_path / "obby.db", timeout=10)) as connection, connection:
        statement = "UPDATE content_diffs SET timestamp = '2020-01-01 00:00:00' WHERE id = 3"
        connection.execute(statement)
    assert [change.place.change_id for change in world.changes.after(begin)] == [1, 2, 3]


def test_an_id_is_of_the_past_also_when_its_change_was_forgotten(
    root: Path, tmp_path: Path
) -> None:
    with ContentTracker(tmp_path / "obby.db", [root]) as tracker:
        for name in ("a.md", "b.md"):
            (root / name).write_text("milk\n")
            tracker.track_change(root / name)
        tracker.forget(root / "b.md")
        with closing(Changes(tmp_path / "obby.db")) as changes:
            assert changes.newest().change_id == 2


def test_no_connection_that_writes_checkpoints_by_itself(tmp_path: Path) -> None:
    database = Database(tmp_path / "obby.db")
    with database.reading() as connection:
        assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    database.close()


@pytest.mark.parametrize("topic", ["a", "b"])
def test_a_key_is_a_repetition_within_its_topic(topic: str) -> None:
    with SSEHub() as hub:
        first = hub.publish("a", "milk", idempotency_key="key")
        again = hub.publish(topic, "honey", idempotency_key="key")
    assert (again.event_id == first.event_id, again.duplicate) == (topic == "a", topic == "a")
