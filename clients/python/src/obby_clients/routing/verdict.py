"""What a failure of Go means: one row for each status."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ..errors import ClosedError, ObbyError, StatusCode
from .calls import Effect

__all__ = ["Mark", "Verdict", "is_answer", "verdict"]


class Mark(enum.Enum):
    """What a call tells about the service's health."""

    SUCCESS = "success"
    """It answered, be it with an error: that is the answer."""
    FAILURE = "failure"
    """It failed."""
    GONE = "gone"
    """It is not there."""
    NEUTRAL = "neutral"
    """Nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a failure of Go."""

    fall_back: bool
    """Python answers; otherwise the error is raised."""
    mark: Mark
    """What it tells about the service's health."""
    code: str
    """The status code, or the kind of error, for counters and reasons."""
    alert: bool = False
    """Somebody has to look at it: it is no outage."""


_ANSWERS = {
    StatusCode.INVALID_ARGUMENT,
    StatusCode.NOT_FOUND,
    StatusCode.ALREADY_EXISTS,
    StatusCode.FAILED_PRECONDITION,
    StatusCode.OUT_OF_RANGE,
}
# PERMISSION_DENIED with one of these is about the path, and not about who asks.
_OF_THE_PATH = {"OUTSIDE_ROOTS"}
# These as well, but it may be that Python, another user of the system, can read it.
_UNREADABLE = {"UNREADABLE", "ROOT_UNREADABLE"}
_GONE = {StatusCode.UNAVAILABLE, StatusCode.CANCELLED}
_ALERTS = {
    StatusCode.INTERNAL,
    StatusCode.UNKNOWN,
    StatusCode.DATA_LOSS,
    StatusCode.UNAUTHENTICATED,
    StatusCode.PERMISSION_DENIED,
}
# Go had no part in these: the request was not carried out.
_NEVER_RAN = {StatusCode.UNIMPLEMENTED, StatusCode.UNAUTHENTICATED, StatusCode.PERMISSION_DENIED}


def verdict(error: BaseException, effect: Effect) -> Verdict:
    """Return what follows from an error of a call with this effect."""
    if not isinstance(error, Exception):  # asyncio.CancelledError, KeyboardInterrupt
        return Verdict(False, Mark.NEUTRAL, type(error).__name__)
    if not isinstance(error, ObbyError):  # the request could not be made
        return Verdict(True, Mark.NEUTRAL, type(error).__name__)
    code = error.code
    if is_answer(error):
        return Verdict(False, Mark.SUCCESS, code.name)
    if error.reason in _UNREADABLE:
        return Verdict(True, Mark.NEUTRAL, code.name)
    if code is StatusCode.ABORTED:
        return Verdict(False, Mark.NEUTRAL, code.name)
    # grpcio's own "Received message larger than max" is of the answer: Go did it.
    unsent = _too_large(error) and "Received" not in error.message
    ran = code not in _NEVER_RAN and not unsent
    return Verdict(
        fall_back=effect is not Effect.ONCE or not ran,
        mark=_mark(error),
        code=code.name,
        alert=code in _ALERTS,
    )


def is_answer(error: BaseException) -> bool:
    """Tell whether an error is the answer to a call, and no failure of whoever gives it."""
    return isinstance(error, ObbyError) and (error.code in _ANSWERS or error.reason in _OF_THE_PATH)


def _mark(error: ObbyError) -> Mark:
    if isinstance(error, ClosedError) or error.code is StatusCode.UNIMPLEMENTED:
        return Mark.NEUTRAL
    if _too_large(error):
        return Mark.NEUTRAL
    return Mark.GONE if error.code in _GONE else Mark.FAILURE


def _too_large(error: ObbyError) -> bool:
    """Tell whether a message was over grpcio's limit: it says nothing about the service."""
    return error.code is StatusCode.RESOURCE_EXHAUSTED and "larger than max" in error.message
