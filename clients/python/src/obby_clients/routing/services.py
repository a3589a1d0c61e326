"""The four services as the facade has them: the clients' methods, and `subject`.

What type checkers know of the methods is in `services.pyi`, which is generated
from the clients (`tools/routed_stub.py`); a test holds the two together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

from .._context import CALL_METADATA
from ..flags import Service
from .attempt import Source, begin
from .batch import batch
from .calls import CALLS, Call, Shape
from .carry import answer, go_failed, items
from .drive import aiterate, arun, iterate, run
from .live import Live
from .live_aio import AsyncLiveStream
from .live_sync import LiveStream
from .publishing import Publishing
from .quick import Quick
from .router import Router
from .streams import AsyncRoutedStream, RoutedStream
from .watching import Watching

__all__ = [
    "AsyncHub",
    "AsyncQuery",
    "AsyncTracker",
    "AsyncWatcher",
    "Hub",
    "Query",
    "Tracker",
    "Watcher",
]


class _Routed:
    service: ClassVar[Service]
    asynchronous: ClassVar[bool] = False

    def __init__(self, router: Router) -> None:
        self._router = router
        self._quick: dict[str, Quick] = {}

    def __init_subclass__(cls) -> None:
        if cls.__name__.startswith("_"):
            return
        make = _asyncio if cls.asynchronous else _blocking
        for call in CALLS[cls.service].values():
            if not hasattr(cls, call.name):
                method = make(call)
                method.__name__, method.__qualname__ = call.name, f"{cls.__name__}.{call.name}"
                method.__doc__ = f"See the client's `{call.name}`; `subject` decides the side."
                setattr(cls, call.name, method)


def _blocking(call: Call) -> Callable[..., Any]:
    def unary(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        router = self._router
        quick = Quick.of(self._quick, router, call, subject, args, kwargs)
        if quick is None:
            return run(answer(router, call, subject, args, kwargs))
        start, token = time.monotonic(), quick.context()
        try:
            result = quick.method(*args, **kwargs)
        except BaseException as error:
            attempt = begin(router, call, subject, args, kwargs, start=start)
            return run(go_failed(attempt, error))
        finally:
            CALL_METADATA.reset(token)
        quick.served()
        return result

    def pages(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        return iterate(items(self._router, call, subject, args, kwargs))

    def stream(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        source = Source()
        carry = batch if call.name == "track_batch" else items
        return RoutedStream(carry(self._router, call, subject, args, kwargs, source), source)

    def follow(self: _Routed, since: Any, *, subject: Any = None, **kwargs: Any) -> Any:
        if not kwargs.get("follow"):
            return stream(self, since, subject=subject, **kwargs)
        live = Live(self._router, call, subject, {"since": since, **kwargs}, None)
        return LiveStream(live)

    shapes = {Shape.UNARY: unary, Shape.LIST: pages, Shape.FOLLOW: follow}
    return shapes.get(call.shape, stream)


def _asyncio(call: Call) -> Callable[..., Any]:
    async def unary(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        router = self._router
        quick = Quick.of(self._quick, router, call, subject, args, kwargs)
        if quick is None:
            return await arun(answer(router, call, subject, args, kwargs))
        start, token = time.monotonic(), quick.context()
        try:
            result = await quick.method(*args, **kwargs)
        except BaseException as error:
            attempt = begin(router, call, subject, args, kwargs, start=start)
            return await arun(go_failed(attempt, error))
        finally:
            CALL_METADATA.reset(token)
        quick.served()
        return result

    def pages(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        return aiterate(items(self._router, call, subject, args, kwargs))

    def stream(self: _Routed, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        source = Source()
        carry = batch if call.name == "track_batch" else items
        return AsyncRoutedStream(carry(self._router, call, subject, args, kwargs, source), source)

    def follow(self: _Routed, since: Any, *, subject: Any = None, **kwargs: Any) -> Any:
        if not kwargs.get("follow"):
            return stream(self, since, subject=subject, **kwargs)
        live = Live(self._router, call, subject, {"since": since, **kwargs}, None)
        return AsyncLiveStream(live)

    shapes = {Shape.UNARY: unary, Shape.LIST: pages, Shape.FOLLOW: follow}
    return shapes.get(call.shape, stream)


class Tracker(_Routed):
    """The content-tracker; the subject is the path, where one is given."""

    service = Service.CONTENT_TRACKER


class AsyncTracker(_Routed):
    """The content-tracker in asyncio; the subject is the path, where one is given."""

    service = Service.CONTENT_TRACKER
    asynchronous = True


class Query(_Routed):
    """The query-service; the subject is a client's or session's id."""

    service = Service.QUERY_SERVICE


class AsyncQuery(_Routed):
    """The query-service in asyncio; the subject is a client's or session's id."""

    service = Service.QUERY_SERVICE
    asynchronous = True


class _Watching(_Routed):
    """What both kinds of watcher have: which roots are where."""

    service = Service.FILE_WATCHER

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self._watching = Watching(router)

    def _live(self, args: tuple[Any, ...], subject: Any, kwargs: dict[str, Any]) -> Live:
        if len(args) > 1:
            raise TypeError("events: give a resume_token, and the rest by name")
        if args:
            kwargs["resume_token"] = args[0]
        call = CALLS[self.service]["events"]
        return Live(self._router, call, subject, kwargs, self._watching)


class Watcher(_Watching):
    """The file-watcher; the subject is the watched root."""

    def start_watching(self, path: Any, *, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `start_watching`; below a watched root, its side is kept."""
        return run(self._watching.start(path, kwargs, subject))

    def stop_watching(self, watch_id: str, *, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `stop_watching`; the side is the watch's."""
        return run(self._watching.stop(watch_id, kwargs))

    def update_patterns(
        self, watch_id: str, patterns: Any, *, subject: Any = None, **kwargs: Any
    ) -> Any:
        """See the client's `update_patterns`; the side is the watch's."""
        return run(self._watching.update(watch_id, patterns, kwargs))

    def list_watches(self, *, subject: Any = None, **kwargs: Any) -> Any:
        """Iterate over the watches of both sides."""
        return iterate(self._watching.list(kwargs))

    def events(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """Stream the changes that both sides see; a Resync follows each move of a root."""
        return LiveStream(self._live(args, subject, kwargs))


class AsyncWatcher(_Watching):
    """The file-watcher in asyncio; the subject is the watched root."""

    asynchronous = True

    async def start_watching(self, path: Any, *, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `start_watching`; below a watched root, its side is kept."""
        return await arun(self._watching.start(path, kwargs, subject))

    async def stop_watching(self, watch_id: str, *, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `stop_watching`; the side is the watch's."""
        return await arun(self._watching.stop(watch_id, kwargs))

    async def update_patterns(
        self, watch_id: str, patterns: Any, *, subject: Any = None, **kwargs: Any
    ) -> Any:
        """See the client's `update_patterns`; the side is the watch's."""
        return await arun(self._watching.update(watch_id, patterns, kwargs))

    def list_watches(self, *, subject: Any = None, **kwargs: Any) -> Any:
        """Iterate over the watches of both sides."""
        return aiterate(self._watching.list(kwargs))

    def events(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """Stream the changes that both sides see; a Resync follows each move of a root."""
        return AsyncLiveStream(self._live(args, subject, kwargs))


def _subscription(
    self: _Routed, args: tuple[Any, ...], subject: Any, kwargs: dict[str, Any]
) -> Live:
    if args:
        kwargs["topics"] = args[0]
    if len(args) > 1 or "topics" not in kwargs:
        raise TypeError("subscribe: give a topic, or a list of topics, and the rest by name")
    return Live(self._router, CALLS[self.service]["subscribe"], subject, kwargs, None)


class Hub(_Routed):
    """The sse-hub; the subject is the client's id."""

    service = Service.SSE_HUB

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self._publishing = Publishing(router)

    def publish(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `publish`; on both hubs while both have subscribers."""
        return run(self._publishing.publish(args, kwargs, subject))

    def subscribe(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `subscribe`; a Reset follows each move to the other hub."""
        return LiveStream(_subscription(self, args, subject, kwargs))


class AsyncHub(_Routed):
    """The sse-hub in asyncio; the subject is the client's id."""

    service = Service.SSE_HUB
    asynchronous = True

    def __init__(self, router: Router) -> None:
        super().__init__(router)
        self._publishing = Publishing(router)

    async def publish(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `publish`; on both hubs while both have subscribers."""
        return await arun(self._publishing.publish(args, kwargs, subject))

    def subscribe(self, *args: Any, subject: Any = None, **kwargs: Any) -> Any:
        """See the client's `subscribe`; a Reset follows each move to the other hub."""
        return AsyncLiveStream(_subscription(self, args, subject, kwargs))
