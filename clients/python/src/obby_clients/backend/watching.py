"""Who watches a root: the side that the flags say, handed over without a gap.

The new watcher is started and ready before the old one stops; then the root is compared
with what is recorded. So whatever falls between the two is found by the comparison, and
what both report is recorded once, because the same content is the same version.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ..errors import NotFoundError, ObbyError
from ..fastapi._sides import Sides
from ..flags import Backend, Service
from ..watcher import Event, WatchState
from .recording import Recorder

__all__ = ["RootWatcher", "outermost"]

_LOG = logging.getLogger("obby_clients.backend")
_LOOK = 0.25  # seconds between two looks at the flags
_PROBE = 0.5  # seconds that a Go watcher has to show that it is there

Watcher = Any  # FileWatcher of either side: they have the same methods


def outermost(root: str, roots: list[str]) -> str:
    """Return the root that decides for a root: nested ones follow the one around them."""
    around = (other for other in roots if f"{root}/".startswith(f"{other.rstrip('/')}/"))
    return min(around, key=len)


@dataclass
class _Following:
    """One watch of one side, and the task that passes on what it reports."""

    side: Backend
    watcher: Watcher
    stream: Any
    watch_id: str
    ours: bool
    """This process has started the watch, so it may stop it."""
    task: asyncio.Future[None]

    async def close(self) -> None:
        """Stop reporting."""
        self.task.cancel()
        await asyncio.wait({self.task})
        await self.stream.close()
        if self.ours:
            with suppress(ObbyError):  # it is gone, or its service is
                await self.watcher.stop_watching(self.watch_id, timeout=_PROBE)


class RootWatcher:
    """Keeps one root watched."""

    def __init__(
        self,
        root: str,
        subject: str,
        recorder: Recorder,
        sides: Sides,
        debounce: timedelta,
    ) -> None:
        """Have `recorder` record what changes below a root; `subject` decides the side."""
        self._root, self._subject, self._recorder = root, subject, recorder
        self._sides, self._debounce = sides, debounce
        self._said: dict[Backend, str] = {}

    async def run(self) -> None:
        """Watch until cancelled."""
        current: _Following | None = None
        try:
            while True:
                current = await self._kept(current)
                ended = {current.task} if current and not current.task.done() else set()
                if ended:
                    await asyncio.wait(ended, timeout=_LOOK)
                else:
                    await asyncio.sleep(_LOOK)
        finally:
            if current is not None:
                await asyncio.shield(current.close())

    async def _kept(self, current: _Following | None) -> _Following | None:
        """Return the watch that is to go on: the current one, or another that is ready."""
        alive = current is not None and not current.task.done()
        wanted = self._sides.wanted(Service.FILE_WATCHER, self._subject)
        if current is not None and alive and current.side is wanted:
            return current
        new = await self._opened(wanted)
        if new is None and wanted is Backend.GO:
            self._sides.go_failed(Service.FILE_WATCHER)
            new = None if alive else await self._opened(Backend.PYTHON)
        if new is None:
            return current
        if current is not None:
            await current.close()
        _LOG.info("root is watched by %s: %s", new.side.value, self._root)
        self._recorder.resync()
        return new

    async def _opened(self, side: Backend) -> _Following | None:
        """Have a side watch the root; return when it sees every change from now on."""
        try:
            watcher = self._sides.of(Service.FILE_WATCHER, side)
            await watcher.server_info(timeout=_PROBE)
            started = await watcher.start_watching(self._root, debounce=self._debounce)
            watch_id = started.watch.watch_id
            stream = watcher.events(watch_ids=[watch_id], retry_for=0.0)
            await stream.connect()
            await self._ready(watcher, watch_id)
        except ObbyError as error:
            if self._said.get(side) != str(error):
                self._said[side] = str(error)
                _LOG.warning("root is not watched by %s: %s: %s", side.value, self._root, error)
            return None
        self._said.pop(side, None)
        task = asyncio.ensure_future(self._pass_on(stream))
        return _Following(side, watcher, stream, watch_id, started.created, task)

    async def _ready(self, watcher: Watcher, watch_id: str) -> None:
        while True:
            found = [w async for w in watcher.list_watches() if w.watch_id == watch_id]
            if not found:
                raise NotFoundError(f"the watch of {self._root} has ended")
            if found[0].state is not WatchState.STARTING:
                return
            await asyncio.sleep(0.05)

    async def _pass_on(self, stream: Any) -> None:
        try:
            async for item in stream:
                if isinstance(item, Event):
                    self._recorder.report(item)
                else:
                    _LOG.warning("events were lost, comparing with the disk: %s", self._root)
                    self._recorder.resync()
        except ObbyError as error:
            _LOG.warning("watching is interrupted: %s: %s", self._root, error)
