"""The short way of a call that Go serves, which is nearly every call.

What `carry` does in steps is done here at once, where nothing stands in the way:
the breaker is closed, nobody observes, nothing is compared. Where something does,
or the call fails, `carry` has it.
"""

from __future__ import annotations

import logging
from typing import Any

from .._context import CALL_METADATA
from ..flags import Backend, Decision, Reason, Setting, bucket
from .calls import Call, Effect
from .router import FORCE, Router

__all__ = ["Quick"]

_LOG = logging.getLogger("obby_clients.routing")


class Quick:
    """How one method is called while nothing changes."""

    __slots__ = ("_asked", "_calls", "_client", "_fixed", "_setting", "_side", "metadata", "method")

    method: Any
    """The client's method."""
    metadata: tuple[tuple[str, str], ...]
    """What tells the service why it was called."""

    def __init__(
        self, router: Router, call: Call, setting: Setting, fixed: Decision | None
    ) -> None:
        asked = fixed or Decision(call.service, Backend.GO, Reason.IN_ROLLOUT)
        self._setting, self._fixed = setting, fixed
        self._side = router.side(call.service)
        self._client = self._side.client(setting.target or "")
        self.method = getattr(self._client, call.name, None)
        self.metadata = (("x-obby-decision", asked.reason.value),)
        self._asked, self._calls = router.counters(call, asked, asked, "ok")

    @classmethod
    def of(  # noqa: PLR0911, PLR0917 (each obstacle for itself; one call, as it was made)
        cls,
        known: dict[str, Quick],
        router: Router,
        call: Call,
        subject: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Quick | None:
        """Return the way for a call, or None where it has to take the long one."""
        if call.effect in (Effect.KEYED, Effect.ONCE):
            return None
        setting, fixed = router.flags.current(call.service)
        if fixed is None:
            found = subject if subject is not None else call.subject(args, kwargs)
            points = setting.basis_points or 0
            if not found or bucket(call.service.flag, found) >= points:
                return None
        elif fixed.backend is Backend.PYTHON:
            return None
        if setting.shadow or FORCE.get() is not None or router.closed:
            return None
        if router.observers or router.headers:
            return None
        if _LOG.isEnabledFor(logging.DEBUG):
            return None
        quick = known.get(call.name)
        if quick is None or quick._setting is not setting or quick._fixed is not fixed:
            quick = known[call.name] = cls(router, call, setting, fixed)
        side = quick._side
        if not side.ready or side.now is not quick._client or quick.method is None:
            known.pop(call.name, None)
            return None
        return quick

    def served(self) -> None:
        """Take note of a call that was answered."""
        self._side.served()
        self._asked.add()
        self._calls.add()

    def context(self) -> Any:
        """Begin the call's context; `CALL_METADATA.reset` ends it."""
        return CALL_METADATA.set((*CALL_METADATA.get(), *self.metadata))
