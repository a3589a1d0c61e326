"""From the disk to the database to the hubs: what one process of the backend runs.

Of several processes with the same database one runs it, the one that holds the lock on
a file beside it; where that process ends, however, another one takes over.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
from datetime import timedelta
from typing import Any

from ..fastapi import State
from ..flags import Backend, Flags, Service
from .lock import Lock
from .publishing import Cursor, publish_to_go
from .recording import Recorder
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
        self._obby, self._flags, self._changes = state.router, state.flags, state.changes
        self._python = state.fallbacks.watcher
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
        async with _Go(self._flags) as go:
            work = [self._publish(go)]
            for root in self._roots:
                recorder = Recorder(self._obby, root, self._debounce)
                work += [recorder.run(), self._watcher(root, recorder, go).run()]
            await _together(work)

    def _watcher(self, root: str, recorder: Recorder, go: _Go) -> RootWatcher:
        subject = outermost(root, self._roots)
        return RootWatcher(
            root,
            recorder,
            decide=lambda: self._flags.decide(Service.FILE_WATCHER, subject).backend,
            watcher=lambda side: (
                go.client(Service.FILE_WATCHER) if side is Backend.GO else self._python
            ),
            debounce=self._debounce,
        )

    async def _publish(self, go: _Go) -> None:
        await publish_to_go(
            self._changes,
            Cursor(self._database),
            functools.partial(self._flags.setting, Service.SSE_HUB),
            functools.partial(go.client, Service.SSE_HUB),
        )


class _Go:
    """Clients of the Go services alone: a watch and a publication have no other side."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._clients: dict[tuple[Service, str | None], Any] = {}

    def client(self, service: Service) -> Any:
        """Return the client of a service where the flags say that it is now.

        Raises ImportError where grpcio is not installed.
        """
        from .. import AsyncFileWatcherClient, AsyncSSEHubClient  # noqa: PLC0415 (needs grpcio)

        kind = AsyncFileWatcherClient if service is Service.FILE_WATCHER else AsyncSSEHubClient
        key = service, self._flags.setting(service).target
        if key not in self._clients:
            self._clients[key] = kind(key[1], fail_fast=True)
        return self._clients[key]

    async def __aenter__(self) -> _Go:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in self._clients.values():
            await client.close()


async def _together(work: list[Any]) -> None:
    """Run all until one fails or this is cancelled; leave when every one has ended."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
