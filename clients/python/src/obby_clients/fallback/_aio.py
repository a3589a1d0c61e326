"""How one description of a call becomes a method that blocks and one for asyncio.

A fallback's calls are written once, blocking, in a class without a side; `Blocking`
carries them out at once, `Asyncio` in a thread. Streams either work when they are
read (a batch) or wait for what others do (events): the latter take no thread.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import MethodType, TracebackType
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from ..errors import ClosedError, DeadlineError

__all__ = ["AsyncStream", "Asyncio", "Blocking", "Source", "Stream", "paged", "streaming", "unary"]

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
C = TypeVar("C")
_END = object()


class _Fallback:
    """What both sides of a fallback share: its end."""

    is_async: ClassVar[bool] = False
    _closed = False

    def _check(self, timeout: float | None) -> None:
        if self._closed:
            raise ClosedError("the fallback is closed")
        if timeout is not None and not timeout > 0:
            raise DeadlineError(f"no time for the call: the timeout is {timeout:g} s")

    def _release(self) -> None:
        """Let go of threads and files; each fallback says what it holds."""

    def _shut(self) -> None:
        if not self._closed:
            self._closed = True
            self._release()


class Blocking(_Fallback):
    """A fallback whose calls block; threads may share it."""

    def __enter__(self: C) -> C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End running streams and let go of threads and files."""
        self._shut()


class Asyncio(_Fallback):
    """A fallback whose calls are awaited."""

    is_async = True

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End running streams and let go of threads and files."""
        await asyncio.to_thread(self._shut)


class _Call(Generic[P, T]):
    """A call, written as a function that blocks."""

    def __init__(self, do: Callable[Concatenate[Any, P], T]) -> None:
        functools.update_wrapper(self, do)  # type: ignore[arg-type]

        @functools.wraps(do)
        def sync(side: _Fallback, *args: P.args, **kwargs: P.kwargs) -> Any:
            timeout = kwargs.get("timeout")
            side._check(timeout if isinstance(timeout, (int, float)) else None)
            return do(side, *args, **kwargs)

        self._sync = sync
        self._aio = functools.wraps(do)(self._adapted(sync))

    def _adapted(self, sync: Callable[..., T]) -> Callable[..., Any]:
        raise NotImplementedError

    def _bound(self, side: _Fallback | None) -> Any:
        return (
            self if side is None else MethodType(self._aio if side.is_async else self._sync, side)
        )


class unary(_Call[P, T]):  # noqa: N801
    """A call with one answer."""

    def _adapted(self, sync: Callable[..., T]) -> Callable[..., Any]:
        return functools.partial(asyncio.to_thread, sync)

    @overload
    def __get__(self, side: None, owner: object) -> unary[P, T]: ...
    @overload
    def __get__(self, side: Blocking, owner: object) -> Callable[P, T]: ...
    @overload
    def __get__(self, side: Asyncio, owner: object) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, side: Any, owner: object) -> Any:
        return self._bound(side)


class paged(_Call[P, Iterator[T]], Generic[P, T]):  # noqa: N801
    """A call that gives a list."""

    def _adapted(self, sync: Callable[..., Iterator[T]]) -> Callable[..., Any]:
        async def aio(*args: Any, **kwargs: Any) -> AsyncIterator[T]:
            items = await asyncio.to_thread(sync, *args, **kwargs)
            while (item := await asyncio.to_thread(next, items, _END)) is not _END:
                yield item  # type: ignore[misc]

        return aio

    @overload
    def __get__(self, side: None, owner: object) -> paged[P, T]: ...
    @overload
    def __get__(self, side: Blocking, owner: object) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, side: Asyncio, owner: object) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, side: Any, owner: object) -> Any:
        return self._bound(side)


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


class Stream(Generic[T]):
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

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

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


class AsyncStream(Generic[T]):
    """A stream for asyncio; one that waits takes no thread."""

    def __init__(self, source: Source[T] | Iterator[T]) -> None:
        self._work = source if isinstance(source, Iterator) else None
        self._source = None if isinstance(source, Iterator) else source
        self._loop: asyncio.AbstractEventLoop | None = None  # the reader's, once it reads
        self._changed = asyncio.Event()
        self._over = False
        if self._source is not None:
            self._source.listen(self._wake)

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

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> AsyncStream[T]:
        return self

    async def __anext__(self) -> T:
        self._loop = asyncio.get_running_loop()
        while not self._over:
            if self._work is not None:
                item: Any = await asyncio.to_thread(next, self._work, _END)
                if item is _END:
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


class streaming(_Call[P, "Source[T] | Iterator[T]"], Generic[P, T]):  # noqa: N801
    """A call that gives a stream."""

    def __init__(self, do: Callable[Concatenate[Any, P], Source[T] | Iterator[T]]) -> None:
        super().__init__(do)
        inner = self._sync

        @functools.wraps(do)
        def sync(side: _Fallback, *args: P.args, **kwargs: P.kwargs) -> Stream[T]:
            return Stream(inner(side, *args, **kwargs))

        self._sync = sync

    def _adapted(self, sync: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: AsyncStream(sync(*args, **kwargs))

    @overload
    def __get__(self, side: None, owner: object) -> streaming[P, T]: ...
    @overload
    def __get__(self, side: Blocking, owner: object) -> Callable[P, Stream[T]]: ...
    @overload
    def __get__(self, side: Asyncio, owner: object) -> Callable[P, AsyncStream[T]]: ...
    def __get__(self, side: Any, owner: object) -> Any:
        return self._bound(side)
