"""Noticing, in the background, that an operator has changed something.

Calls read the flags themselves. What lasts longer than a call does not: streams
that are open, connections that the kill switch must end.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass

from ..flags import Decision, Flags, Service, Setting

__all__ = ["EVERY", "Change", "Changes"]

EVERY = 0.25
"""Seconds between two looks."""

_LOG = logging.getLogger("obby_clients.routing")


@dataclass(frozen=True, slots=True)
class Change:
    """Calls to a service may go elsewhere from now on."""

    service: Service
    """The service."""
    before: Setting
    """What was set."""
    now: Setting
    """What is set."""
    decision: Decision | None
    """Who is to answer now; None: that depends on the subject."""


class Changes:
    """Looks at the flags four times a second, in a thread that ends with its owner."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._callbacks: list[tuple[Service | None, Callable[[Change], None]]] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: dict[Service, tuple[Setting, Decision | None]] = {}
        self._killed = False

    def watch(
        self, service: Service | None, callback: Callable[[Change], None], *, start: bool = True
    ) -> Callable[[], None]:
        """Call back at each change of a service (None: of any); return what ends that."""
        entry = service, callback
        self._callbacks.append(entry)
        if start:
            self.start()

        def end() -> None:
            if entry in self._callbacks:
                self._callbacks.remove(entry)

        return end

    def start(self) -> None:
        """Begin to look, if nobody does in this process."""
        if self._thread is None or not self._thread.is_alive():
            if self._stopped.is_set():
                return
            self._seen = {service: self._state(service) for service in Service}
            self._killed = self._rolled_back()
            self._thread = threading.Thread(
                target=_loop, args=(weakref.ref(self),), name="obby-flags", daemon=True
            )
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()

    def after_fork(self) -> None:
        """Begin anew when next needed: a fork leaves threads behind."""
        self._thread = None
        if not self._stopped.is_set():
            self._stopped = threading.Event()

    def look(self) -> bool:
        """Look once, and tell what has changed; return whether to go on."""
        before_all, self._killed = self._killed, self._rolled_back()
        if self._killed != before_all:
            what = "took effect: every call" if self._killed else "is over: calls"
            goes = "runs on Python" if self._killed else "go where the flags say"
            _LOG.warning("emergency rollback %s %s", what, goes)
        for service in Service:
            state, before = self._state(service), self._seen[service]
            if state == before:
                continue
            self._seen[service] = state
            change = Change(service, before[0], state[0], state[1])
            for wanted, callback in list(self._callbacks):
                if wanted in (None, service):
                    _call(callback, change)
        return not self._stopped.is_set()

    def _rolled_back(self) -> bool:
        return any(self._flags.setting(service).killed for service in Service)

    def _state(self, service: Service) -> tuple[Setting, Decision | None]:
        return self._flags.setting(service), self._flags.fixed(service)


def _call(callback: Callable[[Change], None], change: Change) -> None:
    try:
        callback(change)
    except Exception:
        _LOG.exception("a callback for changes failed")


def _loop(reference: weakref.ref[Changes]) -> None:
    while True:
        time.sleep(EVERY)
        changes = reference()
        if changes is None or not changes.look():
            return
        del changes
