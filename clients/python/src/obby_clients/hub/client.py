"""The clients of the sse-hub."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from .. import _options
from .._aio import AsyncClient
from .._calls import Service, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import sse_pb2 as pb
from .._streams import Resume, Streaming, StreamMethod
from .._sync import Client
from .._wire import decode
from .values import Event, Published, Reset

__all__ = ["AsyncSSEHubClient", "SSEHubClient"]

_HEARTBEAT = 15.0  # by the contract

_SERVICE = Service(pb, "127.0.0.1:50054")

_PUBLISH = UnaryMethod(
    pb.PublishRequest,
    pb.PublishResponse,
    lambda response: decode(Published, response),
    deadline=2.0,
)


def _item(response: pb.SubscribeResponse) -> Event | Reset | None:
    kind = response.WhichOneof("item")
    if kind == "event":
        return decode(Event, response.event)
    if kind == "reset":
        return decode(Reset, response.reset)
    return None


def _cursor(request: pb.SubscribeRequest, response: pb.SubscribeResponse) -> str:
    kind = response.WhichOneof("item")
    if kind == "event":
        return response.event.event_id
    if kind == "reset":
        return response.reset.event_id
    if kind == "heartbeat":
        return response.heartbeat.event_id
    # `ready` comes before the replay, and its id is after it: it is a cursor only
    # where nothing is replayed.
    if kind == "ready" and not request.last_event_id and not request.last_count:
        return response.ready.event_id
    return ""


_SUBSCRIBE = StreamMethod[pb.SubscribeRequest, Event | Reset](
    pb.SubscribeRequest,
    pb.SubscribeResponse,
    _item,
    idle=3 * _HEARTBEAT,
    resume=Resume("last_event_id", _cursor, endless=True),
)


class _Calls(ServiceCalls):
    service: ClassVar[Service] = _SERVICE

    @rpc
    def publish(
        self,
        topic: str,
        data: str | bytes,
        *,
        event_type: str = "",
        idempotency_key: str = "",
        timeout: float | None = None,
    ) -> Unary[Published]:
        """Publish to a topic; returns when the event's place in the order is fixed.

        A repetition with the same `idempotency_key` is answered as the first
        was and publishes nothing.

        Raises InvalidArgumentError (topic, event type or data), ResourceExhaustedError
        (data over the limit), UnavailableError (shutting down; nothing was published).
        """
        request = pb.PublishRequest(
            topic=topic,
            data=data.encode() if isinstance(data, str) else data,
            event_type=event_type,
            idempotency_key=idempotency_key,
        )
        return _PUBLISH(request, timeout)

    @rpc
    def subscribe(
        self,
        topics: str | Iterable[str],
        *,
        last_event_id: str | None = None,
        last_count: int = 0,
        client_id: str = "",
        idle_timeout: float = 3 * _HEARTBEAT,
        retry_for: float = 60.0,
    ) -> Streaming[Event | Reset]:
        """Stream what is published to the topics, for ever.

        A topic may be a pattern: `*` stands for one segment, `>` at the end for one
        or more. Another subscription with the same `client_id` ends this one with
        AlreadyExistsError.

        Begins after `last_event_id`, else with up to `last_count` of the newest
        events held. A stream that is interrupted, or that is silent for
        `idle_timeout` seconds (the service sends heartbeats), goes on where it
        was, without a gap or a duplicate; where that is not possible, a Reset
        says so. It ends with UnavailableError when the service has been away for
        `retry_for` seconds, and at once when it was never there.

        Raises InvalidArgumentError (no topic, a bad topic, too many).
        """
        request = pb.SubscribeRequest(
            topics=_options.topics(topics),
            last_event_id=last_event_id or "",
            last_count=last_count,
            client_id=client_id,
        )
        return _SUBSCRIBE(request, idle_timeout=idle_timeout, retry_for=retry_for)


class SSEHubClient(_Calls, Client):
    """Talks to the sse-hub; every call blocks."""


class AsyncSSEHubClient(_Calls, AsyncClient):
    """Talks to the sse-hub from asyncio: await calls, `async for` streams."""
