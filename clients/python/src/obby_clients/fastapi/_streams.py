"""One stream of changes for each client, whichever hub it hears them from.

The ids of a stream are those of the database, `<database id>-<change id>-<time>`, so a
place in it means the same on both sides, in every worker and after a restart; and where
an older copy of the database was put back, which gives ids again, the time tells. What a hub
sends is news that something was committed, and mostly the change itself; where it is
not the very next one, what lies between is read from the database. So a hub may lose,
repeat or be changed for another one, and the client notices nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import Any

from .. import _options
from ..changes import TOPIC, Change, Changes, Place, Replaced
from ..errors import ObbyError
from ..fallback._times import NEVER, parse_time
from ..flags import Backend, Service
from ..hub import Event
from ._sides import Sides

__all__ = ["EventStreams"]

_LOG = logging.getLogger("obby_clients.fastapi")
_BATCH = 200
_PAUSE = 0.1  # seconds
_AGAIN = 1.0  # seconds until a database that cannot be read is tried again
_DIGITS = 19  # of the largest identifier; Python refuses to read thousands
_ID = re.compile(r"([^-]+)-([0-9]+)(?:-(-?[0-9]+))?")  # as Place has it; once without a time
_RETRY = b"retry: 1000\n\n"  # milliseconds until a browser comes back


class EventStreams:
    """The event streams of one process; `close` ends all of them."""

    def __init__(
        self, sides: Sides, changes: Changes, *, heartbeat: float = 15.0, replay: int = 10_000
    ) -> None:
        """Serve the changes of a database.

        A stream is silent for `heartbeat` seconds at most. A client that missed more
        than `replay` changes is told so instead of being sent them.
        """
        _options.seconds("heartbeat", heartbeat, positive=True)
        _options.whole("replay", replay, least=0)
        self._sides, self._changes = sides, changes
        self._heartbeat, self._replay = heartbeat, replay
        self._closing = False
        self._turn = asyncio.Event()  # set, and replaced: every stream looks where it belongs

    def turn(self) -> None:
        """Have every stream look whether it belongs to the other side now."""
        self._turn.set()
        self._turn = asyncio.Event()

    def close(self) -> None:
        """End every stream; each client comes back by itself and goes on where it was."""
        self._closing = True
        self.turn()

    async def frames(
        self, client_id: str | None, last_event_id: str | None, last: int = 0
    ) -> AsyncIterator[bytes]:
        """Give the frames for one client, for ever.

        `client_id` is what its hub is chosen by. Begins after `last_event_id`; without
        one with the `last` newest changes; after a `reset` with those as well.
        """
        place, opening = await self._begin(last_event_id, last)
        yield _RETRY + (opening or f"id: {place.event_id}\n\n".encode())
        while not self._closing:
            side = self._sides.wanted(Service.SSE_HUB, client_id)
            try:
                async with aclosing(self._live(side, client_id)) as live:
                    async for event in live:
                        if event == b"":
                            yield b":\n\n"
                        if isinstance(event, Event) and (change := _next(event, place)):
                            place = change.place
                            yield _frame(change)
                            continue
                        while batch := await asyncio.to_thread(self._changes.after, place, _BATCH):
                            place = batch[-1].place
                            yield b"".join(map(_frame, batch))
                            if len(batch) < _BATCH:
                                break
            except Replaced:
                place, opening = await self._begin(place.event_id, last)
                yield opening
            except ObbyError as error:
                if error.reason == "DATABASE_UNAVAILABLE":
                    yield b":\n\n"  # which notices a client that is gone
                    await asyncio.sleep(_AGAIN)
                    continue
                _LOG.info("event stream leaves the hub in %s: %s", side.value, error)
                if side is Backend.GO:
                    self._sides.go_failed(Service.SSE_HUB)
                else:  # too slow a reader, who then has it from the database
                    await asyncio.sleep(_PAUSE)

    async def _begin(self, last_event_id: str | None, last: int) -> tuple[Place, bytes]:
        """Return the place where a stream begins, and what is to be said first."""
        while True:
            with suppress(Replaced):  # meanwhile: once more
                return await asyncio.to_thread(self._beginning, last_event_id, last)

    def _beginning(self, last_event_id: str | None, last: int) -> tuple[Place, bytes]:
        start = self._changes.before_newest(last) if last else self._changes.newest()
        if not last_event_id:
            return start, b""
        told = _ID.fullmatch(last_event_id)
        if told is None or told[1] != start.database_id:
            reason = "epoch"
        elif (held := self._held(told)) is None:
            reason = "future"
        elif self._changes.count_after(held, self._replay + 1) > self._replay:
            reason = "expired"
        else:
            return held, b""
        data = json.dumps({"reason": reason})
        return start, f"event: reset\ndata: {data}\nid: {start.event_id}\n\n".encode()

    def _held(self, told: re.Match[str]) -> Place | None:
        """Return the place that an id names; None: the database does not have it."""
        if len(told[2]) > _DIGITS or len(told[3] or "") > _DIGITS:
            return None
        return self._changes.held(Place(int(told[2]), int(told[3] or 0), told[1]))

    async def _live(self, side: Backend, client_id: str | None) -> AsyncGenerator[Any, None]:
        """Give what a hub sends: first None, when it listens, and b"" when all is quiet.

        Ends when the client belongs to the other side.
        """
        stream = self._sides.of(Service.SSE_HUB, side).subscribe(TOPIC, retry_for=0.0)
        reading: asyncio.Future[Any] | None = None
        turned = asyncio.ensure_future(self._turn.wait())
        try:
            await stream.connect()
            yield None
            while not self._closing and self._sides.wanted(Service.SSE_HUB, client_id) is side:
                reading = reading or asyncio.ensure_future(anext(stream))
                await asyncio.wait(
                    {reading, turned},
                    timeout=self._heartbeat,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if reading.done():
                    item, reading = reading.result(), None
                    yield item
                elif not turned.done():
                    yield b""
                else:  # it may be for another file of the database, too
                    turned = asyncio.ensure_future(self._turn.wait())
                    yield None
        except StopAsyncIteration:
            pass
        finally:
            turned.cancel()
            if reading is not None:
                reading.cancel()
                await asyncio.wait({reading})
            await stream.close()


def _next(event: Event, place: Place) -> Change | None:
    """Return the change that an event tells if it is the very next one."""
    try:
        told = json.loads(event.data)
        change_id, database = int(told["change_id"]), told["database_id"]
        micros = parse_time(told["observe_time"])
    except (ValueError, KeyError, TypeError):
        return None  # another program's: whatever it means, the database tells
    if database != place.database_id or change_id != place.change_id + 1:
        return None
    time = 0 if micros is None or micros == NEVER else micros
    return Change(Place(change_id, time, database, place.file), event.event_type, event.data)


def _frame(change: Change) -> bytes:
    head = f"event: {change.event_type}\nid: {change.place.event_id}\ndata: "
    return head.encode() + change.data + b"\n\n"
