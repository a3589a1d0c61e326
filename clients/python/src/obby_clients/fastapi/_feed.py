"""Following what is committed, and publishing it: the database, not the calls that wrote it.

So it does not matter which side recorded a change, or whether the process that had it
recorded is still there. Each process feeds its own hub in Python: that costs nothing,
and it is what clients of the Go hub fall back to.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..changes import TOPIC, Change, Changes, Place, Replaced
from ..errors import InvalidArgumentError, ResourceExhaustedError, UnavailableError

__all__ = ["feed", "follow", "publish"]

_LOG = logging.getLogger("obby_clients.fastapi")
_LOOK = 0.05  # seconds between two looks whether anything was committed
_BATCH = 200
_AGAIN = 1.0  # seconds until a database that cannot be read is tried again

Hub = Any  # SSEHub of either side: they have the same methods


async def feed(changes: Changes, hub: Hub, replaced: Callable[[], None] | None = None) -> None:
    """Publish every change from now on to a hub, until cancelled.

    `replaced` is called when the database is another file, and the feed goes on there.
    """
    after: Place | None = None
    while True:
        try:
            if after is None:
                after = await asyncio.to_thread(changes.newest)
            found = await asyncio.to_thread(changes.resumed, after)
            if found.file != after.file and replaced is not None:
                replaced()
            after = found
            async for change in follow(changes, after):
                await publish(hub, change)
                after = change.place
        except Replaced:
            continue
        except UnavailableError as error:
            _LOG.warning("changes cannot be read, trying again: %s", error)
            await asyncio.sleep(_AGAIN)


async def follow(changes: Changes, after: Place) -> AsyncIterator[Change]:
    """Give every change after a place, for ever, about when it is committed.

    Raises Replaced where the database is another file.
    """
    seen: object = None
    while True:
        tick = await asyncio.to_thread(changes.tick)
        if tick == seen:
            await asyncio.sleep(_LOOK)
            continue
        seen = tick
        while batch := await asyncio.to_thread(changes.after, after, _BATCH):
            for change in batch:
                yield change
                after = change.place


async def publish(hub: Hub, change: Change) -> None:
    """Publish one change; a repetition is told by its key, also the content-tracker's own."""
    try:
        await hub.publish(
            TOPIC,
            change.data,
            event_type=change.event_type,
            idempotency_key=change.place.key,
        )
    except (InvalidArgumentError, ResourceExhaustedError) as error:
        # It would hold up what comes after it, and the clients read it from the database.
        number = change.place.change_id
        _LOG.error("the hub refuses change %d, which is skipped: %s", number, error)
