"""The decision: who is to answer, and why.

Pure, and blind to health: what was asked for stands here, what then ran is the
router's to say (`GO_UNAVAILABLE`, `FALLBACK`). The first rule that matches wins;
`decide` below has them in their order.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from .bucket import bucket, subject_hash
from .variables import Service

__all__ = ["Backend", "Decision", "Reason", "Setting", "decide"]


class Backend(str, enum.Enum):
    """Who answers."""

    GO = "go"
    """The Go service."""
    PYTHON = "python"
    """The Python implementation."""

    # Enum's own hash is written in Python, and is not that of the equal text.
    __hash__ = str.__hash__


class Reason(str, enum.Enum):
    """Why; the comments say what an operator may do about it."""

    KILL_SWITCH = "KILL_SWITCH"
    """EMERGENCY_ROLLBACK is on, somewhere."""
    FLAG_OFF = "FLAG_OFF"
    """USE_GO_… is not set, or off."""
    INVALID_CONFIG = "INVALID_CONFIG"
    """A value cannot be read: `obby-flags check` names it."""
    GUARD_TRIPPED = "GUARD_TRIPPED"
    """Go failed more often than Python; turn USE_GO_… off and on to try again."""
    FORCED = "FORCED"
    """This call asked for it."""
    PERCENT_ZERO = "PERCENT_ZERO"
    """The percentage is 0."""
    PERCENT_ALL = "PERCENT_ALL"
    """The percentage is 100, or not set."""
    TARGETING_KEY_MISSING = "TARGETING_KEY_MISSING"
    """A percentage between 0 and 100, and a call that names no subject."""
    IN_ROLLOUT = "IN_ROLLOUT"
    """The subject is among the percentage."""
    OUT_OF_ROLLOUT = "OUT_OF_ROLLOUT"
    """The subject is not among the percentage."""
    GO_UNAVAILABLE = "GO_UNAVAILABLE"
    """Go was asked for and not tried: the detail says why."""
    FALLBACK = "FALLBACK"
    """Go was tried and failed: the detail is the status code."""

    __hash__ = str.__hash__  # as Backend's

    @property
    def openfeature(self) -> str:
        """The reason that OpenFeature has for it."""
        return _OPENFEATURE[self]


_OPENFEATURE = {
    Reason.KILL_SWITCH: "DISABLED",
    Reason.FLAG_OFF: "DISABLED",
    Reason.INVALID_CONFIG: "ERROR",
    Reason.GUARD_TRIPPED: "DISABLED",
    Reason.FORCED: "TARGETING_MATCH",
    Reason.PERCENT_ZERO: "STATIC",
    Reason.PERCENT_ALL: "STATIC",
    Reason.TARGETING_KEY_MISSING: "ERROR",
    Reason.IN_ROLLOUT: "SPLIT",
    Reason.OUT_OF_ROLLOUT: "SPLIT",
    Reason.GO_UNAVAILABLE: "STALE",
    Reason.FALLBACK: "ERROR",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """Who is to answer one call, and why."""

    service: Service
    """The service."""
    backend: Backend
    """Who answers."""
    reason: Reason
    """Why."""
    detail: str = ""
    """More about it: the bad variable, why Go is not available, a status code."""
    bucket: int | None = None
    """The subject's bucket, 0 to 9,999, where it was looked at."""
    basis_points: int | None = None
    """The percentage that it was compared with, in hundredths of a percent."""
    subject_hash: str = ""
    """What logs may show of the subject, where it was looked at."""
    shadow: int = 0
    """How many of 10,000 subjects are compared with the other side."""

    def __str__(self) -> str:
        return f"{self.reason.value}:{self.detail}" if self.detail else self.reason.value

    def instead(self, reason: Reason, detail: str) -> Decision:
        """Return the decision after Python has taken over what was Go's."""
        return replace(self, backend=Backend.PYTHON, reason=reason, detail=detail)


# Go is not to be called at all.
_NO_SHADOW = {
    Reason.KILL_SWITCH,
    Reason.FLAG_OFF,
    Reason.INVALID_CONFIG,
    Reason.GUARD_TRIPPED,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """What is set for one service, everything read and checked."""

    service: Service
    """The service."""
    killed: bool
    """The kill switch is on."""
    on: bool | None
    """The switch; None: its value is invalid."""
    target: str | None
    """Where the service listens; None: a value is invalid."""
    basis_points: int | None
    """The percentage in hundredths of a percent; None: its value is invalid."""
    shadow: int = 0
    """How many of 10,000 subjects are compared with the other side."""
    invalid: tuple[str, ...] = ()
    """The variables of the service that cannot be read."""

    @property
    def go_possible(self) -> bool:
        """Whether some call may go to Go."""
        usable = self.on and self.target is not None and self.basis_points is not None
        return not self.killed and bool(usable and self.basis_points)

    @property
    def split(self) -> bool:
        """Whether some calls may go to either side."""
        return self.go_possible and self.basis_points != 10_000


def decide(  # noqa: PLR0911 (one for each rule)
    setting: Setting,
    subject: str | bytes | None = None,
    *,
    tripped: bool = False,
    force: Backend | None = None,
) -> Decision:
    """Apply the rules; the first that matches wins."""

    def because(backend: Backend, reason: Reason, detail: str = "") -> Decision:
        shadow = 0 if reason in _NO_SHADOW else setting.shadow
        return Decision(
            setting.service, backend, reason, detail, None, setting.basis_points, "", shadow
        )

    points = setting.basis_points
    if setting.killed:
        return because(Backend.PYTHON, Reason.KILL_SWITCH)
    if setting.on is False:
        return because(Backend.PYTHON, Reason.FLAG_OFF)
    if setting.on is None or setting.target is None:
        return because(Backend.PYTHON, Reason.INVALID_CONFIG, ", ".join(setting.invalid))
    if tripped:
        return because(Backend.PYTHON, Reason.GUARD_TRIPPED)
    if force is not None:
        return because(force, Reason.FORCED)
    if points is None:
        return because(Backend.PYTHON, Reason.INVALID_CONFIG, ", ".join(setting.invalid))
    if points == 0:
        return because(Backend.PYTHON, Reason.PERCENT_ZERO)
    if points == 10_000:
        return because(Backend.GO, Reason.PERCENT_ALL)
    if not subject:
        return because(Backend.PYTHON, Reason.TARGETING_KEY_MISSING)
    return _split(setting, points, subject)


def _split(setting: Setting, points: int, subject: str | bytes) -> Decision:
    place = bucket(setting.service.flag, subject)
    inside = place < points
    return Decision(
        setting.service,
        Backend.GO if inside else Backend.PYTHON,
        Reason.IN_ROLLOUT if inside else Reason.OUT_OF_ROLLOUT,
        "",
        place,
        points,
        subject_hash(subject),
        setting.shadow,
    )
