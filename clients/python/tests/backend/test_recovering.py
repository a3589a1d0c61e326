"""What goes on by itself after a trouble has passed."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from obby_clients.changes import TOPIC, Changes
from obby_clients.errors import UnavailableError
from obby_clients.fallback import AsyncContentTracker, AsyncSSEHub
from obby_clients.fastapi._feed import feed
from obby_clients.hub import Event

from .committing import World
from .world import Backend


def rename(database: Path, old: str, new: str) -> None:
    with closing(sqlite3.connect(database, timeout=10, isolation_level=None)) as connection:
        connection.execute("PRAGMA legacy_alter_table = ON")
        connection.execute(f"ALTER TABLE {old} RENAME TO {new}")


def test_the_hub_is_fed_again_when_the_database_can_be_read_again(
    root: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "obby_clients.fastapi")
    database = tmp_path / "obby.db"

    async def run() -> None:
        async with AsyncContentTracker(database, [root]) as tracker, AsyncSSEHub() as hub:
            stream = hub.subscribe(TOPIC)
            with closing(Changes(database, [root])) as changes:
                feeding = asyncio.ensure_future(feed(changes, hub))

                async def change(text: str) -> None:
                    (root / "a.md").write_text(text)
                    await tracker.track_change(root / "a.md")

                async def told() -> str:
                    event = await asyncio.wait_for(anext(stream), 60)
                    assert isinstance(event, Event)
                    return str(json.loads(event.data)["change_id"])

                first, count = asyncio.ensure_future(told()), 0
                while not first.done():  # the feed begins with what comes after its start
                    count += 1
                    await change(f"{count}\n")
                newest = first.result()
                while newest != str(count):
                    newest = await told()
                rename(database, "content_diffs", "away")
                while not caplog.records and not feeding.done():
                    await asyncio.sleep(0.01)
                rename(database, "away", "content_diffs")
                await change("after it\n")
                assert await told() == str(count + 1)
                feeding.cancel()
                await asyncio.wait({feeding})

    asyncio.run(run())
    assert "changes cannot be read, trying again" in caplog.text


def test_changes_that_cannot_be_read_are_unavailable(world: World, tmp_path: Path) -> None:
    begin = world.changes.newest()
    (change,) = world.change()
    rename(tmp_path / "obby.db", "content_diffs", "away")
    with pytest.raises(UnavailableError, match="no such table") as error:
        world.changes.after(begin)
    assert error.value.reason == "DATABASE_UNAVAILABLE"
    rename(tmp_path / "obby.db", "away", "content_diffs")
    assert world.changes.after(begin) == [change]


def test_a_host_name_has_no_case(backend: Callable[..., Backend]) -> None:
    made = backend(environ={"OBBY_BACKEND_ALLOW_HOST": "Notes.Example"})
    for host in ("notes.example", f"NOTES.example:{made.port}"):
        status, _ = made.ask("GET", "/healthz", headers={"Host": host})
        assert status == 200, host
