"""One call on its way: what was asked for, whether Go may be called, what has become of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from .._context import CALL_METADATA
from .._options import timeout as checked
from ..errors import ClosedError, DeadlineError, ObbyError, StatusCode
from ..flags import Backend, Decision, Reason
from .breaker import Admission
from .calls import Call, Effect
from .router import Router
from .steps import Step
from .verdict import Verdict, is_answer, verdict

__all__ = ["Attempt", "Source", "admitted", "begin"]

KEPT = 200
"""Items of a list that are compared in shadow mode, at most."""

PROBE = 0.5
"""Seconds that a health check may take, at most."""


class Source:
    """What the items come from at the moment."""

    now: Any = None

    @property
    def cursor(self) -> str:
        """The cursor of the side that the last item came from."""
        return getattr(self.now, "cursor", "")


@dataclass(slots=True)
class Attempt:
    """One call, and what has become of it so far."""

    router: Router
    call: Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    asked: Decision
    ran: Decision
    start: float
    subject: str | bytes | None = None
    failed: BaseException | None = None  # of Go
    source: Source = field(default_factory=Source)
    kept: list[Any] = field(default_factory=list)  # items, for the shadow
    sent: tuple[tuple[str, str], ...] = ()  # what tells Go why it is called

    def count(self, error: BaseException | None) -> None:
        """Count the call as ended."""
        self.router.count(self.call, self.asked, self.ran, error, self.start)

    @contextmanager
    def metadata(self) -> Iterator[None]:
        """Tell the service why it is called."""
        if not self.sent:
            more = [header for headers in self.router.headers for header in headers()]
            self.sent = (("x-obby-decision", str(self.asked)), *more)
        token = CALL_METADATA.set((*CALL_METADATA.get(), *self.sent))
        try:
            yield
        finally:
            CALL_METADATA.reset(token)

    def told(self, step: Step) -> Generator[Step, Any, Any]:
        """Have a step carried out that calls Go; return its result."""
        with self.metadata():
            return (yield step)

    def instead(self, reason: Reason, detail: str) -> None:
        """Let Python answer."""
        self.ran = self.asked.instead(reason, detail)

    def compare(self, answer: Any, count: int | None = None) -> None:
        """Have the other side answer too, in the background, where that is wanted."""
        shadow, share = self.router.shadow, self.asked.shadow
        if not share or self.failed is not None:
            return
        subject = self.subject
        if subject is None:
            subject = self.call.subject(self.args, self.kwargs)
        if shadow.wanted(self.call, share, subject):
            kwargs = {key: value for key, value in self.kwargs.items() if key != "timeout"}
            shadow.offer(self.call, self.args, kwargs, self.ran.backend, answer, count)

    def keep(self, item: Any) -> None:
        """Keep an item of a list, to be compared."""
        if self.asked.shadow and len(self.kept) < KEPT:
            self.kept.append(item)

    def compare_items(self, *, ended: bool) -> None:
        """Compare the items that were kept; of a list that has ended, its end too."""
        if self.asked.shadow:
            self.compare(self.kept, len(self.kept) + (ended and len(self.kept) < KEPT))

    def go_failed(self, error: BaseException) -> Verdict:
        """Judge a failure of Go; return what follows."""
        seen = verdict(error, self.call.effect)
        self.router.judge(self.call, error, seen)
        if seen.fall_back and self.router.may_fall_back(self.call.service):
            self.instead(Reason.FALLBACK, seen.code)
            self.failed = error
            if (left := self._budget()) is not None and left <= 0:
                self.count(error)
                raise error
            return seen
        self.count(error)
        raise error

    def _budget(self) -> float | None:
        """Give Python what is left of the caller's time."""
        given = self.kwargs.get("timeout")
        if given is None:
            return None
        left = float(given) - (time.monotonic() - self.start)
        self.kwargs["timeout"] = left
        return left

    def python_failed(self, error: BaseException) -> BaseException:
        """Count a failure of Python; return the error with Go's as its cause."""
        self.count(error)
        if isinstance(error, Exception):
            self.note_python(error)
            if self.failed is not None and error.__cause__ is None:
                error.__cause__ = self.failed
        return error

    def note_python(self, error: Exception | None) -> None:
        """Tell the guard how Python did."""
        side = self.router.known(self.call.service)
        if side is not None:  # there is something to compare with
            side.guard.record(Backend.PYTHON, failed=error is not None and not is_answer(error))


def begin(  # noqa: PLR0917 (one call, as it was made)
    router: Router,
    call: Call,
    subject: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    asked: Decision | None = None,
    *,
    start: float | None = None,
) -> Attempt:
    """Ask the flags, unless that is done, and get ready."""
    timeout = kwargs.get("timeout")
    if timeout is not None and not checked("timeout", timeout) > 0:
        raise DeadlineError(f"no time for {call.name}: the timeout is {timeout:g} s")
    if router.closed and start is None:  # a call that runs ends with its own error
        raise ClosedError("the router is closed")
    if call.key and not kwargs.get(call.key):
        kwargs = {**kwargs, call.key: str(uuid.uuid4())}
    asked = asked or router.asked(call, subject, args, kwargs)
    began = time.monotonic() if start is None else start
    return Attempt(router, call, args, kwargs, asked, asked, began, subject)


def admitted(attempt: Attempt) -> Generator[Step, Any, Any]:
    """Return the client if the call may be made on Go, after a probe where one is due."""
    router, call = attempt.router, attempt.call
    client, admission, why = router.available(call, attempt.asked)
    if admission is Admission.GO and call.effect is not Effect.ONCE:
        return client
    if admission is not Admission.REFUSED:
        why = yield from _probe(attempt, client, first=admission is Admission.PROBE)
        if not why:
            return client
    if client is not None and not router.fallback.has(call.service):
        return client  # nobody else can answer, so the caller gets what Go says
    attempt.instead(Reason.GO_UNAVAILABLE, why)
    return None


def _probe(attempt: Attempt, client: Any, *, first: bool) -> Generator[Step, Any, str]:
    """Ask for the service's health; return why it cannot be called, or nothing.

    `first`: the breaker waits for the result. Otherwise it is for a call that
    must not be made where its failure would leave open what has happened.
    """
    side = attempt.router.side(attempt.call.service)
    limit = min(PROBE, attempt.kwargs.get("timeout") or PROBE)
    try:
        well = yield partial(client._healthy, limit)
        why = "" if well else "NOT_SERVING"
    except ObbyError as error:
        # An old service without a health check, or with other names, is there.
        there = error.code in (StatusCode.UNIMPLEMENTED, StatusCode.NOT_FOUND)
        why = "" if there else error.code.name
    except Exception as error:
        why = type(error).__name__
    except BaseException:
        if first:
            side.breaker.abandoned()
        raise
    if first:
        side.probed(why, silent=why == StatusCode.DEADLINE_EXCEEDED.name)
    return why
