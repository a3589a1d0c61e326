"""An Obby whose flags file an operator writes, blocking and asyncio in one way."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obby_clients as oc
from obby_clients.flags import Flags, FlagsAdmin
from obby_clients.routing import AsyncObby, Fallbacks, Obby

__all__ = ["Drive", "World"]


class Listener:
    """Reads a routed stream, of either kind, into a queue."""

    def __init__(self, drive: Drive, stream: Any) -> None:
        self.heard: queue.Queue[Any] = queue.Queue()
        self.stream = stream
        self._drive = drive
        if drive.loop is None:
            threading.Thread(target=self._read, daemon=True).start()
            stream.connect()
        else:
            drive.run(stream.connect())
            asyncio.run_coroutine_threadsafe(self._aread(), drive.loop)

    def _read(self) -> None:
        try:
            for item in self.stream:
                self.heard.put(item)
        except oc.ObbyError as error:
            self.heard.put(error)

    async def _aread(self) -> None:
        try:
            async for item in self.stream:
                self.heard.put(item)
        except oc.ObbyError as error:
            self.heard.put(error)

    def until(self, wanted: Callable[[Any], bool]) -> list[Any]:
        """Return everything up to the item that is wanted."""
        items = [self.heard.get(timeout=60)]
        while not wanted(items[-1]):
            items.append(self.heard.get(timeout=60))
        return items

    def close(self) -> None:
        self._drive.run(self.stream.close())


class Drive:
    """Runs an Obby of either kind; asyncio in a thread of its own."""

    def __init__(self, asynchronous: bool) -> None:
        self.loop = asyncio.new_event_loop() if asynchronous else None
        self._thread: threading.Thread | None = None
        if self.loop is not None:
            self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
            self._thread.start()

    def run(self, result: Any) -> Any:
        if self.loop is None or not asyncio.iscoroutine(result):
            return result
        return asyncio.run_coroutine_threadsafe(result, self.loop).result(60)

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call something that must be called on the loop."""
        if self.loop is None:
            return function(*args, **kwargs)

        async def call() -> Any:
            return function(*args, **kwargs)

        return self.run(call())

    def stop(self) -> None:
        if self.loop is not None and self._thread is not None:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join()
            self.loop.close()


class World:
    """An Obby with a flags file, a Go service, and a small Python side."""

    def __init__(self, drive: Drive, folder: Path, environ: dict[str, str], **python: Any) -> None:
        self.file = folder / "flags.conf"
        self.admin = FlagsAdmin(self.file)
        self.drive, self.python = drive, python
        kind: Any = Obby if drive.loop is None else AsyncObby
        flags = Flags({**environ, "OBBY_FLAGS_FILE": str(self.file)})
        self.obby = kind(fallback=Fallbacks(**python), flags=flags, drain=0.1)
        self.listeners: list[Listener] = []

    def listen(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Listener:
        stream = self.drive.call(function, *args, **kwargs)
        self.listeners.append(Listener(self.drive, stream))
        return self.listeners[-1]

    def close(self) -> None:
        for listener in self.listeners:
            listener.close()
        self.drive.run(self.obby.close())
        for side in self.python.values():
            self.drive.run(side.close())
        self.drive.stop()
