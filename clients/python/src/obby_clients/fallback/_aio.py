"""How one description of a call becomes a method that blocks and one for asyncio.

A fallback's calls are written once, blocking, in a class without a side; `Blocking`
carries them out at once, `Asyncio` in a thread.
"""

from __future__ import annotations

import asyncio
import functools
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from types import MethodType
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeVar, cast, overload

from .._closing import AsyncClosing, Closing
from .._options import timeouts
from ..errors import ClosedError, DeadlineError
from ._streams import END, AsyncStream, Source, Stream

__all__ = [
    "AsyncStream",
    "Asyncio",
    "Blocking",
    "Source",
    "Stream",
    "paged",
    "streaming",
    "unary",
]

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C")


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


class Blocking(_Fallback, Closing):
    """A fallback whose calls block; threads may share it."""

    def close(self) -> None:
        """End running streams and let go of threads and files."""
        self._shut()


class Asyncio(_Fallback, AsyncClosing):
    """A fallback whose calls are awaited."""

    is_async = True

    async def close(self) -> None:
        """End running streams and let go of threads and files."""
        await asyncio.to_thread(self._shut)


class _Call(ABC, Generic[P, T]):
    """A call, written as a function that blocks."""

    def __init__(self, do: Callable[Concatenate[Any, P], T]) -> None:
        functools.update_wrapper(self, do)  # type: ignore[arg-type]

        @functools.wraps(do)
        def sync(side: _Fallback, *args: P.args, **kwargs: P.kwargs) -> Any:
            timeouts(kwargs)
            side._check(cast("float | None", kwargs.get("timeout")))
            return do(side, *args, **kwargs)

        self._sync = sync
        self._aio = functools.wraps(do)(self._adapted(sync))

    @abstractmethod
    def _adapted(self, sync: Callable[..., T]) -> Callable[..., Any]:
        """Return the form for asyncio."""

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
            while (item := await asyncio.to_thread(next, items, END)) is not END:
                yield item

        return aio

    @overload
    def __get__(self, side: None, owner: object) -> paged[P, T]: ...
    @overload
    def __get__(self, side: Blocking, owner: object) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, side: Asyncio, owner: object) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, side: Any, owner: object) -> Any:
        return self._bound(side)


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
