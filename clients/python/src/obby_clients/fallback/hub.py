"""The sse-hub in Python: publications of this process, and an endpoint for browsers."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from .. import _options
from .._version import __version__
from ..hub.values import Event, Published, Reset
from ..values import ServerInfo
from ._aio import Asyncio, Blocking, streaming, unary
from ._asgi import Endpoint
from ._hub import Hub, Retention
from ._streams import Source
from ._subscription import Request, topics_of

__all__ = ["AsyncSSEHub", "SSEHub"]


class _Calls:
    """The calls of the sse-hub: see SSEHubClient for each."""

    def __init__(
        self,
        *,
        history_events: int = 100_000,
        history_bytes: int = 64 << 20,
        history_age: timedelta = timedelta(days=7),
        max_data: int = 1 << 20,
        heartbeat: float = 15.0,
        allow_origins: Iterable[str] = (),
    ) -> None:
        """Distribute publications (see the class).

        Raises TypeError or ValueError for a value that cannot be.
        """
        retention = Retention(
            _options.whole("history_events", history_events, least=0),
            _options.whole("history_bytes", history_bytes, least=0),
            _options.span("history_age", history_age),
        )
        _options.whole("max_data", max_data, least=1)
        _options.seconds("heartbeat", heartbeat, positive=True)
        origins = frozenset(_options.texts("allow_origins", allow_origins))
        self._instance, self._start = str(uuid.uuid4()), datetime.now(timezone.utc)
        self._hub = Hub(retention, max_data)
        self.app = Endpoint(self._hub, heartbeat=heartbeat, origins=origins)

    def _release(self) -> None:
        self._hub.close()

    def _info(self) -> ServerInfo:
        features = ("client-id", "idempotency", "python", "replay", "wildcards")
        return ServerInfo(__version__, ("obby.sse.v1",), features, self._instance, self._start)

    @unary
    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Describe this fallback."""
        return self._info()

    @unary
    def wait_ready(self, timeout: float = 10.0) -> ServerInfo:
        """Describe this fallback, which is ready."""
        return self._info()

    @unary
    def publish(
        self,
        topic: str,
        data: str | bytes,
        *,
        event_type: str = "",
        idempotency_key: str = "",
        timeout: float | None = None,
    ) -> Published:
        """Publish to a topic; returns when the event's place in the order is fixed."""
        raw = data.encode() if isinstance(data, str) else bytes(data)
        return self._hub.publish(topic, raw, event_type, idempotency_key)

    @streaming
    def subscribe(
        self,
        topics: str | Iterable[str],
        *,
        last_event_id: str | None = None,
        last_count: int = 0,
        client_id: str = "",
        idle_timeout: float = 45.0,
        retry_for: float = 60.0,
    ) -> Source[Event | Reset]:
        """Stream what is published to the topics, for ever."""
        request = Request(topics_of(topics), last_event_id or "", last_count, client_id)
        return self._hub.subscribe(request)


class SSEHub(_Calls, Blocking):
    """Distributes publications within this process; every call blocks.

    `app` is an ASGI application for browsers, to be mounted at /events; pages of
    `allow_origins` may read it too. Up to `history_events` events of `history_bytes`
    and `history_age` can be replayed, and are lost with the process: who comes back
    with an id of an earlier one gets a reset. Data has at most `max_data` bytes. A
    stream to a browser is silent for `heartbeat` seconds at most.
    """


class AsyncSSEHub(_Calls, Asyncio):
    """The same for asyncio: await calls, `async for` streams."""
