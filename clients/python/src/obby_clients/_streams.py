"""What a stream is, said once for both kinds of client.

A stream that has a cursor goes on by itself: when its connection is lost, it is
opened again after the last item that was given out, so that nothing is missing
and nothing comes twice. A server that dies without a word is noticed because its
heartbeats stop. Nothing here waits or sends.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from google.protobuf.message import Message

from ._calls import Method, seconds_left
from ._options import timeout as checked
from .errors import ClosedError, DeadlineError, ObbyError, StatusCode, UnavailableError

if TYPE_CHECKING:
    from ._aio import AsyncClient, AsyncStream
    from ._sync import Client, Stream

__all__ = ["Course", "Resume", "StreamMethod", "Streaming"]

T = TypeVar("T")
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)

_LOG = logging.getLogger("obby_clients")

# The statuses after which a stream is opened again: the server is gone, or says
# that it is (ABORTED: the hub dropped a subscriber that read too slowly).
_PASSING = {
    StatusCode.UNAVAILABLE,
    StatusCode.ABORTED,
    StatusCode.CANCELLED,
}
_BACKOFF, _BACKOFF_MAX = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Resume:
    """How a stream goes on after a break."""

    field: str
    """The request's field for the cursor."""
    cursor: Callable[[Any, Any], str]
    """From request and answer, the cursor after the answer; empty if it has none."""
    endless: bool
    """Whether the server never ends the stream of its own accord."""


class StreamMethod(Method, Generic[Q, T]):
    """An RPC that gives a stream; called with a request, it makes the plan."""

    streaming: ClassVar[bool] = True

    def __init__(
        self,
        request: type[Q],
        response: type[A],
        convert: Callable[[A], T | None],
        *,
        idle: float,
        deadline: float = math.inf,
        resume: Resume | None = None,
    ) -> None:
        super().__init__(request, response)
        self._convert, self._resume = convert, resume
        self._idle, self._deadline = idle, deadline

    def __call__(
        self,
        request: Q,
        timeout: float | None = None,
        *,
        idle_timeout: float | None = None,
        retry_for: float = 0.0,
    ) -> Streaming[T]:
        return Streaming(
            self,
            request,
            self._convert,
            self._deadline if timeout is None else checked("timeout", timeout),
            self._idle if idle_timeout is None else checked("idle_timeout", idle_timeout),
            self._resume,
            checked("retry_for", retry_for),
        )


@dataclass(frozen=True, slots=True)
class Streaming(Generic[T]):
    """Gives a stream of T."""

    method: Method
    request: Message
    convert: Callable[[Any], T | None]
    timeout: float
    idle: float
    resume: Resume | None
    retry_for: float

    def sync(self, client: Client, /) -> Stream[T]:
        return client._stream(Course(self))

    def aio(self, client: AsyncClient, /) -> AsyncStream[T]:
        return client._stream(Course(self))


class Course(Generic[T]):
    """Where one stream stands, and what is to be done next."""

    def __init__(self, plan: Streaming[T]) -> None:
        self._plan = plan
        self.method, self.request = plan.method, plan.request
        self.cursor: str = getattr(plan.request, plan.resume.field) if plan.resume else ""
        self.connected = False  # the server has answered once
        self.over = False
        self._end = time.monotonic() + plan.timeout
        self._pause = _BACKOFF
        self._cause: ObbyError | None = None  # of the present outage
        self._give_up = math.inf  # when the present outage has lasted too long

    def timeout(self) -> float | None:
        """Return the timeout of the call that is to be opened."""
        return seconds_left(self.method, self._end - time.monotonic())

    def patience(self) -> float:
        """Return how many seconds the next answer may take."""
        return min(self._plan.idle, max(self._give_up - time.monotonic(), 0.0))

    @property
    def wait_for_ready(self) -> bool:
        """Whether the call waits for a connection: not the first one, to fail at once."""
        return self.connected

    def accept(self, response: Any) -> T | None:
        """Take an answer, or None for the end; return what it holds for the caller."""
        resume = self._plan.resume
        if response is None:
            if resume and resume.endless:
                raise UnavailableError(f"the server ended {self.method.path}")
            self.over = True
            return None
        if self._cause:
            _LOG.info("stream resumed: %s", self.method.path)
        self.connected = True
        self._pause, self._cause, self._give_up = _BACKOFF, None, math.inf
        item = self._plan.convert(response)
        if resume and (cursor := resume.cursor(self.request, response)):
            self.cursor = cursor
        return item

    def silence(self) -> ObbyError:
        """Return the error for an answer that did not come in time."""
        error = UnavailableError if self._plan.resume and self.connected else DeadlineError
        return error(f"{self.method.path}: nothing came for {self._plan.idle:g} s")

    def interrupted(self, error: ObbyError) -> float:
        """Return the seconds until the stream is to be opened again, or raise the error."""
        now, resume = time.monotonic(), self._plan.resume
        passing = error.code in _PASSING and not isinstance(error, ClosedError)
        if resume is None or not (self.connected and passing):
            self.over = True
            raise error
        if self._cause is None:
            self._cause, self._give_up = error, now + self._plan.retry_for
            _LOG.warning("stream interrupted: %s: %s", self.method.path, error)
        if now >= self._give_up:
            self.over = True
            raise self._cause
        if self.cursor:
            setattr(self.request, resume.field, self.cursor)
        pause, self._pause = self._pause, min(2 * self._pause, _BACKOFF_MAX)
        return pause * random.uniform(0.5, 1.0)
