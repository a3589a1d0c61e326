"""Calls that change something: never carried out twice."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby_clients import hub
from obby_clients.flags import Flags, Service
from obby_clients.routing import AsyncObby, Fallbacks
from obby_clients.routing.calls import Effect
from obby_clients.routing.verdict import Mark, verdict

from ..conftest import abort
from .routed import Route, Serve, error_of, fail, on


def test_case_40_a_write_that_may_have_happened_has_its_id(route: Route, serve: Serve) -> None:
    seen: list[str] = []

    def slow(request: Any, context: grpc.ServicerContext) -> None:
        seen.append(request.request_id)
        abort(context, grpc.StatusCode.DEADLINE_EXCEEDED)  # after it was committed

    server = serve(oc.ContentTrackerClient, TrackChange=slow)
    obby = route(on(Service.CONTENT_TRACKER, server.target), tracker={"track_change": "python"})
    assert obby.tracker.track_change("/notes/a.md") == "python"
    assert obby.tracker.track_change("/notes/a.md", request_id="mine") == "python"
    given = [kwargs["request_id"] for _, _, kwargs in obby.python["tracker"].calls]
    assert given == seen
    assert len(given[0]) == 36
    assert given[1] == "mine"


def test_a_publication_has_its_key(route: Route, serve: Serve) -> None:
    seen: list[str] = []

    def slow(request: Any, context: grpc.ServicerContext) -> None:
        seen.append(request.idempotency_key)
        abort(context, grpc.StatusCode.INTERNAL)

    server = serve(oc.SSEHubClient, Publish=slow)
    obby = route(on(Service.SSE_HUB, server.target), hub={"publish": "python"})
    assert obby.hub.publish("t", "x") == "python"
    ((_, args, kwargs),) = obby.python["hub"].calls
    assert args == ("t", "x")
    assert [kwargs["idempotency_key"]] == seen


def test_what_could_happen_twice_is_not_repeated(route: Route, serve: Serve) -> None:
    server = serve(oc.ContentTrackerClient, Forget=fail(grpc.StatusCode.UNAVAILABLE))
    obby = route(on(Service.CONTENT_TRACKER, server.target), tracker={"forget": "python"})
    assert isinstance(error_of(lambda: obby.tracker.forget("/a")), oc.UnavailableError)
    assert not obby.python["tracker"].calls
    server.stop()
    obby.router.side(Service.CONTENT_TRACKER).breaker.half_open()
    assert obby.tracker.forget("/a") == "python"  # the probe said that nothing was sent


@pytest.mark.parametrize(
    ("message", "again"),
    [
        ("CLIENT: Sent message larger than max (20 vs. 10)", True),
        ("grpc: received message larger than max (20 vs. 10)", True),
        ("Received message larger than max (20 vs. 10)", False),
        ("CLIENT: Received message larger than max (20 vs. 10)", False),
    ],
)
def test_what_was_done_once_is_not_done_again_for_a_long_answer(message: str, again: bool) -> None:
    error = oc.ResourceExhaustedError(message)
    assert verdict(error, Effect.ONCE).fall_back is again
    assert verdict(error, Effect.READ).fall_back
    assert verdict(error, Effect.READ).mark is Mark.NEUTRAL


def test_two_calls_give_a_hub_what_it_has_missed() -> None:
    """One of them found nothing left, and raised IndexError."""
    published: list[str] = []

    class Hub:
        async def publish(self, topic: str, data: str, **_: Any) -> hub.Published:
            await asyncio.sleep(0)
            published.append(data)
            return hub.Published(data, 1, False)

    async def main() -> None:
        environ = {"USE_GO_SSE_HUB": "1"}
        obby = AsyncObby(fallback=Fallbacks(hub=Hub()), flags=Flags(environ))
        side = obby.router.side(Service.SSE_HUB)
        side.breaker.admit()
        side.breaker.probed(well=True)
        side._client = go = _Go(published)
        side._target = obby.flags.setting(Service.SSE_HUB).target or ""
        missed = vars(obby.hub)["_publishing"]._missed
        missed += [(("t", "first"), {}), (("t", "second"), {})]
        await asyncio.gather(obby.hub.publish("t", "third"), obby.hub.publish("t", "fourth"))
        assert sorted(go.published) == ["first", "fourth", "second", "third"]
        await obby.close()

    asyncio.run(main())


class _Go:
    def __init__(self, published: list[str]) -> None:
        self.published = published

    async def publish(self, topic: str, data: str, **_: Any) -> hub.Published:
        await asyncio.sleep(0)
        self.published.append(data)
        return hub.Published(data, 1, False)

    async def close(self) -> None:
        """Nothing is open."""
