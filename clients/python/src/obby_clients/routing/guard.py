"""The guard: a service that does worse than Python is turned off by itself.

Outages are the breaker's: it stops calls after the first failure. The guard is
for a service that is there and often fails. It compares the shares of failed
calls of both sides in the last minutes, with the uncertainty that few calls have
(Wilson's intervals): it trips when even the best guess for Go is worse than the
worst one for Python.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ..flags import Backend

__all__ = ["Guard"]

_WINDOW = 120.0
_Z = 3.0  # one false alarm in about a thousand comparisons


class Guard:
    """Of one service in one process."""

    def __init__(
        self, *, window: float = _WINDOW, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Compare the calls of the last `window` seconds, give or take a half."""
        self._half, self._clock = window / 2, clock
        self._since = clock()
        self._now, self._before = _counts(), _counts()

    def record(self, backend: Backend, *, failed: bool) -> None:
        """Take note of a call. Threads may lose one, which does not matter."""
        if self._clock() - self._since > self._half:
            old = self._clock() - self._since > 2 * self._half
            self._before, self._now = _counts() if old else self._now, _counts()
            self._since = self._clock()
        self._now[backend][failed] += 1

    def verdict(self) -> str | None:
        """Return why Go is to be turned off, in words; None: it does well enough."""
        go, python = (self._of(backend) for backend in (Backend.GO, Backend.PYTHON))
        if not sum(python) or _interval(*go)[0] <= _interval(*python)[1]:
            return None
        return (
            f"{go[True]} of {sum(go)} calls failed on Go, {python[True]} of {sum(python)} on Python"
        )

    def _of(self, backend: Backend) -> tuple[int, int]:
        now, before = self._now[backend], self._before[backend]
        return now[False] + before[False], now[True] + before[True]


def _counts() -> dict[Backend, list[int]]:
    return {backend: [0, 0] for backend in Backend}


def _interval(well: int, failed: int) -> tuple[float, float]:
    """Return the share of failures that a side has, at least and at most (Wilson)."""
    n = well + failed
    if not n:
        return 0.0, 1.0
    share, z2 = failed / n, _Z * _Z
    centre = share + z2 / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (centre - spread) / (1 + z2 / n), (centre + spread) / (1 + z2 / n)
