"""From the disk to the database to the hubs: what one process of the backend runs.

Of several processes with the same database one runs it, the one that holds the lock on
a file beside it; where that process ends, however, another one takes over.
"""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from datetime import timedelta
from typing import Any

from .._lock import Lock
from ..changes import Changes
from ..errors import UnavailableError
from ..fastapi import State
from .checkpointing import checkpoint
from .publishing import Cursor, publish_to_go
from .recording import Recorder
from .serving import tell_who_serves
from .watching import RootWatcher, outermost

__all__ = ["Pipeline"]

_LOG = logging.getLogger("obby_clients.backend")
_LOOK = 0.5  # seconds between two tries to get the lock
_AGAIN = 1.0  # seconds until a pipeline that failed begins anew


class Pipeline:
    """Has the roots watched, their changes recorded and published."""

    def __init__(
        self, state: State, *, database: str, roots: list[str], debounce: timedelta
    ) -> None:
        self._state, self._obby = state, state.router
        self._changes, self._sides = state.changes, state.sides
        self._database, self._roots, self._debounce = database, roots, debounce
        self.running = False
        """Whether it is this process that runs it."""

    async def run(self) -> None:
        """Run it, or wait until it is this process's turn, until cancelled."""
        with Lock(f"{self._database}.backend-lock") as lock:
            while not lock.taken():
                await asyncio.sleep(_LOOK)
            _LOG.info("this process runs the pipeline: pid=%d", os.getpid())
            self.running = True
            while True:
                try:
                    await self._run()
                except Exception:
                    _LOG.exception("the pipeline failed and begins anew")
                    await asyncio.sleep(_AGAIN)

    async def _run(self) -> None:
        work: list[Any] = [checkpoint(self._database), tell_who_serves(self._state)]
        work.append(publish_to_go(self._changes, Cursor(self._database), self._sides))
        recorders = []
        for root in self._roots:
            recorder = Recorder(self._obby, root, self._debounce)
            subject = outermost(root, self._roots)
            watcher = RootWatcher(root, subject, recorder, self._sides, self._debounce)
            work += [recorder.run(), watcher.run()]
            recorders.append(recorder)
        work.append(_compare_when_replaced(self._changes, recorders))
        await _together(work)


async def _compare_when_replaced(changes: Changes, recorders: list[Recorder]) -> None:
    """Have every root compared where the database is another file, which may lack something."""
    before: int | None = None
    while True:
        with suppress(UnavailableError):  # which the feed tells
            file, _ = await asyncio.to_thread(changes.tick)
            if before not in {None, file}:
                for recorder in recorders:
                    recorder.resync()
            before = file
        await asyncio.sleep(_LOOK)


async def _together(work: list[Any]) -> None:
    """Run all until one fails or this is cancelled; leave when every one has ended."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
