"""The hub's endpoint for browsers: the bytes are those of the service."""

from __future__ import annotations

import asyncio
import gc
import http.client
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import obby_clients as oc
from obby_clients import fallback

DATA = ["x", "", "\n", " x", "a\r\nb\rc\nd", "x\n", ": no comment", "id: 7\nevent: y\n\n", "\u2028"]


class Response:
    """An answer of an ASGI application, as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = bytearray()
        self.over = False
        self._changed = asyncio.Event()

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.over = not message.get("more_body")
        self._changed.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        while not happened():
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 60)


@asynccontextmanager
async def request(
    app: Any, query: str, *, method: str = "GET", **headers: str
) -> AsyncIterator[Response]:
    """Ask an application; leaving hangs up."""
    gone, response = asyncio.Event(), Response()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "query_string": query.encode(), "headers": raw}
    serving = asyncio.ensure_future(app(scope, receive, response.send))
    try:
        await response.until(lambda: response.status > 0)
        yield response
    finally:
        gone.set()
        await asyncio.wait_for(serving, 60)


async def answered(app: Any, query: str, **options: str) -> tuple[int, str]:
    async with request(app, query, **options) as response:
        await response.until(lambda: response.over)
        return response.status, response.body.decode().strip()


def test_frames(start: Callable[..., Any]) -> None:
    """Hub cases 1 to 6, 21, 29, 39 to 42: opening, frames and resets, byte for byte."""
    process = start("sse-hub", "--history-events", "12")
    queries = [(f"topic=t&last={n}", id_) for n in (0, 3, 6) for id_ in ("", "x-1", "E-0", "E-9")]
    queries += [("topic=t.*&topic=u&last=5", "E-999"), ("topic=t&last_event_id=E-6", "E-9")]
    with oc.SSEHubClient(process.target) as go, fallback.SSEHub(history_events=12) as python:
        go.wait_ready(60)
        epochs = []
        for side in (go, python):
            for data in DATA:
                side.publish("t", data)
            side.publish("t.a", "typed", event_type="created")
            epochs.append(side.publish("u", "other").event_id.partition("-")[0])
        for n, (query, last) in enumerate(queries):
            wanted = f"{query}&topic=end", last, f"end {n}"
            expected = from_service(process.http, go, epochs[0], wanted)
            got = asyncio.run(from_endpoint(python, epochs[1], wanted))
            assert got == expected, (query, last)


Wanted = tuple[str, str, str]
"""Query, Last-Event-ID, and the data of the event that ends what is compared; E: the epoch."""


def from_service(address: str, hub: Any, epoch: str, wanted: Wanted) -> bytes:
    """Return what the service streams, up to an event that is published when it does."""
    query, last, end = wanted
    connection = http.client.HTTPConnection(address, timeout=60)
    headers = {"Last-Event-ID": last.replace("E", epoch)} if last else {}
    connection.request("GET", f"/events?{query.replace('E', epoch)}", headers=headers)
    response = connection.getresponse()
    hub.publish("end", end)
    found = bytearray()
    while not ended(found, end):
        found += response.read1()
    connection.close()
    return bytes(found).replace(epoch.encode(), b"E")


async def from_endpoint(hub: Any, epoch: str, wanted: Wanted) -> bytes:
    """Return the same of the endpoint."""
    query, last, end = wanted
    headers = {"last_event_id": last.replace("E", epoch)} if last else {}
    async with request(hub.app, query.replace("E", epoch), **headers) as response:
        await response.until(lambda: len(response.body) > 0)
        hub.publish("end", end)
        await response.until(lambda: ended(response.body, end))
        return bytes(response.body).replace(epoch.encode(), b"E")


def ended(stream: bytes | bytearray, end: str) -> bool:
    return re.search(rb"data: %s\nid: \S+\n\n$" % end.encode(), stream) is not None


def test_surface() -> None:
    """Hub cases 22 to 25, 29, 53 and 54: methods, headers, origins, mistakes."""

    async def use() -> None:
        hub = fallback.SSEHub(allow_origins=["https://notes.example"])
        async with request(hub.app, "topic=t", method="HEAD") as response:
            await response.until(lambda: response.over)
            assert (response.status, bytes(response.body)) == (200, b"")
            assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert response.headers["cache-control"] == "no-store, no-transform"
        assert hub.publish("t", "x").receivers == 0
        for query in ("", "tpoic=t", "topic=", "topic=t&last=x", "topic=t&last=-1", "topic=a%20b"):
            status, text = await answered(hub.app, query)
            assert (status, bool(text)) == (400, True), query
        assert (await answered(hub.app, "topic=t&last=1&last=2"))[0] == 400
        assert (await answered(hub.app, "topic=t", method="POST"))[0] == 405
        site = "https://notes.example"
        async with request(hub.app, "", method="OPTIONS", origin=site, host="h") as response:
            assert response.status == 204
            assert response.headers["access-control-allow-origin"] == site
        assert (await answered(hub.app, "topic=t", origin="https://evil", host="h"))[0] == 403
        async with request(hub.app, "topic=t", origin="https://h", host="h") as response:
            assert response.status == 200
        hub.close()

    asyncio.run(use())


def test_ends() -> None:
    """Hub cases 28, 48, 63 and 64: replaced, silent, stopped."""

    async def use() -> None:
        hub = fallback.SSEHub(heartbeat=0.01)
        query = urlencode({"topic": "t", "client_id": "tab"})
        async with request(hub.app, query) as first, request(hub.app, query) as second:
            await first.until(lambda: first.over)
            assert b"event: hub.replaced\n" in first.body
            hub.publish("other", "x")
            await second.until(lambda: b"-1\n\n" in second.body)  # the cursor of a quiet stream
            await second.until(lambda: second.body.endswith(b":\n\n"))
            hub.publish("t", "last")
            hub.close()
            await second.until(lambda: second.over)
            assert re.search(rb"data: last\nid: \S+-2\n\nretry: [2-5]\d\d\d\n\n$", second.body)
        assert not hub._hub._subscriptions

    asyncio.run(use())


def test_slow_client() -> None:
    """Client case 51, hub case 55: who takes nothing is let go, and comes back."""

    async def use() -> None:
        hub = fallback.SSEHub()
        hub.app._write_timeout = 0.05
        stuck = asyncio.Event()

        async def send(message: Any) -> None:
            if message.get("body", b"").startswith(b"data:"):
                await stuck.wait()

        async def receive() -> Any:
            await stuck.wait()

        scope = {"type": "http", "method": "GET", "query_string": b"topic=t", "headers": []}
        serving = asyncio.ensure_future(hub.app(scope, receive, send))
        while not hub._hub._subscriptions:
            await asyncio.sleep(0)
        hub.publish("t", "x")
        await asyncio.wait_for(serving, 60)
        assert not hub._hub._subscriptions
        hub.close()

    asyncio.run(use())


def test_an_asyncio_stream_that_nobody_has_is_gone(loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        async with fallback.AsyncSSEHub() as hub:
            stream = hub.subscribe("t")
            assert (await hub.publish("t", "1")).receivers == 1
            del stream
            gc.collect()
            assert (await hub.publish("t", "2")).receivers == 0

    loop.run_until_complete(run())
