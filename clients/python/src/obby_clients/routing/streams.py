"""Streams that end: a routed call's items, with a cursor and an end of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import aclosing
from typing import Any, Generic, TypeVar

from .._closing import AsyncClosing, Closing
from .attempt import Source
from .drive import aiterate, iterate

__all__ = ["AsyncRoutedStream", "RoutedStream"]

_T = TypeVar("_T")
_NOTHING = object()


class RoutedStream(Closing, Generic[_T]):
    """Iterates over the items of a stream, whoever gives them; one thread reads."""

    def __init__(self, steps: Generator[Any, Any, None], source: Source) -> None:
        self._items: Iterator[_T] = iterate(steps)
        self._source = source
        self._early: list[_T] = []

    @property
    def cursor(self) -> str:
        """What continues after the last item, on the side that gave it."""
        return self._source.cursor

    def connect(self) -> RoutedStream[_T]:
        """Wait until somebody has answered."""
        if not self._early:
            self._early += [item for item in (next(self._items, _NOTHING),) if item is not _NOTHING]  # type: ignore[misc]
        return self

    def close(self) -> None:
        """End the stream."""
        if hasattr(self._source.now, "close"):
            self._source.now.close()
        self._items.close()  # type: ignore[attr-defined]

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        return self._early.pop() if self._early else next(self._items)


class AsyncRoutedStream(AsyncClosing, Generic[_T]):
    """Iterates over the items of a stream, whoever gives them; one task reads."""

    def __init__(self, steps: Generator[Any, Any, None], source: Source) -> None:
        self._items: Any = aiterate(steps)
        self._source = source
        self._early: list[_T] = []

    @property
    def cursor(self) -> str:
        """What continues after the last item, on the side that gave it."""
        return self._source.cursor

    async def connect(self) -> AsyncRoutedStream[_T]:
        """Wait until somebody has answered."""
        if not self._early:
            item: Any = await anext(self._items, _NOTHING)
            self._early += [item] if item is not _NOTHING else []
        return self

    async def close(self) -> None:
        """End the stream."""
        if hasattr(self._source.now, "close"):
            await self._source.now.close()
        async with aclosing(self._items):
            pass

    def __aiter__(self) -> AsyncIterator[_T]:
        return self

    async def __anext__(self) -> _T:
        if self._early:
            return self._early.pop()
        item: _T = await anext(self._items)
        return item
