"""The two sides of what lasts longer than a call: watches, subscriptions, publications.

A call that fails on Go is made again on Python, which the router does. A stream of ours
is handed over instead: whoever reads it knows which side it is on, and when to leave.
"""

from __future__ import annotations

import time
from typing import Any

from ..errors import UnavailableError
from ..flags import Backend, Service, Setting
from ..routing import AsyncObby, Fallbacks

__all__ = ["Sides"]

_GO_AGAIN = 2.0  # seconds until a Go service that failed is tried again


class Sides:
    """Which side the flags want for a stream, and the client that gives it."""

    def __init__(self, obby: AsyncObby, fallbacks: Fallbacks) -> None:
        self._obby, self._fallbacks = obby, fallbacks
        self._go_after: dict[Service, float] = {}

    def setting(self, service: Service) -> Setting:
        """Return what is set for a service now."""
        return self._obby.flags.setting(service)

    def wanted(self, service: Service, subject: str | None) -> Backend:
        """Return the side that is to serve a stream: not Go's where it has just failed."""
        side = self._obby.decide(service, subject).backend
        if side is Backend.PYTHON or time.monotonic() < self._go_after.get(service, 0.0):
            return Backend.PYTHON
        return side if self._go(service) is not None else Backend.PYTHON  # no grpcio

    def go_failed(self, service: Service) -> None:
        """Say that Go does not serve a stream; it is tried again in two seconds."""
        self._go_after[service] = time.monotonic() + _GO_AGAIN

    def of(self, service: Service, side: Backend) -> Any:
        """Return the client of one side.

        Raises UnavailableError where grpcio is not installed.
        """
        if side is Backend.PYTHON:
            return self._fallbacks.of(service)
        if (client := self._go(service)) is None:
            raise UnavailableError("grpcio is not installed")
        return client

    def _go(self, service: Service) -> Any:
        return self._obby.router.side(service).client(self.setting(service).target or "")
