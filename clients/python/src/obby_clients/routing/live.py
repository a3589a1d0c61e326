"""Streams that do not end, on whichever side they belong to now.

Four times a second a stream looks where it belongs. Events of watched roots are
read from both sides, because roots may be on both: the new side is connected before
the old one is left. A subscription and a stream of steps are on one side. A hub's
subscription begins anew with a Reset when it moves, since the ids of two hubs have
nothing to do with each other; steps go on after the last one, in the one database.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from .. import _options
from .._options import timeouts
from ..errors import ClosedError, InvalidArgumentError, ObbyError
from ..flags import Backend, Reason
from ..query.values import Diff
from ..watcher.values import ChangeType, Event, Resync, ResyncReason
from .attempt import admitted, begin
from .calls import Call, Effect
from .router import Router
from .steps import Step
from .verdict import Mark, verdict
from .watching import Watching

__all__ = ["AHEAD", "Live"]

AHEAD = 256
"""Items that are read ahead; then the side is held back, and says so by a Resync."""

_PATIENCE = 2.0  # s that Go may be away before Python takes over: longer than a restart
_REMEMBERED = 10_000  # paths whose last report is known while a root moves
_CHECKS: dict[str, Callable[[Any], Any]] = {
    "since": _options.since,
    "resume_token": _options.token,
    "topics": _options.topics,
    "watch_ids": partial(_options.texts, "watch_ids"),
    "change_types": partial(_options.members, "change_types"),
}
_RESUME = {"events": "resume_token", "subscribe": "last_event_id", "diffs_since": "since"}


class Live:
    """Where a stream stands: what both kinds have in common. Nothing here waits."""

    def __init__(
        self,
        router: Router,
        call: Call,
        subject: Any,
        kwargs: dict[str, Any],
        watching: Watching | None,
    ) -> None:
        timeouts(kwargs)
        self.router, self.call, self.watching = router, call, watching
        self._process = os.getpid()
        self.sources: dict[Backend, Any] = {}
        self.failed: set[Backend] = set()  # sources that have ended
        self._subject = subject if subject is not None else call.subject((), kwargs)
        self._kwargs = kwargs
        _check(kwargs)
        self._watch_ids = frozenset(kwargs.pop("watch_ids", ()))
        self._reports: OrderedDict[str, object] = OrderedDict()
        self._both = False  # the two sides may report the same
        self._cursors: dict[Backend, str] = {}
        self._step = 0  # the last one that was given
        self._end = time.monotonic() + kwargs["timeout"] if kwargs.get("timeout") else math.inf
        if watching is not None:
            watching.known(self._watch_ids)
            self._cursors = _cursors(kwargs.pop("resume_token", None))

    def check(self) -> None:
        """Raise ClosedError where nobody can read the stream any more."""
        if self._process != os.getpid():
            raise ClosedError("the stream was opened before a fork: open one in this process")
        if self.router.closed:
            raise ClosedError("the router is closed")

    @property
    def cursor(self) -> str:
        """What continues after the last item."""
        if self.watching is None:
            return next(iter(self._cursors.values()), "")
        return json.dumps({side.value: cursor for side, cursor in self._cursors.items()})

    def tick(self, stream: Any) -> Generator[Step, Any, None]:
        """Bring the sources to where they belong; `stream` opens and stops them."""
        for side in list(self.failed):  # a reader may add one meanwhile
            self.failed.discard(side)
            self.sources.pop(side, None)
        want = self._wanted()
        missing = want - self.sources.keys()
        if Backend.GO in missing and not (yield from self._open_go(stream)):
            want = {Backend.PYTHON}
        if Backend.PYTHON in want - self.sources.keys():
            python = self.router.fallback.of(self.call.service)
            yield from self._open(stream, Backend.PYTHON, python)
        if self.watching is not None:
            yield from self.watching.rebalance()
            want |= self.watching.sides() & self._wanted()
        for side in self.sources.keys() - want:
            yield partial(stream._stop, side)
            self.sources.pop(side, None)

    def accept(self, side: Backend, item: Any, cursor: str) -> Any:
        """Take an item of a side; return what it is for the caller, or None."""
        if isinstance(item, Diff):
            if item.change_id <= self._step:  # read ahead on the side that was left
                return None
            self._step = item.change_id
        if cursor:
            if self.watching is None:
                self._cursors.clear()
            self._cursors[side] = cursor
        if self.watching is None:
            return item
        if isinstance(item, Resync) and item.reason is ResyncReason.RESTARTED:
            self.watching.lost.add(side)
        item = self.watching.named(side, item)
        if self._watch_ids and item.watch_id and item.watch_id not in self._watch_ids:
            return None
        return None if isinstance(item, Event) and self._repeated(item) else item

    def ended(self, side: Backend, source: Any) -> None:
        """Take note of a source's end, unless another one has its place already."""
        if self.sources.get(side) is source:
            self.failed.add(side)

    def broken(self, side: Backend, error: BaseException) -> BaseException | None:
        """Take note of a source's end; return the error if it is the caller's."""
        self.failed.add(side)
        if side is Backend.PYTHON or time.monotonic() >= self._end:
            return error
        seen = verdict(error, Effect.READ)
        self.router.judge(self.call, error, seen)
        if seen.fall_back and self.router.may_fall_back(self.call.service):
            if seen.mark is Mark.NEUTRAL:
                self.router.side(self.call.service).breaker.failure(gone=True)
            return None
        return error

    def _wanted(self) -> set[Backend]:
        service = self.call.service
        breaker = self.router.side(service).breaker
        decision = self.router.asked(self.call, self._subject, (), self._kwargs)
        if self.watching is None:
            away = breaker.state == "open" and Backend.GO not in self.sources
            away = away and self.router.fallback.has(service)
            return {Backend.PYTHON if away else decision.backend}
        here = {Backend.PYTHON} if self.router.fallback.watcher is not None else set()
        if self.router.flags.setting(service).go_possible and decision.reason not in (
            Reason.GUARD_TRIPPED,
            Reason.KILL_SWITCH,
        ):
            here.add(Backend.GO)
        if not here:
            self.router.fallback.of(service)  # raises: nobody can watch
        return here

    def _open_go(self, stream: Any) -> Generator[Step, Any, bool]:
        asked = self.router.asked(self.call, self._subject, (), self._kwargs)
        attempt = begin(self.router, self.call, self._subject, (), dict(self._kwargs), asked)
        client = yield from admitted(attempt)
        if client is None:
            return False
        try:
            with attempt.metadata():
                yield from self._open(stream, Backend.GO, client)
        except ObbyError as error:
            if self.broken(Backend.GO, error) is not None:
                raise
            return False
        self.router.judge(self.call, None, None)
        attempt.count(None)
        return True

    def _open(self, stream: Any, side: Backend, client: Any) -> Generator[Step, Any, None]:
        kwargs = dict(self._kwargs)
        if side is Backend.GO and self.router.fallback.has(self.call.service):
            kwargs["retry_for"] = min(_PATIENCE, kwargs.get("retry_for", _PATIENCE))
        if self._end < math.inf:
            kwargs["timeout"] = max(self._end - time.monotonic(), 0)
        resume = _RESUME[self.call.name]
        if self.watching is not None:
            self._both = self._both or bool(self.sources)
            kwargs[resume] = self._cursors.get(side)
        else:
            for other in list(self.sources):
                yield partial(stream._stop, other)
                self.sources.pop(other, None)
            if self.cursor:
                kwargs[resume] = self.cursor
        source = getattr(client, self.call.name)(**kwargs)
        # Before it is read: its end must not be taken for that of the one before.
        self.failed.discard(side)
        self.sources[side] = source
        try:
            yield partial(stream._open, side, source)
        except BaseException:
            self.sources.pop(side, None)
            raise

    def _repeated(self, event: Event) -> bool:
        """Tell whether the other side has reported the same state of a path."""
        if not self._both:
            return False
        gone = event.change_type is ChangeType.DELETED
        state = ("gone",) if gone else (event.size_bytes, event.modify_time)
        repeated = self._reports.get(event.path) == state
        self._reports[event.path] = state
        self._reports.move_to_end(event.path)
        if event.old_path:
            self._reports[event.old_path] = ("gone",)
        while len(self._reports) > _REMEMBERED:
            self._reports.popitem(last=False)
        return repeated


def _check(kwargs: dict[str, Any]) -> None:
    """Refuse, where it is given, what either side would refuse; an iterator is read once."""
    for name, check in _CHECKS.items():
        if name in kwargs:
            kwargs[name] = check(kwargs[name])


def _cursors(token: str | None) -> dict[Backend, str]:
    if not token:
        return {}
    try:
        return {Backend(side): str(cursor) for side, cursor in json.loads(token).items()}
    except (ValueError, AttributeError):
        message = "resume_token is not the cursor of a routed stream"
        raise InvalidArgumentError(message) from None
