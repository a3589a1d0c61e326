"""The circuit breaker: a service that is away costs its callers nothing.

It begins half-open: the first call asks for the service's health before it is
made. A service that is gone opens it at once, other failures when several come
in a row; after a second one caller, and only one, asks again, while everybody
else stays with Python.
"""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable

__all__ = ["Admission", "Breaker"]

_FAILURES = 5
_OPEN_FOR, _OPEN_FOR_MAX = 1.0, 30.0


class Admission(enum.Enum):
    """What a caller may do."""

    GO = "go"
    """Call."""
    PROBE = "probe"
    """Ask for the health first, and report it: everybody else waits for that."""
    REFUSED = "refused"
    """Go elsewhere."""


class Breaker:
    """Of one service in one process; any thread may use it, nobody waits in it."""

    def __init__(
        self,
        *,
        failures: int = _FAILURES,
        open_for: float = _OPEN_FOR,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open after so many failures in a row, for so many seconds."""
        self._failures, self._open_for, self._clock = failures, open_for, clock
        self._probe = threading.Lock()  # held by whoever asks for the health
        self._row = 0  # failures in a row; threads may lose one, which does not matter
        self.closed = False
        """Whether calls may be made without a probe."""
        self._until = 0.0  # when the next probe may be made
        self._pause = open_for

    def admit(self) -> Admission:
        """Say what a caller may do. After PROBE, call `probed` or `abandoned`."""
        if self.closed:
            return Admission.GO
        if self._clock() >= self._until and self._probe.acquire(blocking=False):
            return Admission.PROBE
        return Admission.REFUSED

    def probed(self, well: bool, *, silent: bool = False) -> None:
        """Report a probe. One that got no answer in time makes the next one wait longer.

        A refused connection costs a caller a millisecond, silence all of the
        probe's time, so that is not tried every second.
        """
        if well:
            self._row, self._pause, self.closed = 0, self._open_for, True
        else:
            self._until = self._clock() + self._pause
            self._pause = min(2 * self._pause, _OPEN_FOR_MAX) if silent else self._open_for
        self._probe.release()

    def abandoned(self) -> None:
        """Report that a probe was cancelled: the next caller makes one."""
        self._probe.release()

    def success(self) -> None:
        """Report a call that was answered."""
        self._row = 0

    def failure(self, *, gone: bool = False) -> bool:
        """Report a call that failed, or found the service gone; return whether this opened it."""
        self._row += 1
        if not self.closed or not (gone or self._row >= self._failures):
            return False
        self._until = self._clock() + self._open_for
        self.closed = False
        return True

    def half_open(self) -> None:
        """Let the next caller ask for the health, whatever was before."""
        self.closed, self._until, self._row, self._pause = False, 0.0, 0, self._open_for

    @property
    def state(self) -> str:
        """`closed`, `open` or `half-open`."""
        if self.closed:
            return "closed"
        return "open" if self._clock() < self._until else "half-open"
