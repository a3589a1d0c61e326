"""What a fallback's streams are.

They either work when they are read (a batch) or wait for what others do (events): in
asyncio the latter take no thread.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Generic, Protocol, TypeVar

from .._closing import AsyncClosing, Closing

__all__ = ["END", "AsyncStream", "Source", "Stream"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

END: Any = object()
"""What `next` is given to return at the end."""


class Source(Protocol[T_co]):
    """What a stream reads. Its methods may be called from any thread."""

    cursor: str
    """What continues after the last item that was taken."""

    def take(self) -> T_co | None:
        """Return the next item, None where none is there yet; StopIteration: there is no more."""

    def listen(self, changed: Callable[[], None]) -> None:
        """Have `changed` called whenever `take` may have something else to say."""

    def close(self) -> None:
        """End: from now on `take` raises StopIteration."""


class Stream(Closing, Generic[T]):
    """Iterates over what a source gives, or over what a piece of work gives as it is done.

    It can do what the client's stream can: `cursor`, `connect`, `close`, a `with` block.
    """

    def __init__(self, source: Source[T] | Iterator[T]) -> None:
        self._work = source if isinstance(source, Iterator) else None
        self._source = None if isinstance(source, Iterator) else source
        self._changed = threading.Event()
        self._over = False
        if self._source is not None:
            self._source.listen(self._changed.set)

    @property
    def cursor(self) -> str:
        """What continues after the last item, in another stream."""
        return self._source.cursor if self._source is not None else ""

    def connect(self) -> Stream[T]:
        """Return at once: what happens from the call on is not missed."""
        return self

    def close(self) -> None:
        """End the stream. Work that was begun is left where it is."""
        self._over = True
        if self._source is not None:
            self._source.close()
        self._changed.set()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._over:
            raise StopIteration
        if self._work is not None:
            return next(self._work)
        assert self._source is not None
        while True:
            self._changed.clear()
            item = self._source.take()
            if item is not None:
                return item
            self._changed.wait()

    def __del__(self) -> None:
        self.close()


class AsyncStream(AsyncClosing, Generic[T]):
    """A stream for asyncio; one that waits takes no thread."""

    def __init__(self, source: Source[T] | Iterator[T]) -> None:
        self._work = source if isinstance(source, Iterator) else None
        self._source = None if isinstance(source, Iterator) else source
        self._loop: asyncio.AbstractEventLoop | None = None  # the reader's, once it reads
        self._changed = asyncio.Event()
        self._over = False
        if self._source is not None:
            wake = weakref.WeakMethod(self._wake)  # or the source would keep the stream
            self._source.listen(lambda: (do := wake()) and do())

    def _wake(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._changed.set)

    @property
    def cursor(self) -> str:
        """What continues after the last item, in another stream."""
        return self._source.cursor if self._source is not None else ""

    async def connect(self) -> AsyncStream[T]:
        """Return at once: what happens from the call on is not missed."""
        return self

    async def close(self) -> None:
        """End the stream. Work that was begun is left where it is."""
        self._end()
        self._changed.set()

    def _end(self) -> None:
        self._over = True
        if self._source is not None:
            self._source.close()

    def __aiter__(self) -> AsyncStream[T]:
        return self

    async def __anext__(self) -> T:
        self._loop = asyncio.get_running_loop()
        while not self._over:
            if self._work is not None:
                item: Any = await asyncio.to_thread(next, self._work, END)
                if item is END:
                    break
                return item  # type: ignore[no-any-return]
            assert self._source is not None
            self._changed.clear()
            try:
                found = self._source.take()
            except StopIteration:
                break
            if found is not None:
                return found
            await self._changed.wait()
        raise StopAsyncIteration

    def __del__(self) -> None:
        self._end()
