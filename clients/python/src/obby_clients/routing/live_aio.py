"""Streams that do not end, for whoever reads them in asyncio.

As in `live_sync`, with tasks of the reader's loop instead of threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

from .._closing import AsyncClosing
from ..errors import ClosedError
from ..flags import Backend
from .changes import EVERY
from .drive import arun
from .live import AHEAD, Live

__all__ = ["AsyncLiveStream"]

_T = TypeVar("_T")
_END = object()
# asyncio itself keeps no task; one that goes with its stream would complain.
_RUNNING: set[asyncio.Task[Any]] = set()


class AsyncLiveStream(AsyncClosing, Generic[_T]):
    """Iterates over items for ever; one task reads, any task of its loop may close it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.service = live.call.service
        """The service that it is of."""
        self._items: asyncio.Queue[tuple[Any, Any, str]] = asyncio.Queue(AHEAD)
        self._closed = False
        self._connected = asyncio.Event()  # a side has answered, or none can
        self._failed: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        if live.watching is not None:
            live.watching.streams.add(self)
        live.router.live.add(self)

    @property
    def cursor(self) -> str:
        """What continues after the last item, on both sides."""
        return self._live.cursor

    async def connect(self) -> AsyncLiveStream[_T]:
        """Wait until a side has answered: what happens from now on is not missed."""
        self._live.check()
        self._start()
        await self._connected.wait()
        if self._failed is not None:
            await self.close()
            raise self._failed
        return self

    async def close(self) -> None:
        """End the stream."""
        if self._closed:
            return
        self._closed = True
        self._connected.set()
        if self._live.watching is not None:
            self._live.watching.streams.discard(self)
        for side in list(self._live.sources):
            await self._stop(side)
        for task in list(self._tasks - {asyncio.current_task()}):
            task.cancel()
        with contextlib.suppress(asyncio.QueueFull):
            self._items.put_nowait((None, _END, ""))

    def __del__(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_cancel, self._tasks)  # which the loop changes

    def __aiter__(self) -> AsyncIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        self._live.check()
        self._start()
        while not self._closed:
            side, item, cursor = await self._items.get()
            if isinstance(item, BaseException):
                await self.close()
                raise item
            if item is _END:
                break
            if side is None:
                return item  # type: ignore[no-any-return]
            if (mine := self._live.accept(side, item, cursor)) is not None:
                return mine  # type: ignore[no-any-return]
        raise StopAsyncIteration

    def end(self) -> None:
        """Have the reader told that the router is closed; called in any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended)

    def _ended(self) -> None:
        self._connected.set()
        with contextlib.suppress(asyncio.QueueFull):  # then he looks by himself before he waits
            self._items.put_nowait((None, ClosedError("the router is closed"), ""))
        for side in list(self._live.sources):
            self._task(self._stop(side))

    def cut(self, side: Backend) -> None:
        """Leave a side at once, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            asyncio.run_coroutine_threadsafe(self._stop(side), self._loop)

    def _start(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._task(_atend(weakref.ref(self)))

    def _task(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        for keeper in (self._tasks, _RUNNING):
            keeper.add(task)
            task.add_done_callback(keeper.discard)

    async def _tick(self) -> None:
        try:
            await arun(self._live.tick(self))
        except Exception as error:
            self._failed = None if self._connected.is_set() else error
            self._connected.set()
            await self._items.put((None, error, ""))
        if self._live.sources:
            self._connected.set()

    async def _open(self, side: Backend, source: Any) -> None:
        if hasattr(source, "connect"):
            await source.connect()
        self._task(_pump(weakref.ref(self), self._live, self._items, side, source))

    async def _stop(self, side: Backend) -> None:
        source = self._live.sources.get(side)
        if source is not None:
            self._live.failed.add(side)
            await source.close()

    def _moved(self, resync: Any) -> None:
        self._task(self._items.put((None, resync, "")))


def _cancel(tasks: set[asyncio.Task[Any]]) -> None:
    for task in tuple(tasks):
        task.cancel()


async def _atend(reference: weakref.ref[AsyncLiveStream[Any]]) -> None:
    while (stream := reference()) is not None and not stream._closed:
        await stream._tick()
        if stream._live.router.closed:
            for side in list(stream._live.sources):
                await stream._stop(side)
            return
        del stream
        await asyncio.sleep(EVERY)


async def _pump(
    reference: weakref.ref[AsyncLiveStream[Any]],
    live: Live,
    items: asyncio.Queue[tuple[Any, Any, str]],
    side: Backend,
    source: Any,
) -> None:
    try:
        async for item in source:
            await items.put((side, item, getattr(source, "cursor", "")))
        live.ended(side, source)
    except Exception as error:
        stream = reference()
        if stream is not None and live.sources.get(side) is source and not stream._closed:
            theirs = live.broken(side, error)
            if theirs is not None:
                await items.put((None, theirs, ""))
