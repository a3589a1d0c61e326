"""Who answers one call: flag, health, Go or Python, and what was counted of it.

Each kind of call is written once, as a generator that yields what is to be done
(a function that gives a result, or in asyncio an awaitable); `drive` carries it
out. Nothing here waits or sends.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from .._living import Living
from ..errors import FailedPreconditionError
from ..flags import Backend, Decision, Flags, Reason, Service
from ..metrics import COUNTERS, Counter
from .breaker import Admission
from .calls import Call
from .changes import Changes
from .shadow import Shadow
from .side import CLIENTS, GoSide
from .verdict import Mark, Verdict

__all__ = ["FORCE", "Fallbacks", "Outcome", "Router", "forced"]

_LOG = logging.getLogger("obby_clients.routing")

FORCE: ContextVar[Backend | None] = ContextVar("force", default=None)
"""The side that the calls of a context ask for."""


@contextmanager
def forced(backend: Backend) -> Iterator[None]:
    """Send the calls of a block to one side, where the flags allow that a call asks.

    Beats a percentage; never a kill switch, a switch that is off, or the guard.
    """
    token = FORCE.set(backend)
    try:
        yield
    finally:
        FORCE.reset(token)


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """The Python side: objects with the methods of the clients, blocking or asyncio.

    A service without one fails with FailedPreconditionError where the flags say that
    Python is to answer; where Go fails, with Go's error, as a client of its own would.
    """

    watcher: Any = None
    """Such as `obby_clients.fallback.FileWatcher`."""
    tracker: Any = None
    """Such as `obby_clients.fallback.ContentTracker`."""
    query: Any = None
    """Such as `obby_clients.fallback.QueryService`."""
    hub: Any = None
    """Such as `obby_clients.fallback.SSEHub`."""

    def has(self, service: Service) -> bool:
        """Tell whether there is one for a service: otherwise Go's errors are the caller's."""
        return getattr(self, CLIENTS[service][0]) is not None

    def of(self, service: Service) -> Any:
        """Return the one for a service."""
        found = getattr(self, CLIENTS[service][0])
        if found is None:
            raise FailedPreconditionError(
                f"there is no Python implementation of {service.label}: give one as"
                f" Fallbacks({CLIENTS[service][0]}=…), or set {service.switch}=on where no rollback"
                " is on"
            )
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one call, for whoever observes them."""

    call: Call
    """The call."""
    decision: Decision
    """What was asked for, or what happened instead."""
    error: BaseException | None
    """What it raised; None: it was answered."""
    start: float
    """When it began, in seconds since 1970."""
    seconds: float
    """How long it took."""


class Router:
    """Decides, and keeps what it knows about the Go services; one in each `Obby`."""

    def __init__(
        self,
        flags: Flags,
        fallback: Fallbacks,
        *,
        asynchronous: bool,
        tokens: Mapping[Service, Any] | None = None,
        changes: Changes,
        shadow: Iterable[str] | None = None,
    ) -> None:
        """Route between the Go services that the flags name and the Python side.

        `tokens` are what services want to be called with (see the clients);
        `changes` looks at the flags from the first call to Go on. `shadow` names
        the calls that may be compared (see `Shadow`).
        """
        self.flags, self.fallback = flags, fallback
        self.observers: list[Callable[[Outcome], None]] = []
        """Called after each call, in its thread or task; what they raise is logged."""
        self.headers: list[Callable[[], tuple[tuple[str, str], ...]]] = []
        """What gives more metadata for a call to Go, when it is made."""
        self.live: Living[Any] = Living()
        """The streams without end that are open."""
        self.closed = False
        self.asynchronous = asynchronous
        self.shadow = Shadow(self, shadow)
        """Compares the two sides' answers in the background."""
        self._kind = "Async" if asynchronous else ""
        self._tokens = tokens or {}
        self._changes = changes
        self._sides: dict[Service, GoSide] = {}
        self._counters: dict[tuple[Any, ...], tuple[Counter, Counter]] = {}
        self._making = threading.Lock()  # guards _sides while one is made
        _ROUTERS.add(self)

    def may_fall_back(self, service: Service) -> bool:
        """Tell whether Python answers what Go has failed."""
        return not self.closed and self.fallback.has(service)

    def side(self, service: Service) -> GoSide:
        """Return the Go side of a service."""
        found = self._sides.get(service)
        if found is None:
            token = self._tokens.get(service)
            made = GoSide(service, self._kind, {"token": token} if token else {})
            with self._making:
                found = self._sides.setdefault(service, made)
            self._changes.start()
        return found

    def known(self, service: Service) -> GoSide | None:
        """Return the Go side of a service if it has been used."""
        return self._sides.get(service)

    def sides(self) -> list[GoSide]:
        """Return the Go sides that have been used."""
        return list(self._sides.values())

    def asked(
        self, call: Call, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Decision:
        """Return what the flags say about a call."""
        force = FORCE.get()
        if force is None and (fixed := self.flags.fixed(call.service)) is not None:
            return fixed
        if subject is None:
            subject = call.subject(args, kwargs)
        return self.flags.decide(call.service, subject, force=force)

    def available(self, call: Call, decision: Decision) -> tuple[Any, Admission, str]:
        """Return the client for a call that is Go's, whether it may be made, why not."""
        side = self.side(call.service)
        client = side.client(self.flags.setting(call.service).target or "")
        if client is None:
            return None, Admission.REFUSED, "grpcio cannot be imported"
        if side.lacks(call.name):
            return None, Admission.REFUSED, "the service lacks the method"
        admission = side.breaker.admit()
        return client, admission, "breaker open" if admission is Admission.REFUSED else ""

    def judge(self, call: Call, error: BaseException | None, seen: Verdict | None) -> None:
        """Take note of how Go did, for the breaker and the guard."""
        side = self.side(call.service)
        if seen is None:
            side.breaker.success()
        else:
            side.learned(call, seen)
        failed = seen is not None and seen.mark in (Mark.FAILURE, Mark.GONE)
        if seen is None or seen.mark is not Mark.NEUTRAL:
            side.guard.record(Backend.GO, failed=failed)
        if failed and (why := side.guard.verdict()):
            self.flags.trip(call.service, why)
            COUNTERS.add("obby_guard_trips_total", (("service", call.service.label),))
            _LOG.error("guard turned %s off: %s", call.service.label, why)
        if seen is not None and seen.alert:
            _LOG.error("%s.%s: %s", call.service.label, call.name, error)

    def counters(
        self, call: Call, asked: Decision, ran: Decision, outcome: str
    ) -> tuple[Counter, Counter]:
        """Return the two counters of a call: what was asked for, and what ran."""
        key = (
            call.service,
            call.name,
            asked.backend,
            asked.reason,
            ran.backend,
            ran.reason,
            outcome,
        )
        return self._counters.get(key) or self._counters.setdefault(key, _counters(*key))

    def count(
        self, call: Call, asked: Decision, ran: Decision, error: BaseException | None, start: float
    ) -> None:
        """Count one call, log it, and tell the observers."""
        outcome = "ok" if error is None else getattr(error, "code", None)
        if not isinstance(outcome, str):
            outcome = getattr(outcome, "name", type(error).__name__)
        for counter in self.counters(call, asked, ran, outcome):
            counter.add()
        if self.observers or _LOG.isEnabledFor(logging.DEBUG):
            took = time.monotonic() - start
            self._tell(Outcome(call, ran, error, time.time() - took, took))

    def _tell(self, outcome: Outcome) -> None:
        call, decision = outcome.call, outcome.decision
        _LOG.debug(
            "call routed",
            extra={
                "service": call.service.label,
                "method": call.name,
                "backend": decision.backend.value,
                "reason": str(decision),
                "subject_hash": decision.subject_hash,
                "took": outcome.seconds,
            },
        )
        for observe in self.observers:
            try:
                observe(outcome)
            except Exception:
                _LOG.exception("an observer of calls failed")

    def after_fork(self) -> None:
        """Know nothing about the services: connections and locks are the parent's."""
        self._making, self._sides = threading.Lock(), {}
        self._changes.after_fork()
        self.shadow.after_fork()


def _counters(  # noqa: PLR0917 (the labels)
    service: Service,
    method: str,
    asked: Backend,
    asked_why: Reason,
    ran: Backend,
    ran_why: Reason,
    outcome: str,
) -> tuple[Counter, Counter]:
    name = ("service", service.label)
    decisions = (name, ("backend", asked.value), ("reason", asked_why.value))
    calls = (
        *(name, ("method", method), ("backend", ran.value)),
        *(("reason", ran_why.value), ("outcome", outcome)),
    )
    return (
        COUNTERS.counter("obby_decisions_total", decisions),
        COUNTERS.counter("obby_calls_total", calls),
    )


_ROUTERS: weakref.WeakSet[Router] = weakref.WeakSet()


def _after_fork() -> None:
    for router in list(_ROUTERS):
        router.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
