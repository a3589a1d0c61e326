"""The state of an application: made when it starts, let go when it stops."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from starlette.applications import Starlette

from .. import _options
from ..changes import Changes
from ..fallback import AsyncContentTracker, AsyncFileWatcher, AsyncQueryService, AsyncSSEHub
from ..flags import Service
from ..routing import AsyncObby, Change, Fallbacks
from ..values import AnyPath
from ._dependencies import ABOVE, State
from ._errors import handle_errors
from ._feed import feed
from ._sides import Sides
from ._streams import EventStreams

__all__ = ["ObbySettings", "install", "obby_lifespan"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True)
class ObbySettings:
    """What an application tells about itself."""

    database: AnyPath = "obby.db"
    """Path of the SQLite file that the Go services share; made where there is none."""
    roots: tuple[AnyPath, ...] = ()
    """Folders whose files may be tracked."""
    heartbeat: float = 15.0
    """Seconds after which a quiet event stream says that it lives."""
    replay: int = 10_000
    """Most changes that a client who comes back is sent; above, a `reset` event."""
    handle_signals: bool = True
    """End the event streams at SIGTERM and SIGINT, before the server's own handler runs;
    a server that waits for its connections would wait for ever otherwise."""

    def __post_init__(self) -> None:
        """Raise TypeError or ValueError for a value that cannot be."""
        _options.path("database", self.database)
        _options.paths("roots", self.roots)
        _options.seconds("heartbeat", self.heartbeat, positive=True)
        _options.whole("replay", self.replay, least=0)

    @classmethod
    def from_environment(cls) -> ObbySettings:
        """Return what OBBY_DATABASE and OBBY_ROOTS (separated by `,`) say."""
        roots = os.environ.get("OBBY_ROOTS", "").split(",")
        database = os.environ.get("OBBY_DATABASE", "").strip() or cls.database
        return cls(database=database, roots=tuple(root.strip() for root in roots if root.strip()))


def install(app: FastAPI, settings: ObbySettings | None = None) -> None:
    """Have an application start and stop obby around its own lifespan, and answer its errors.

    Mounts no router: that is the host's to decide. Call it once, before the application
    starts, with the one that the server runs; those that are mounted in it share what it has.
    """
    handle_errors(app)
    own: Callable[[Any], Any] = app.router.lifespan_context

    @asynccontextmanager
    async def both(started: Any) -> AsyncIterator[Any]:
        async with obby_lifespan(app, settings), own(started) as state:
            yield state

    app.router.lifespan_context = both


@asynccontextmanager
async def obby_lifespan(app: FastAPI, settings: ObbySettings | None = None) -> AsyncIterator[None]:
    """Give an application its `app.state.obby`; for `FastAPI(lifespan=…)` or inside of one.

    Needs no Go service, and no grpcio: what is not there is done in Python.

    Applications that are mounted in it share what it has.

    Raises RuntimeError if the application has it already, FailedPreconditionError if the
    database cannot be used, FlagsError if a flag is invalid and OBBY_FLAGS_STRICT is on;
    all say what to do.
    """
    if hasattr(app.state, "obby"):
        raise RuntimeError(
            "obby runs in this application already: call install(app, …) once, or use"
            " obby_lifespan(app, …) instead of it"
        )
    chosen = settings or ObbySettings.from_environment()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        fallbacks = await _fallbacks(chosen, stack)
        router = await stack.enter_async_context(AsyncObby(fallback=fallbacks))
        changes = await asyncio.to_thread(Changes, chosen.database, chosen.roots)
        stack.callback(changes.close)
        sides = Sides(router, fallbacks)
        events = EventStreams(sides, changes, heartbeat=chosen.heartbeat, replay=chosen.replay)
        stack.callback(events.close)
        turn = functools.partial(_in_loop, loop, events.turn)
        stack.callback(router.on_change(Service.SSE_HUB, turn))
        feeding = asyncio.ensure_future(feed(changes, fallbacks.hub, events.turn))
        stack.push_async_callback(_ended, feeding)
        stack.enter_context(_shown(app, State(router, router.flags, changes, events, sides)))
        with _ended_by_signals(loop, events, enabled=chosen.handle_signals):
            yield


@contextmanager
def _shown(app: FastAPI, state: State) -> Iterator[None]:
    """Let requests find the state, also those to what is mounted in the application."""
    mounted = set(_mounted(app))
    app.state.obby = state
    for inner in mounted:
        setattr(inner.state, ABOVE, state)
    try:
        yield
    finally:
        del app.state.obby
        for inner in mounted:
            delattr(inner.state, ABOVE)


def _mounted(app: Any) -> Iterator[Any]:
    for route in app.routes:
        inner = getattr(route, "app", None)
        if isinstance(inner, Starlette):
            yield inner
            yield from _mounted(inner)


async def _fallbacks(settings: ObbySettings, stack: AsyncExitStack) -> Fallbacks:
    def make() -> Fallbacks:
        return Fallbacks(
            tracker=AsyncContentTracker(settings.database, settings.roots),  # makes the file
            query=AsyncQueryService(settings.database),
            watcher=AsyncFileWatcher(),
            hub=AsyncSSEHub(),
        )

    made = await asyncio.to_thread(make)
    for side in (made.tracker, made.query, made.watcher, made.hub):
        await stack.enter_async_context(side)
    return made


def _in_loop(loop: asyncio.AbstractEventLoop, do: Callable[[], None], _: Change) -> None:
    """Do something in the loop; called in a thread, also while the loop ends."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(do)


async def _ended(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


@contextmanager
def _ended_by_signals(
    loop: asyncio.AbstractEventLoop, events: EventStreams, *, enabled: bool
) -> Iterator[None]:
    """End the streams at a signal whose handler is the server's, which still runs."""
    if not enabled or threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[signal.Signals, Any] = {}
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            before[number] = handler
            signal.signal(number, _chained(handler, loop, events))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _chained(handler: Any, loop: asyncio.AbstractEventLoop, events: EventStreams) -> Any:
    def both(number: int, frame: Any) -> None:
        loop.call_soon_threadsafe(events.close)
        handler(number, frame)

    return both
