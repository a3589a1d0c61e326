"""The endpoint of a hub's events for browsers: what the sse-hub serves at /events."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import AlreadyExistsError, ClosedError, InvalidArgumentError
from ..hub.values import Event, Reset
from ._hub import Hub
from ._subscription import Request, Subscription, topics_of

__all__ = ["Endpoint"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_RETRY = 2000  # milliseconds that a client waits before it connects again
_RETRY_STOPPED = (2000, 5000)  # when the hub stops, so that not all come back at once
_METHODS = "GET, HEAD, OPTIONS"
_PARAMETERS = {"last", "last_event_id", "client_id", "ticket"}
_FIELDS = {"topics": "topic", "last_count": "last"}
_BATCH = 256 << 10


class Endpoint:
    """An ASGI application with one resource, whatever its path: mount it at /events.

    `GET ?topic=…` streams events; `last`, `last_event_id` and `client_id` are as
    docs/events.md has them, and the Last-Event-ID header wins. Pages of other sites
    may read it where their origin is in `origins`. A client that takes nothing for
    `write_timeout` seconds is let go, and has everything when it comes back. Who may
    read is the host application's to decide.
    """

    def __init__(
        self, hub: Hub, *, heartbeat: float, origins: frozenset[str], write_timeout: float = 10.0
    ) -> None:
        self._hub, self._heartbeat, self._origins = hub, heartbeat, origins
        self._write_timeout = write_timeout

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served here: mount it for HTTP")
        headers = {name.decode("latin-1"): value for name, value in scope["headers"]}
        allowed = self._allowed(headers)
        if allowed is None:
            await _answer(send, 403, "pages of this origin may not read the events")
        elif scope["method"] == "OPTIONS":
            allow = (b"allow", _METHODS.encode())
            await _answer(send, 204, "", [allow, *_preflight(headers), *allowed])
        elif scope["method"] not in {"GET", "HEAD"}:
            await _answer(send, 405, "use GET", [(b"allow", _METHODS.encode())])
        else:
            await self._stream(scope, headers, allowed, receive, send)

    def _allowed(self, headers: dict[str, bytes]) -> list[tuple[bytes, bytes]] | None:
        """Return what a page of the request's origin needs to read it; None: it may not."""
        origin = headers.get("origin", b"").decode("latin-1")
        if not origin:
            return []
        if origin in self._origins:
            return [
                (b"access-control-allow-origin", origin.encode()),
                (b"access-control-allow-credentials", b"true"),
                (b"vary", b"Origin"),
            ]
        parts = urlsplit(origin)
        host = headers.get("host", b"").decode("latin-1").lower()
        same = parts.scheme in {"http", "https"} and parts.netloc.lower() == host
        return [(b"vary", b"Origin")] if same else None

    async def _stream(
        self,
        scope: Message,
        headers: dict[str, bytes],
        allowed: list[tuple[bytes, bytes]],
        receive: Receive,
        send: Send,
    ) -> None:
        try:
            request = _request(scope["query_string"], headers.get("last-event-id", b""))
            request.check()
        except InvalidArgumentError as error:
            violation = error.field_violations[0]
            name = _FIELDS.get(violation.field, violation.field)
            await _answer(send, 400, f"{name}: {violation.description}", allowed)
            return
        except ValueError as error:
            await _answer(send, 400, str(error), allowed)
            return
        start: Message = {
            "type": "http.response.start",
            "status": 200,
            "headers": _HEADERS + allowed,
        }
        await send(start)
        if scope["method"] == "HEAD":  # never a subscriber (hub case 22)
            await send({"type": "http.response.body", "body": b""})
            return
        writer = asyncio.ensure_future(self._write(request, send))
        gone = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({writer, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            writer.cancel()
            await asyncio.gather(writer, gone, return_exceptions=True)

    async def _write(self, request: Request, send: Send) -> None:
        """Write the stream until it ends; a client that takes nothing ends it too."""

        async def put(frames: bytes, *, more: bool = True) -> None:
            message = {"type": "http.response.body", "body": frames, "more_body": more}
            await asyncio.wait_for(send(message), self._write_timeout)

        last = b""
        try:
            subscription = self._hub.subscribe(request)
        except ClosedError:
            await put(_farewell(), more=False)
            return
        try:
            await put(b"retry: %d\n\n:\n\n" % _RETRY + _opening(subscription))
            await self._follow(subscription, put)
        except AlreadyExistsError as error:
            last = b"event: hub.replaced\n" + _data(json.dumps({"reason": error.message})) + b"\n"
        except ClosedError:
            last = _farewell()
        finally:
            subscription.close()
        await put(last, more=False)

    async def _follow(
        self, subscription: Subscription, put: Callable[[bytes], Awaitable[None]]
    ) -> None:
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            loop.call_soon_threadsafe(changed.set)

        subscription.listen(wake)
        told = subscription.place_id
        while True:
            changed.clear()
            frames, end = _ready(subscription)
            if frames:
                told = subscription.cursor
                await put(frames)
            if end is not None:
                raise end
            if frames:
                continue
            try:
                await asyncio.wait_for(changed.wait(), self._heartbeat)
            except asyncio.TimeoutError:
                place = subscription.place_id
                await put(b":\n\n" if place == told else b"id: %s\n\n" % place.encode())
                told = place


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # nginx would collect events
    (b"x-content-type-options", b"nosniff"),
]


def _request(query: bytes, last_event_id: bytes) -> Request:
    """Read a subscription; what is mistyped is refused and not ignored (hub case 54)."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="surrogateescape")
    given: dict[str, str] = {}
    for name, value in pairs:
        if name == "topic":
            continue
        if name not in _PARAMETERS:
            raise ValueError(
                f"{name!r} is not a parameter: there are topic, last, last_event_id, client_id and"
                " ticket"
            )
        if name in given:
            raise ValueError(f"{name}: is given more than once")
        given[name] = value
    last = given.get("last", "")
    if last and not (last.removeprefix("-").isascii() and last.removeprefix("-").isdigit()):
        raise ValueError(f"last: {last!r} is not a whole number")
    # A browser that connects again repeats the URL: the header is the newer (hub case 39).
    header = last_event_id.decode("utf-8", "replace")
    return Request(
        topics_of(value for name, value in pairs if name == "topic"),
        header or given.get("last_event_id", ""),
        int(last or 0),
        given.get("client_id", ""),
    )


def _ready(subscription: Subscription) -> tuple[bytes, Exception | None]:
    """Return what can be written now, and why nothing follows where nothing does."""
    frames = bytearray()
    try:
        while len(frames) < _BATCH and (item := subscription.take()) is not None:
            frames += _frame(item, subscription.live_id)
    except (AlreadyExistsError, ClosedError) as error:
        return bytes(frames), error
    return bytes(frames), None


def _opening(subscription: Subscription) -> bytes:
    """Return what a stream begins with: the cursor, or the reset."""
    if subscription.has_reset:
        item = subscription.take()
        assert item is not None
        return _frame(item, subscription.live_id)
    return b"id: %s\n\n" % subscription.place_id.encode()


def _frame(item: Event | Reset, newest: str) -> bytes:
    """Write an item as WHATWG HTML 9.2.5 has it; its id comes last."""
    if isinstance(item, Reset):
        reset = {
            "reason": item.reason.name.lower(),
            "oldest": item.oldest_event_id or "",
            "newest": newest,
        }
        kind, data = "reset", json.dumps(reset, separators=(",", ":"))
    else:
        kind, data = item.event_type, item.data.decode()
    head = b"" if kind == "message" else f"event: {kind}\n".encode()
    return head + _data(data) + f"id: {item.event_id}\n\n".encode()


def _data(text: str) -> bytes:
    """Write each line of data as a field: nothing in it begins one of its own (case 6)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode()


def _farewell() -> bytes:
    return b"retry: %d\n\n" % random.randint(*_RETRY_STOPPED)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _preflight(headers: dict[str, bytes]) -> list[tuple[bytes, bytes]]:
    if "origin" not in headers:
        return []
    return [
        (b"access-control-allow-methods", _METHODS.encode()),
        (
            b"access-control-allow-headers",
            b"Authorization, Cache-Control, Content-Type, Last-Event-ID",
        ),
        (b"access-control-max-age", b"600"),
    ]


async def _answer(
    send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None
) -> None:
    body = (text + "\n").encode("utf-8", "replace") if text else b""
    kind = [(b"content-type", b"text/plain; charset=utf-8")] if body else []
    length = [(b"content-length", str(len(body)).encode())] if body else []
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [*(headers or []), *kind, *length],
        }
    )
    await send({"type": "http.response.body", "body": body})
