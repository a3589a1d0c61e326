"""A routed hub: streams of its events, while an operator changes his mind."""

from __future__ import annotations

import gc
import queue
import threading
from collections.abc import Iterator
from typing import Any

import grpc

import obby_clients as oc
from obby_clients import hub
from obby_clients.flags import Backend, Flags, Service
from obby_clients.routing import Change, Fallbacks, Obby
from obby_clients.routing.live_sync import _read

from ..conftest import wait_until
from .routed import Serve, Start, side_of


def hubs(target: str, **more: str) -> dict[str, str]:
    return {"USE_GO_SSE_HUB": "1", "GO_SSE_HUB_TARGET": target, **more}


def client_on(side: Backend) -> str:
    clients = (f"client-{number}" for number in range(1000))
    return next(c for c in clients if side_of(Service.SSE_HUB, "50", c) is side)


def is_hub_event(item: Any) -> bool:
    return isinstance(item, hub.Event)


def test_case_54_publishing_at_50_percent(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target, GO_SSE_ROLLOUT_PERCENTAGE="50"))
    listeners = [w.listen(w.obby.hub.subscribe, "t", client_id=client_on(side)) for side in Backend]
    for number in range(5):
        published = w.drive.run(w.obby.hub.publish("t", str(number)))
        assert published.receivers == 2
    for listener in listeners:
        heard = listener.until(lambda item: is_hub_event(item) and item.data == b"4")
        assert [item.data for item in heard] == [b"0", b"1", b"2", b"3", b"4"]


def test_case_55_a_subscriber_moves(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    events = w.listen(w.obby.hub.subscribe, "t", client_id="c")
    w.drive.run(w.obby.hub.publish("t", "on go"))
    assert events.until(is_hub_event)[-1].data == b"on go"
    w.admin.rollback()
    (reset,) = events.until(lambda item: isinstance(item, hub.Reset))
    assert reset.reason is hub.ResetReason.EPOCH
    w.drive.run(w.obby.hub.publish("t", "on python"))
    assert [item.data for item in events.until(is_hub_event)] == [b"on python"]
    w.admin.rollback(on=False)
    (reset,) = events.until(lambda item: isinstance(item, hub.Reset))
    w.drive.run(w.obby.hub.publish("t", "on go again"))
    assert [item.data for item in events.until(is_hub_event)] == [b"on go again"]


def test_an_operators_change_is_told(world: Any, start: Start) -> None:
    w = world(hubs("127.0.0.1:1"))
    told: queue.Queue[Change] = queue.Queue()
    end = w.obby.on_change(Service.SSE_HUB, told.put)
    w.admin.rollback()
    change = told.get(timeout=60)
    assert (change.before.killed, change.now.killed) == (False, True)
    end()


def test_a_hub_that_was_away_gets_what_it_missed(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target, GO_SSE_ROLLOUT_PERCENTAGE="50"))
    w.drive.run(w.obby.hub.publish("t", "0"))
    with oc.SSEHubClient(go.target) as client, client.subscribe("t") as stream:
        stream.connect()
        w.obby.router.side(Service.SSE_HUB).breaker.failure(gone=True)  # as it seems to us
        w.drive.run(w.obby.hub.publish("t", "1"))
        w.drive.run(w.obby.hub.publish("t", "2"))
        wait_until(lambda: w.obby.health()["sse-hub"] == "half-open")
        w.drive.run(w.obby.hub.publish("t", "3"))
        heard = [next(stream) for _ in range(3)]
    assert [item.data for item in heard if isinstance(item, hub.Event)] == [b"1", b"2", b"3"]
    assert len(w.python["hub"].published) == 4


def test_the_kill_switch_closes_the_connections(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    w.drive.run(w.obby.hub.publish("t", "1"))
    client = w.obby.router.side(Service.SSE_HUB).now
    assert not client._closed
    w.admin.rollback()
    wait_until(lambda: client._closed)


def test_a_stream_that_nobody_has_ends(world: Any, start: Start) -> None:
    go = start("sse-hub")
    w = world(hubs(go.target))
    stream = w.drive.call(w.obby.hub.subscribe, "t")
    w.drive.run(stream.connect())
    assert w.drive.run(w.obby.hub.publish("t", "1")).receivers == 1
    del stream
    gc.collect()
    wait_until(lambda: w.drive.run(w.obby.hub.publish("t", "1")).receivers == 0)


def test_a_hub_that_refuses_changes_nothing(world: Any, serve: Serve) -> None:
    refused = threading.Semaphore(0)

    def refuse(_: Any, context: grpc.ServicerContext) -> None:
        refused.release()
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "full")

    w = world(hubs(serve(oc.SSEHubClient, Subscribe=refuse).target))
    w.admin.rollback()
    python = w.python["hub"]
    w.listen(w.obby.hub.subscribe, "t")
    w.admin.rollback(on=False)
    for _ in range(3):  # each time a subscription in Python takes its place
        assert refused.acquire(timeout=60)
    w.admin.rollback()
    wait_until(lambda: w.drive.run(python.publish("t", "x")).receivers == 1)


def test_the_end_of_a_source_that_was_replaced_ends_nothing() -> None:
    """The new one was given up without being closed: everything came twice."""
    with Obby(fallback=Fallbacks(), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        old: Iterator[Any] = iter(())
        stream._live.sources[Backend.GO] = new = _Source()
        _read(lambda: stream, Backend.GO, old)  # type: ignore[arg-type]
        assert stream._live.failed == set()
        _read(lambda: stream, Backend.GO, new)  # type: ignore[arg-type]
        assert stream._live.failed == {Backend.GO}


class _Source:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def close(self) -> None:
        self.closed.set()


def test_a_stream_that_is_closed_while_it_opens_keeps_nothing_open() -> None:
    source, opening, go_on = _Source(), threading.Event(), threading.Event()

    class Hub:
        def subscribe(self, **_: Any) -> _Source:
            opening.set()
            assert go_on.wait(60)
            return source

    with Obby(fallback=Fallbacks(hub=Hub()), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        connecting = threading.Thread(target=stream.connect)
        connecting.start()
        assert opening.wait(60)
        stream.close()
        go_on.set()
        connecting.join()
        assert source.closed.wait(60)
