"""A Go service as this process sees it: its client, its health, what it lacks."""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Mapping
from typing import Any

from ..flags import Backend, Service
from .breaker import Breaker
from .calls import Call
from .guard import Guard
from .verdict import Mark, Verdict

__all__ = ["CLIENTS", "GoSide"]

_LOG = logging.getLogger("obby_clients.routing")
CLIENTS = {
    Service.FILE_WATCHER: ("watcher", "FileWatcherClient"),
    Service.CONTENT_TRACKER: ("tracker", "ContentTrackerClient"),
    Service.QUERY_SERVICE: ("query", "QueryClient"),
    Service.SSE_HUB: ("hub", "SSEHubClient"),
}
"""Where the clients are: package and class."""

_UNIMPLEMENTED_FOR = 60.0  # s; a newer service may have come without the connection being missed


class GoSide:
    """The Go service of one kind, as this process sees it."""

    def __init__(self, service: Service, kind: str, options: Mapping[str, Any]) -> None:
        self.service = service
        self.breaker = Breaker()
        self.guard = Guard()
        self.broken = ""
        """Why the client cannot be imported; empty: it can, or nobody tried."""
        self._kind, self._options = kind, options
        self._client: Any = None
        self._target = ""
        self._unknown: dict[str, float] = {}  # methods that the service lacks, until when
        self._away = False  # the log says so

    @property
    def now(self) -> Any:
        """The client that is in use, if there is one."""
        return self._client

    @property
    def ready(self) -> bool:
        """Whether calls may be made, with nothing to be asked or remembered first."""
        return self.breaker.closed and not self._unknown

    def served(self) -> None:
        """Take note of a call that was answered."""
        self.breaker.success()
        self.guard.record(Backend.GO, failed=False)

    def client(self, target: str) -> Any:
        """Return the client for the target; None where grpcio is missing."""
        if self._client is None or target != self._target:
            made = self._make(target)
            old, self._client, self._target = self._client, made, target
            if old is not None:  # its calls go on until they end
                self.breaker.half_open()
                self._unknown.clear()
        return self._client

    def drop(self) -> Any:
        """Give the client up, for its owner to close; the next call makes another."""
        client, self._client = self._client, None
        self._unknown.clear()
        self.breaker.half_open()
        return client

    def lacks(self, name: str) -> bool:
        """Tell whether the service has said that it does not know a method."""
        until = self._unknown.get(name)
        if until is not None and time.monotonic() >= until:
            self._unknown.pop(name, None)
            return False
        return until is not None

    def learned(self, call: Call, seen: Verdict) -> None:
        """Take note of a failure."""
        if seen.mark is Mark.GONE:
            self._unknown.clear()  # what comes back may be newer
        if seen.code == "UNIMPLEMENTED":
            self._unknown[call.name] = time.monotonic() + _UNIMPLEMENTED_FOR
        elif seen.mark is Mark.SUCCESS:
            self.breaker.success()
        elif seen.mark is not Mark.NEUTRAL and self.breaker.failure(gone=seen.mark is Mark.GONE):
            self._tell(seen.code)

    def probed(self, why: str, *, silent: bool = False) -> None:
        """Take note of a health check; `why` the service cannot be called, empty: it can."""
        if not why:
            self._unknown.clear()  # it may be another process
        self._tell(why)
        self.breaker.probed(not why, silent=silent)

    def _tell(self, why: str) -> None:
        """Log, once each time, that the service is away, and that it is back."""
        if bool(why) == self._away:
            return
        self._away = bool(why)
        name = f"{self.service.label} at {self._target}"
        if why:
            _LOG.warning(
                "breaker open: %s: %s: its calls run on Python; see that it runs, and that"
                " %s is its address",
                name,
                why,
                self.service.target,
            )
        else:
            _LOG.warning("breaker closed: %s answers again", name)

    def _make(self, target: str) -> Any:
        if self.broken:
            return None
        module, name = CLIENTS[self.service]
        try:
            found = importlib.import_module(f"obby_clients.{module}.client")
        except Exception as error:  # a broken grpcio raises more than ImportError
            self.broken = f"{type(error).__name__}: {error}"
            _warn_once(self.broken)
            return None
        return getattr(found, self._kind + name)(target, fail_fast=True, **self._options)


_warned = False


def _warn_once(why: str) -> None:
    """Say once, for all services, that everything runs on Python."""
    global _warned  # noqa: PLW0603 (once in a process)
    if not _warned:
        _warned = True
        _LOG.warning("no Go service can be called, everything runs on Python: %s", why)
