"""Carrying a call out: Go, then Python where Go cannot, never twice what may have happened.

Each generator yields steps: functions without arguments whose result, awaited in
asyncio, is sent back in, or whose error is raised in it. Lists and streams yield
`Item`s too, which are the caller's.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..errors import DeadlineError, ObbyError, StatusCode
from ..flags import Backend, Decision, Reason
from .breaker import Admission
from .calls import Call, Effect
from .router import Router
from .verdict import Mark, Verdict, verdict

__all__ = ["END", "Attempt", "Item", "Source", "Step", "admitted", "answer", "begin", "carried"]
__all__ += ["following", "items"]

Step = Callable[[], Any]
PROBE = 0.5
"""Seconds that a health check may take, at most."""

END = object()


@dataclass(frozen=True, slots=True)
class Item:
    """What a list or stream gives to the caller."""

    value: Any


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
    failed: BaseException | None = None  # of Go
    source: Source = field(default_factory=Source)

    def count(self, error: BaseException | None) -> None:
        """Count the call as ended."""
        self.router.count(self.call, self.asked, self.ran, error, self.start)

    def instead(self, reason: Reason, detail: str) -> None:
        """Let Python answer."""
        self.ran = self.asked.instead(reason, detail)

    def go_failed(self, error: BaseException) -> Verdict:
        """Judge a failure of Go; return what follows."""
        seen = verdict(error, self.call.effect)
        self.router.judge(self.call, error, seen)
        if seen.fall_back and not self.router.closed:
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
            side.guard.record(Backend.PYTHON, failed=error is not None and not _is_answer(error))


def answer(
    router: Router, call: Call, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Step, Any, Any]:
    """Carry out a call with one answer."""
    return (yield from carried(begin(router, call, subject, args, kwargs)))


def carried(attempt: Attempt) -> Generator[Step, Any, Any]:
    """Carry out a call with one answer that has been begun."""
    router, call, args = attempt.router, attempt.call, attempt.args
    if attempt.asked.backend is Backend.GO:
        client = yield from admitted(attempt)
        if client is not None:
            try:
                result = yield partial(getattr(client, call.name), *args, **attempt.kwargs)
            except BaseException as error:
                attempt.go_failed(error)
            else:
                router.judge(call, None, None)
                attempt.count(None)
                return result
    try:
        python = getattr(router.fallback.of(call.service), call.name)
        result = yield partial(python, *args, **attempt.kwargs)
    except BaseException as error:
        raise attempt.python_failed(error)  # noqa: B904 (it has its cause)
    attempt.note_python(None)
    attempt.count(None)
    return result


def items(  # noqa: PLR0917 (one call, as it was made)
    router: Router,
    call: Call,
    subject: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    source: Source | None = None,
) -> Generator[Step | Item, Any, None]:
    """Carry out a call that gives items.

    Python goes on after the last item that Go gave, where it finds that one.
    """
    attempt = begin(router, call, subject, args, kwargs)
    attempt.source = source or attempt.source
    given: list[Any] = []  # at most one, the last
    if attempt.asked.backend is Backend.GO:
        client = yield from admitted(attempt)
        if client is not None and (yield from _from_go(attempt, client, given)):
            return
    yield from _from_python(attempt, given)


def _from_go(attempt: Attempt, client: Any, given: list[Any]) -> Generator[Step | Item, Any, bool]:
    try:
        source = getattr(client, attempt.call.name)(*attempt.args, **attempt.kwargs)
        attempt.source.now = source
        while (item := (yield partial(following, source))) is not END:
            given[:] = [item]
            yield Item(item)
    except GeneratorExit:  # the caller wants no more
        attempt.router.judge(attempt.call, None, None)
        attempt.count(None)
        raise
    except BaseException as error:
        seen = attempt.go_failed(error)
        if given and attempt.call.effect is not Effect.READ:
            if attempt.call.effect is not Effect.REPEATABLE:
                attempt.count(error)
                raise
            given.clear()  # Python begins anew
        return not seen.fall_back
    attempt.router.judge(attempt.call, None, None)
    attempt.count(None)
    return True


def _from_python(attempt: Attempt, given: list[Any]) -> Generator[Step | Item, Any, None]:
    call = attempt.call
    skipping = bool(given)
    try:
        source = getattr(attempt.router.fallback.of(call.service), call.name)(
            *attempt.args, **attempt.kwargs
        )
        attempt.source.now = source
        while (item := (yield partial(following, source))) is not END:
            if not skipping:
                yield Item(item)
            skipping = skipping and item != given[0]
        if skipping and attempt.failed is not None:
            raise attempt.failed  # Python does not know where Go was
    except GeneratorExit:
        attempt.note_python(None)
        attempt.count(None)
        raise
    except BaseException as error:
        raise attempt.python_failed(error)  # noqa: B904
    attempt.note_python(None)
    attempt.count(None)


def following(source: Any) -> Any:
    """Return the next item of an iterator, or what awaits it; `END` after the last."""
    if hasattr(source, "__anext__"):
        return anext(source, END)
    return next(source, END)


def begin(  # noqa: PLR0917 (one call, as it was made)
    router: Router,
    call: Call,
    subject: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    asked: Decision | None = None,
) -> Attempt:
    """Ask the flags, unless that is done, and get ready."""
    timeout = kwargs.get("timeout")
    if timeout is not None and not timeout > 0:
        raise DeadlineError(f"no time for {call.name}: the timeout is {timeout:g} s")
    if call.key and not kwargs.get(call.key):
        kwargs = {**kwargs, call.key: str(uuid.uuid4())}
    asked = asked or router.asked(call, subject, args, kwargs)
    return Attempt(router, call, args, kwargs, asked, asked, time.monotonic())


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
    except BaseException:
        if first:
            side.breaker.abandoned()
        raise
    if first:
        side.probed(not why, silent=why == StatusCode.DEADLINE_EXCEEDED.name)
    return why


def _is_answer(error: BaseException) -> bool:
    """Tell whether an error of Python is its answer: no failure, as with Go."""
    return isinstance(error, ObbyError) and verdict(error, Effect.READ).mark is Mark.SUCCESS
