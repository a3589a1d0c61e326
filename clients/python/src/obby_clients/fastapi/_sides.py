"""The two sides of what lasts longer than a call: watches, subscriptions, publications.

A call that fails on Go is made again on Python, which the router does. A stream cannot
be: whoever reads it has to know which side it is on, to hand it over.
"""

from __future__ import annotations

import time
from typing import Any

from ..flags import Backend, Flags, Service, Setting
from ..routing import Fallbacks

__all__ = ["Sides"]

_GO_AGAIN = 2.0  # seconds until a Go service that failed is tried again


class Sides:
    """Which side the flags want for a stream, and the client that gives it."""

    def __init__(self, flags: Flags, fallbacks: Fallbacks) -> None:
        self._flags, self._fallbacks = flags, fallbacks
        self._clients: dict[tuple[Service, str | None], Any] = {}
        self._go_after: dict[Service, float] = {}

    def setting(self, service: Service) -> Setting:
        """Return what is set for a service now."""
        return self._flags.setting(service)

    def wanted(self, service: Service, subject: str | None) -> Backend:
        """Return the side that is to serve a stream: not Go's where it has just failed."""
        side = self._flags.decide(service, subject).backend
        waits = time.monotonic() < self._go_after.get(service, 0.0)
        return Backend.PYTHON if waits else side

    def go_failed(self, service: Service) -> None:
        """Say that Go does not serve a stream; it is tried again in two seconds."""
        self._go_after[service] = time.monotonic() + _GO_AGAIN

    def of(self, service: Service, side: Backend) -> Any:
        """Return the client of one side, Go's for where the flags say that it is now.

        Raises ImportError where grpcio is not installed.
        """
        if side is Backend.PYTHON:
            return self._fallbacks.of(service)
        from .. import AsyncFileWatcherClient, AsyncSSEHubClient  # noqa: PLC0415 (needs grpcio)

        kind = {
            Service.FILE_WATCHER: AsyncFileWatcherClient,
            Service.SSE_HUB: AsyncSSEHubClient,
        }[service]
        key = service, self._flags.setting(service).target
        if key not in self._clients:
            self._clients[key] = kind(key[1], fail_fast=True)
        return self._clients[key]

    async def close(self) -> None:
        """Close the Go clients."""
        for client in self._clients.values():
            await client.close()
