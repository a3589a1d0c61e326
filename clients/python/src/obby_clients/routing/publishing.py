"""Publishing while subscribers are on both hubs.

Between 0 and 100 percent, and for a while after the last subscriber has been
seen on a hub that is being left, an event goes to both, under one idempotency
key. A client is on one hub, so it gets each event once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from dataclasses import replace
from typing import Any

from ..errors import ObbyError
from ..flags import Backend, Decision, Reason, Service
from .attempt import begin
from .calls import CALLS
from .carry import carried
from .router import Router
from .steps import Step

__all__ = ["Publishing"]

_LOG = logging.getLogger("obby_clients.routing")
_DRAIN = 60.0  # s after which a hub that is being left gets nothing more


class Publishing:
    """Which hubs get events; of one `Obby`."""

    def __init__(self, router: Router) -> None:
        self._router = router
        self._call = CALLS[Service.SSE_HUB]["publish"]
        self._until: dict[Backend, float] = {}  # hubs with subscribers, as far as is known

    def publish(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], subject: Any
    ) -> Generator[Step, Any, Any]:
        """Carry out publish; the answer is that of the side that the flags name."""
        attempt = begin(self._router, self._call, subject, args, kwargs)
        split = self._router.flags.setting(Service.SSE_HUB).split
        if split and attempt.asked.reason is Reason.TARGETING_KEY_MISSING:
            attempt = replace(attempt, asked=_to(Backend.GO), ran=_to(Backend.GO))
        copy = dict(attempt.kwargs)
        published = yield from carried(attempt)
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
            return None
        if side is Backend.PYTHON and router.fallback.hub is None:
            return None
        attempt = begin(router, self._call, None, args, kwargs, _to(side))
        try:
            answer = yield from carried(attempt)
        except ObbyError as error:
            _LOG.warning("not published on %s: %s", side.value, error)
            return None
        return answer if attempt.ran.backend is side else None


def _to(side: Backend) -> Decision:
    return Decision(Service.SSE_HUB, side, Reason.FORCED, "both hubs")
