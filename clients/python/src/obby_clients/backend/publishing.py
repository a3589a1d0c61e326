"""Publishing to the Go hub, while the flags let anybody listen there.

One process does it, the one that runs the pipeline; how far it is, is on disk.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from pathlib import Path

from ..changes import Changes
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
        after = await asyncio.to_thread(cursor.read, changes)
        try:
            async for change in follow(changes, after):
                if not sides.setting(Service.SSE_HUB).go_possible:
                    break
                await publish(sides.of(Service.SSE_HUB, Backend.GO), changes, change)
                after = change.change_id
                await cursor.passed(after)
        except ObbyError as error:
            _LOG.info("the Go hub takes nothing, trying again: %s", error)
            await asyncio.sleep(_AGAIN)
        finally:
            cursor.write(after)


class Cursor:
    """How far the Go hub has been published to, in a file beside the database.

    Written now and then: what is published twice for that reason is told by its key.
    """

    def __init__(self, database: str | os.PathLike[str]) -> None:
        self._path = Path(f"{os.fspath(database)}.published")
        self._database_id = ""
        self._written = -1

    def read(self, changes: Changes) -> int:
        """Return the last change that was published; at the very first time the newest."""
        self._database_id = changes.database_id
        try:
            found = json.loads(self._path.read_bytes())
            if found["database_id"] == changes.database_id:
                return int(found["change_id"])
        except (OSError, ValueError, KeyError, TypeError):
            pass  # none yet, or of another database
        return changes.newest()

    async def passed(self, change_id: int) -> None:
        """Say that a change was published; written after every hundredth."""
        if change_id >= self._written + 100:
            await asyncio.to_thread(self.write, change_id)

    def write(self, change_id: int) -> None:
        """Put it into the file: whole, or not at all."""
        if change_id == self._written:
            return
        content = json.dumps({"database_id": self._database_id, "change_id": change_id})
        temporary = self._path.with_suffix(".published-new")
        temporary.write_text(content)
        os.replace(temporary, self._path)
        self._written = change_id
