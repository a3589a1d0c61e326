"""The streams of events: whatever a hub does, every change comes once and in order."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.changes import Change, Place
from obby_clients.fastapi._streams import EventStreams
from obby_clients.flags import Backend, Service
from obby_clients.hub import Event, Reset, ResetReason

from .committing import World


@dataclass
class Hub:
    """Sends what a test puts in: an item, or an error that ends the stream."""

    items: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    opened: int = 0

    def subscribe(self, *_: Any, **__: Any) -> Hub:
        self.opened += 1
        return self

    async def connect(self) -> Hub:
        return self

    async def close(self) -> None:
        pass

    async def __anext__(self) -> Any:
        item = await self.items.get()
        if isinstance(item, BaseException):
            raise item
        return item

    def tell(self, *changes: Change) -> None:
        """Send events."""
        for change in changes:
            now = datetime.now(timezone.utc)
            event = Event("x-1", "changes", change.event_type, change.data, now)
            self.items.put_nowait(event)


class Sides:
    """Two hubs, and who is wanted."""

    def __init__(self) -> None:
        self.hubs = {Backend.GO: Hub(), Backend.PYTHON: Hub()}
        self.now = Backend.PYTHON
        self.failed = 0

    def wanted(self, service: Service, subject: str | None) -> Backend:
        assert service is Service.SSE_HUB
        return self.now

    def go_failed(self, _: Service) -> None:
        self.failed += 1
        self.now = Backend.PYTHON

    def of(self, _: Service, side: Backend) -> Hub:
        return self.hubs[side]


class Reader:
    """Reads one stream."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        self._frames = frames
        self.text = b""

    async def until(self, count: int) -> list[int]:
        """Read until there are so many changes; return their ids."""
        while len(self.changes) < count:
            self.text += await anext(self._frames)
        return self.changes

    async def begin(self) -> bytes:
        """Read what is said first."""
        self.text += await anext(self._frames)
        return self.text

    @property
    def changes(self) -> list[int]:
        told = (line[6:] for line in self.text.decode().splitlines() if line[:6] == "data: ")
        return [int(json.loads(data)["change_id"]) for data in told if "change_id" in data]


def streams(sides: Sides, world: World, **options: Any) -> EventStreams:
    return EventStreams(sides, world.changes, **options)  # type: ignore[arg-type]


def test_a_hub_may_lose_repeat_and_disorder(world: World) -> None:
    async def run() -> None:
        sides = Sides()
        frames = streams(sides, world).frames(None, None)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            await reader.begin()
            hub = sides.hubs[Backend.PYTHON]
            one, two, three, four = world.change(4)
            assert await reader.until(4) == [1, 2, 3, 4]  # committed before it listened
            five, six, seven = world.change(3)
            hub.tell(two, five, five, four, seven, six, one, three)
            assert await reader.until(7) == [1, 2, 3, 4, 5, 6, 7]
            (eight,) = world.change()
            hub.items.put_nowait(Reset(ResetReason.EXPIRED, "x-9", None))
            assert await reader.until(8) == [1, 2, 3, 4, 5, 6, 7, 8]
            (nine,) = world.change()
            hub.tell(eight, nine)
            assert await reader.until(9) == list(range(1, 10))

    asyncio.run(run())


def test_another_databases_events_are_only_news(world: World) -> None:
    async def run() -> None:
        sides = Sides()
        frames = streams(sides, world).frames(None, None)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            await reader.begin()
            world.change()
            await reader.until(1)
            told = {"database_id": "of another", "change_id": "2", "path": "/elsewhere"}
            sides.hubs[Backend.PYTHON].tell(Change(Place(2), "created", json.dumps(told).encode()))
            (two,) = world.change()
            sides.hubs[Backend.PYTHON].tell(Change(Place(9), "created", b"no JSON at all"))
            await reader.until(2)
            assert b"/elsewhere" not in reader.text
            assert two.data in reader.text

    asyncio.run(run())


def test_a_stream_follows_the_flags_and_leaves_a_dead_hub(world: World) -> None:
    async def run() -> None:
        sides = Sides()
        made = streams(sides, world)
        go, python = sides.hubs[Backend.GO], sides.hubs[Backend.PYTHON]
        frames = made.frames("me", None)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            await reader.begin()
            world.change()
            await reader.until(1)
            sides.now = Backend.GO
            made.turn()
            world.change()  # told by nobody
            await reader.until(2)
            assert (go.opened, python.opened) == (1, 1)
            world.change()
            go.items.put_nowait(oc.UnavailableError("killed"))
            await reader.until(3)
            assert (sides.failed, go.opened, python.opened) == (1, 1, 2)
            world.change()
            python.items.put_nowait(oc.AbortedError("reads too slowly"))
            assert await reader.until(4) == [1, 2, 3, 4]

    asyncio.run(run())


def test_a_quiet_stream_says_that_it_lives_and_looks_by_itself(world: World) -> None:
    async def run() -> None:
        frames = streams(Sides(), world, heartbeat=0.01).frames(None, None)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            await reader.begin()
            while b":\n\n" not in reader.text.replace(b"retry:", b""):
                reader.text += await anext(frames)
            world.change()  # of which no hub tells
            assert await reader.until(1) == [1]

    asyncio.run(run())


def test_closing_ends_every_stream(world: World) -> None:
    async def run() -> None:
        made = streams(Sides(), world)
        frames = [made.frames(None, None) for _ in range(3)]
        readers = [Reader(each) for each in frames]
        for reader in readers:
            await reader.begin()
        waiting = [asyncio.ensure_future(anext(each, None)) for each in frames]
        await asyncio.sleep(0)
        made.close()
        assert await asyncio.gather(*waiting) == [None, None, None]
        assert [frame async for frame in made.frames(None, None)] != []  # it ends by itself

    asyncio.run(run())


@pytest.mark.parametrize(
    ("last_event_id", "last", "said", "changes"),
    [
        (None, 0, "id: {db}-5\n\n", []),
        (None, 2, "id: {db}-3\n\n", [4, 5]),
        (None, 9, "id: {db}-0\n\n", [1, 2, 3, 4, 5]),
        ("{db}-5", 0, "id: {db}-5\n\n", []),
        ("{db}-3", 0, "id: {db}-3\n\n", [4, 5]),
        ("{db}-1", 0, 'event: reset\ndata: {{"reason": "expired"}}\nid: {db}-5\n\n', []),
        ("{db}-1", 1, 'event: reset\ndata: {{"reason": "expired"}}\nid: {db}-4\n\n', [5]),
        ("{db}-6", 0, 'event: reset\ndata: {{"reason": "future"}}\nid: {db}-5\n\n', []),
        ("other-3", 0, 'event: reset\ndata: {{"reason": "epoch"}}\nid: {db}-5\n\n', []),
        ("3", 0, 'event: reset\ndata: {{"reason": "epoch"}}\nid: {db}-5\n\n', []),
        ("{db}-\u0663", 0, 'event: reset\ndata: {{"reason": "epoch"}}\nid: {db}-5\n\n', []),
    ],
)
def test_where_a_stream_begins_case_55(
    last_event_id: str | None, last: int, said: str, changes: list[int], world: World
) -> None:
    """case 55: replay where the id is held, else an explicit reset."""
    world.change(5)
    database = world.changes.database_id

    async def run() -> None:
        given = last_event_id and last_event_id.format(db=database)
        frames = streams(Sides(), world, replay=3).frames(None, given, last)
        async with aclosing(frames):  # type: ignore[type-var]
            reader = Reader(frames)
            begun = await reader.begin()
            without_time = re.sub(f"id: ({database}-[0-9]+)-[0-9]+\n", r"id: \1\n", begun.decode())
            assert without_time == "retry: 1000\n\n" + said.format(db=database)
            assert await reader.until(len(changes)) == changes

    asyncio.run(run())
