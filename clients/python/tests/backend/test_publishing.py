"""Publishing to the Go hub: what is committed, on from where it was."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obby_clients as oc
from obby_clients import hub
from obby_clients.backend.publishing import Cursor, publish_to_go
from obby_clients.flags import Backend, Service

from ..conftest import wait_until
from ..processes import Process
from .committing import World


class Sides:
    """The Go hub, switched on or off."""

    def __init__(self, target: str) -> None:
        self.on = True
        self._client = oc.AsyncSSEHubClient(target)

    def setting(self, _: Service) -> Any:
        class Setting:
            go_possible = self.on

        return Setting

    def of(self, _: Service, side: Backend) -> oc.AsyncSSEHubClient:
        assert side is Backend.GO
        return self._client


def published(process: Process) -> list[int]:
    """Return the changes that the Go hub holds."""
    with (
        oc.SSEHubClient(process.target) as client,
        client.subscribe("changes", last_count=1000) as stream,
    ):
        end = str(uuid.uuid4())
        client.publish("changes", json.dumps({"end": end}))
        found: list[int] = []
        for item in stream:
            told = json.loads(item.data) if isinstance(item, hub.Event) else {}
            if told.get("end") == end:
                return found
            if "change_id" in told:
                found.append(int(told["change_id"]))
        raise AssertionError("the stream ended")


def test_publishing_follows_the_database_and_goes_on_where_it_was(
    tmp_path: Path, world: World, start: Callable[..., Process]
) -> None:
    process = start("sse-hub")

    async def publish_while(sides: Sides, until: int, do: Callable[[], Any]) -> None:
        """Let a publisher run, do something, and end it when a change is published."""
        cursor = Cursor(tmp_path / "obby.db")
        running = asyncio.ensure_future(publish_to_go(world.changes, cursor, sides))  # type: ignore[arg-type]
        with oc.SSEHubClient(process.target) as client:
            stream = client.subscribe("changes", last_count=1000).connect()
            await asyncio.to_thread(do)
            await asyncio.to_thread(_read_until, stream, until)
            stream.close()
        running.cancel()
        await asyncio.wait({running})

    async def run() -> None:
        sides = Sides(process.target)
        world.change(2)  # before the hub was ever used
        marked = Cursor(tmp_path / "obby.db")
        marked.write(marked.read(world.changes))
        await publish_while(sides, 4, lambda: world.change(2))
        assert published(process) == [3, 4]
        world.change(3)  # while no process publishes
        await publish_while(sides, 8, world.change)
        assert published(process) == [3, 4, 5, 6, 7, 8]
        # As after a kill -9, when the file is behind: the keys tell.
        behind = Cursor(tmp_path / "obby.db")
        behind.write(world.changes.before_newest(4))
        await publish_while(sides, 9, world.change)
        assert published(process) == [3, 4, 5, 6, 7, 8, 9]

    asyncio.run(run())


def _read_until(stream: Any, change: int) -> None:
    for item in stream:
        if isinstance(item, hub.Event) and json.loads(item.data).get("change_id") == str(change):
            return


def test_nothing_is_published_to_go_while_nobody_may_be_there(
    tmp_path: Path, world: World, start: Callable[..., Process]
) -> None:
    process = start("sse-hub")

    async def run() -> None:
        sides = Sides(process.target)
        cursor = Cursor(tmp_path / "obby.db")
        cursor.write(cursor.read(world.changes))
        running = asyncio.ensure_future(publish_to_go(world.changes, cursor, sides))  # type: ignore[arg-type]
        saved = tmp_path / "obby.db.published"
        world.change()
        await asyncio.to_thread(wait_until, lambda: published(process) == [1])
        sides.on = False
        world.change(2)
        await asyncio.to_thread(wait_until, lambda: '"change_id": 1' in saved.read_text())
        assert published(process) == [1]
        sides.on = True
        await asyncio.to_thread(wait_until, lambda: published(process) == [1, 2, 3])
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(run())


def test_a_cursor_of_another_database_does_not_count(tmp_path: Path, world: World) -> None:
    world.change(3)
    cursor = Cursor(tmp_path / "obby.db")
    assert cursor.read(world.changes).change_id == 3  # the very first time
    cursor.write(world.changes.before_newest(1))
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 2
    (tmp_path / "obby.db.published").write_text('{"database_id": "other", "change_id": 1}')
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 3
    (tmp_path / "obby.db.published").write_text("cut of")
    assert Cursor(tmp_path / "obby.db").read(world.changes).change_id == 3
