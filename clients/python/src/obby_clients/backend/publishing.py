"""Publishing to the Go hub, while the flags let anybody listen there.

One process does it, the one that runs the pipeline; how far it is, is on disk.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

from ..changes import Changes, Place, Replaced
from ..errors import ObbyError
from ..fastapi._feed import follow, publish
from ..fastapi._sides import Sides
from ..flags import Backend, Service

__all__ = ["Cursor", "publish_to_go"]

_LOG = logging.getLogger("obby_clients.backend")
_AGAIN = 1.0  # seconds until a hub that failed is tried again


async def publish_to_go(changes: Changes, cursor: Cursor, sides: Sides) -> None:
    """Publish every change to the Go hub while some client may be there, until cancelled.

    What was committed while the hub was away, or nobody was to be there, is published
    afterwards.
    """
    while True:
        if not sides.setting(Service.SSE_HUB).go_possible:
            await asyncio.sleep(_AGAIN / 4)
            continue
        try:
            await _publish(changes, cursor, sides)
        except Replaced:
            continue  # the cursor finds its place in the new file
        except ObbyError as error:
            if error.reason == "DATABASE_UNAVAILABLE":
                _LOG.warning("changes cannot be read, trying again: %s", error)
            else:
                _LOG.info("the Go hub takes nothing, trying again: %s", error)
            await asyncio.sleep(_AGAIN)


async def _publish(changes: Changes, cursor: Cursor, sides: Sides) -> None:
    after = await asyncio.to_thread(cursor.read, changes)
    try:
        async for change in follow(changes, after):
            if not sides.setting(Service.SSE_HUB).go_possible:
                break
            await publish(sides.of(Service.SSE_HUB, Backend.GO), change)
            after = change.place
            await cursor.passed(after)
    finally:
        cursor.write(after)


class Cursor:
    """How far the Go hub has been published to, in a file beside the database.

    Written now and then: what is published twice for that reason is told by its key.
    """

    def __init__(self, database: str | os.PathLike[str]) -> None:
        self._path = Path(f"{os.fspath(database)}.published")
        self._written: Place | None = None

    def read(self, changes: Changes) -> Place:
        """Return the place behind what was published; at the very first time the newest."""
        try:
            found = json.loads(self._path.read_bytes())
            place = Place(
                int(found["change_id"]), int(found.get("time", 0)), str(found["database_id"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            return changes.newest()  # there is none yet
        return changes.resumed(place)

    async def passed(self, place: Place) -> None:
        """Say that a change was published; written after every hundredth."""
        before = self._written
        if before is None or not 0 <= place.change_id - before.change_id < 100:
            await asyncio.to_thread(self.write, place)

    def write(self, place: Place) -> None:
        """Put it into the file: whole, or not at all."""
        if place == self._written:
            return
        parts = {
            "database_id": place.database_id,
            "change_id": place.change_id,
            "time": place.time,
        }
        temporary = self._path.with_suffix(".published-new")
        temporary.write_text(json.dumps(parts))
        os.replace(temporary, self._path)
        self._written = place
