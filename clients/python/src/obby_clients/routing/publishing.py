"""Publishing while subscribers are on both hubs.

Between 0 and 100 percent, and for a while after the last subscriber has been
seen on a hub that is being left, an event goes to both, under one idempotency
key. A client is on one hub, so it gets each event once.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import ObbyError
from ..flags import Backend, Decision, Reason, Service
from .attempt import admitted, begin
from .calls import CALLS
from .carry import carried
from .router import Router
from .steps import Step
from .verdict import verdict

__all__ = ["Publishing"]

_LOG = logging.getLogger("obby_clients.routing")
_DRAIN = 60.0  # s after which a hub that is being left gets nothing more
_MISSED = 1_000  # events that wait for a hub that is away


class Publishing:
    """Which hubs get events; of one `Obby`."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._call = CALLS[Service.SSE_HUB]["publish"]
        self._until: dict[Backend, float] = {}  # hubs with subscribers, as far as is known
        # What Go could not be given, in order, with the keys that keep it from
        # being published twice.
        self._missed: deque[tuple[tuple[Any, ...], dict[str, Any]]] = deque()

    def publish(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], subject: Any
    ) -> Generator[Step, Any, Any]:
        """Carry out publish; the answer is that of the side that the flags name."""
        attempt = begin(self._router, self._call, subject, args, kwargs)
        split = self._router.flags.setting(Service.SSE_HUB).split
        if split and attempt.asked.reason is Reason.TARGETING_KEY_MISSING:
            attempt = replace(attempt, asked=_to(Backend.GO), ran=_to(Backend.GO))
        copy = dict(attempt.kwargs)
        if attempt.asked.backend is Backend.GO:
            yield from self._catch_up()
        published = yield from carried(attempt)
        if split and attempt.failed is not None:
            self._miss(args, copy)
            return published
        self._until[attempt.ran.backend] = time.monotonic() + _DRAIN
        other = Backend.PYTHON if attempt.ran.backend is Backend.GO else Backend.GO
        if not (split or time.monotonic() < self._until.get(other, 0.0)):
            return published
        also = yield from self._also(other, args, copy)
        if also is None:
            return published
        if not split and not also.receivers:
            self._until.pop(other, None)  # drained
        return replace(published, receivers=published.receivers + also.receivers)

    def _also(
        self, side: Backend, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Generator[Step, Any, Any]:
        """Publish on the other hub; its failure is no failure of the call."""
        flags, router = self._router.flags, self._router
        if side is Backend.GO and not flags.setting(Service.SSE_HUB).go_possible:
            self._until.pop(side, None)  # off, or the kill switch: it is not to be called
            self._missed.clear()  # its subscribers move, and are told
            return None
        if side is Backend.PYTHON and router.fallback.hub is None:
            return None
        if side is Backend.GO:
            yield from self._catch_up()
            return (yield from self._on_go(args, kwargs))
        attempt = begin(router, self._call, None, args, kwargs, _to(side))
        try:
            return (yield from carried(attempt))
        except ObbyError as error:
            _LOG.warning("not published on python: %s", error)
            return None

    def _on_go(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generator[Step, Any, Any]:
        """Publish on Go; what it cannot be given now is given to it later."""
        attempt = begin(self._router, self._call, None, args, dict(kwargs), _to(Backend.GO))
        client = yield from admitted(attempt)
        if client is not None:
            try:
                published = yield partial(client.publish, *args, **attempt.kwargs)
            except ObbyError as error:
                seen = verdict(error, self._call.effect)
                self._router.judge(self._call, error, seen)
                if not seen.fall_back:
                    raise
            else:
                self._router.judge(self._call, None, None)
                attempt.count(None)
                return published
        self._miss(args, kwargs)
        return None

    def _catch_up(self) -> Generator[Step, Any, None]:
        """Give Go what it has missed, if it is there."""
        for _ in range(len(self._missed)):
            try:
                args, kwargs = self._missed.popleft()
            except IndexError:  # another call has given it the rest
                return
            waiting = len(self._missed)
            if (yield from self._on_go(args, kwargs)) is None:
                # It has been put at the end; back to where it was.
                if len(self._missed) > waiting:
                    self._missed.rotate(1)
                return

    def _miss(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if len(self._missed) >= _MISSED:
            self._missed.popleft()
            _LOG.error("an event is lost for the subscribers of the Go hub: too many wait")
        self._missed.append((args, {k: v for k, v in kwargs.items() if k != "timeout"}))


def _to(side: Backend) -> Decision:
    return Decision(Service.SSE_HUB, side, Reason.FORCED, "both hubs")
