"""Streams that do not end, for whoever reads them blocking.

Each side that belongs to a stream (see `live`) is read by a thread of its own, into one
queue; another one looks where the stream belongs. They end when the stream is closed or
nobody has it any more.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from .._closing import Closing
from ..errors import ClosedError
from ..flags import Backend
from .changes import EVERY
from .drive import run
from .live import AHEAD, Live

__all__ = ["LiveStream"]

_T = TypeVar("_T")
_END = object()


class LiveStream(Closing, Generic[_T]):
    """Iterates over items for ever; one thread reads, any thread may close it."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self.service = live.call.service
        """The service that it is of."""
        self._items: queue.Queue[tuple[Any, Any, str]] = queue.Queue(AHEAD)
        self._closed = threading.Event()
        self._started = False
        self._connected = threading.Event()  # a side has answered, or none can
        self._failed: Exception | None = None
        if live.watching is not None:
            live.watching.streams.add(self)
        live.router.live.add(self)

    @property
    def cursor(self) -> str:
        """What continues after the last item, on both sides."""
        return self._live.cursor

    def connect(self) -> LiveStream[_T]:
        """Wait until a side has answered: what happens from now on is not missed."""
        self._live.check()
        self._start()
        self._connected.wait()
        if self._failed is not None:
            self.close()
            raise self._failed
        return self

    def close(self) -> None:
        """End the stream."""
        self._closed.set()
        self._connected.set()
        if self._live.watching is not None:
            self._live.watching.streams.discard(self)
        for side in list(self._live.sources):
            self._stop(side)
        with contextlib.suppress(queue.Full):
            self._items.put_nowait((None, _END, ""))

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        self._live.check()
        self._start()
        while not self._closed.is_set():
            side, item, cursor = self._items.get()
            if isinstance(item, BaseException):
                self.close()
                raise item
            if item is _END:
                break
            if side is None:
                return item  # type: ignore[no-any-return]
            if (mine := self._live.accept(side, item, cursor)) is not None:
                return mine  # type: ignore[no-any-return]
        raise StopIteration

    def __del__(self) -> None:
        self.close()

    def end(self) -> None:
        """Have the reader told that the router is closed."""
        self._connected.set()
        with contextlib.suppress(queue.Full):  # then he looks by himself before he waits
            self._items.put_nowait((None, ClosedError("the router is closed"), ""))
        for side in list(self._live.sources):
            self._stop(side)

    def cut(self, side: Backend) -> None:
        """Leave a side at once, from any thread."""
        self._stop(side)

    def _start(self) -> None:
        if not self._started:
            self._started = True
            thread = threading.Thread(
                target=_tend, args=(weakref.ref(self), self._closed), name="obby-live", daemon=True
            )
            thread.start()

    def _tick(self) -> None:
        try:
            run(self._live.tick(self))
        except Exception as error:
            self._failed = None if self._connected.is_set() else error
            self._connected.set()
            self._put(None, error, "")
        if self._live.sources:
            self._connected.set()
        if self._over():  # close came too early to see what has been opened
            for side in list(self._live.sources):
                self._stop(side)

    def _over(self) -> bool:
        return self._closed.is_set() or self._live.router.closed

    def _open(self, side: Backend, source: Any) -> None:
        if hasattr(source, "connect"):
            source.connect()
        # The thread does not keep the stream alive.
        arguments = (weakref.ref(self), side, source)
        threading.Thread(target=_read, args=arguments, name="obby-live-read", daemon=True).start()

    def _stop(self, side: Backend) -> None:
        source = self._live.sources.get(side)
        if source is not None:
            self._live.failed.add(side)
            source.close()

    def _broken(self, side: Backend, source: Any, error: Exception) -> None:
        if self._live.sources.get(side) is source and not self._closed.is_set():
            theirs = self._live.broken(side, error)
            if theirs is not None:
                self._put(None, theirs, "")

    def _moved(self, resync: Any) -> None:
        self._put(None, resync, "")

    def _put(self, side: Backend | None, item: Any, cursor: str) -> bool:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put((side, item, cursor), timeout=EVERY)
                return True
        return False


def _read(reference: weakref.ref[LiveStream[Any]], side: Backend, source: Any) -> None:
    """Read a side until it ends."""
    try:
        for item in source:
            stream = reference()
            if stream is None or not stream._put(side, item, getattr(source, "cursor", "")):
                return
            del stream
    except Exception as error:
        if (stream := reference()) is not None:
            stream._broken(side, source, error)
    else:
        if (stream := reference()) is not None:
            stream._live.ended(side, source)


def _tend(reference: weakref.ref[LiveStream[Any]], closed: threading.Event) -> None:
    while (stream := reference()) is not None and not closed.is_set():
        stream._tick()
        if stream._over():
            return
        del stream
        closed.wait(EVERY)
