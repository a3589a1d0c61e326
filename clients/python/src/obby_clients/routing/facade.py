"""The four services behind one door: Go or Python, as the flags say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .. import _options
from .._closing import AsyncClosing, Closing
from ..flags import Backend, Decision, Flags, Service, canonical
from . import services
from .changes import Change, Changes
from .router import Fallbacks, Router

__all__ = ["AsyncObby", "Obby"]

# Seconds that a stream has to be handed over before Go is left all the same.
_LEAVE = 0.5


class _Facade:
    _asynchronous = False

    def __init__(
        self,
        *,
        fallback: Fallbacks,
        flags: Flags | None = None,
        tokens: Mapping[Service, str | Callable[[], str]] | None = None,
        drain: float = 5.0,
        shadow: Iterable[str] | None = None,
    ) -> None:
        """Route calls between the Go services and `fallback`.

        `flags` are by default those of the environment and of OBBY_FLAGS_FILE.
        `tokens` are for services that ask who is there. Calls that run when the
        kill switch is turned on have `drain` seconds to end. `shadow` names the
        calls that OBBY_SHADOW_PERCENTAGE is for, such as `query.recent_diffs`; by
        default every read.

        Raises FlagsError (OBBY_FLAGS_STRICT), TypeError (`shadow` names a write, or a
        value is of a wrong type), ValueError (`drain` is negative).
        """
        _options.instance("fallback", fallback, Fallbacks)
        _options.seconds("drain", drain)
        for service in tokens or {}:
            _options.instance("a key of tokens", service, Service)
        self.flags = Flags() if flags is None else _options.instance("flags", flags, Flags)
        """What is set."""
        self._changes = Changes(self.flags)
        self.router = Router(
            self.flags,
            fallback,
            asynchronous=self._asynchronous,
            tokens=tokens,
            changes=self._changes,
            shadow=shadow,
        )
        """What every call goes through; `observers` may be added to it."""
        self._drain = drain
        self._changes.watch(None, self._changed, start=False)

    def decide(self, service: Service, subject: str | bytes | None = None) -> Decision:
        """Explain where a call goes by the flags; no service is asked for its health.

        `subject` is a path for the watcher and the tracker, an id for the others.
        """
        if subject and service in (Service.FILE_WATCHER, Service.CONTENT_TRACKER):
            subject = canonical(subject)
        return self.flags.decide(service, subject)

    def on_change(
        self, service: Service | None, callback: Callable[[Change], None]
    ) -> Callable[[], None]:
        """Call back, in a thread, within a second of a change; return what ends that."""
        return self._changes.watch(service, callback)

    def health(self) -> dict[str, str]:
        """Return the breaker's state of each service: `closed`, `open`, `half-open`, `unused`."""
        used = {side.service: side.breaker.state for side in self.router.sides()}
        return {service.label: used.get(service, "unused") for service in Service}

    def _stop(self) -> None:
        """Begin to close: what follows waits for the connections."""
        self.router.closed = True
        self._changes.stop()
        self.router.shadow.stop()
        for stream in self.router.live:
            stream.end()

    def _changed(self, change: Change) -> None:
        """End the connections of a service that nothing may call any more."""
        if change.now.go_possible or not change.before.go_possible:
            return
        for stream in self.router.live:
            if stream.service is change.service:
                _later(_LEAVE, partial(stream.cut, Backend.GO))
        client = self.router.side(change.service).drop()
        if client is not None:
            _later(self._drain, client._abandon)


def _later(seconds: float, do: Callable[[], Any]) -> None:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()


class Obby(_Facade, Closing):
    """The four services, blocking; threads may share it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.watcher = services.Watcher(self.router)
        """The file-watcher."""
        self.tracker = services.Tracker(self.router)
        """The content-tracker."""
        self.query = services.Query(self.router)
        """The query-service."""
        self.hub = services.Hub(self.router)
        """The sse-hub."""

    def close(self) -> None:
        """Close the connections to the Go services, and end every stream with ClosedError.

        The Python side is its owner's.
        """
        self._stop()
        for side in self.router.sides():
            if (client := side.drop()) is not None:
                client.close()


class AsyncObby(_Facade, AsyncClosing):
    """The four services in asyncio; it may be built anywhere, also before a fork."""

    _asynchronous = True

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.watcher = services.AsyncWatcher(self.router)
        """The file-watcher."""
        self.tracker = services.AsyncTracker(self.router)
        """The content-tracker."""
        self.query = services.AsyncQuery(self.router)
        """The query-service."""
        self.hub = services.AsyncHub(self.router)
        """The sse-hub."""

    async def close(self) -> None:
        """Close the connections to the Go services, and end every stream with ClosedError.

        The Python side is its owner's.
        """
        self._stop()
        for side in self.router.sides():
            if (client := side.drop()) is not None:
                await client.close()
