"""Threads that a test moves on line by line, so that it can try every order of two."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from inspect import unwrap
from types import FrameType
from typing import Any

__all__ = ["Stepped"]


class Stepped:
    """Work in a thread of its own, which waits before each line of some functions."""

    def __init__(self, work: Callable[[], Any], *functions: Callable[..., Any]) -> None:
        self.ended = False
        self._stepped = {unwrap(function).__code__ for function in functions}
        self._go, self._waits = threading.Semaphore(0), threading.Semaphore(0)
        self._stepping = True
        self._thread = threading.Thread(target=self._run, args=(work,))
        self._thread.start()
        self._waits.acquire()

    def step(self) -> bool:
        """Run one line; return whether there is another one."""
        if not self.ended:
            self._go.release()
            self._waits.acquire()
        return not self.ended

    def finish(self) -> None:
        """Run the rest."""
        self._stepping = False
        self._go.release()
        self._thread.join()

    def _run(self, work: Callable[[], Any]) -> None:
        sys.settrace(self._trace)
        try:
            work()
        finally:
            sys.settrace(None)
            self.ended = True
            self._waits.release()

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code not in self._stepped:
            return None
        if event == "line" and self._stepping:
            self._waits.release()
            self._go.acquire()
        return self._trace
