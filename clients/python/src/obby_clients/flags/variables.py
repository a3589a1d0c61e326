"""The names of everything that an operator can set."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import parse

__all__ = ["KILL_SWITCHES", "SHADOW", "VARIABLES", "Service", "Variable"]

KILL_SWITCHES = ("EMERGENCY_ROLLBACK", "EMERGENCY_ROLLBACK_TO_PYTHON")
"""The kill switch and its other name: either of them turns everything to Python."""


SHADOW = "OBBY_SHADOW_PERCENTAGE"
"""Which share of the reads is compared with the other side, in the background."""


class Service(enum.Enum):
    """One of the four services, and the variables that steer it."""

    FILE_WATCHER = ("file-watcher", "WATCHER", 50_051)
    CONTENT_TRACKER = ("content-tracker", "TRACKER", 50_052)
    QUERY_SERVICE = ("query-service", "QUERY", 50_053)
    SSE_HUB = ("sse-hub", "SSE", 50_054)

    # Every call looks services up; Enum's own hash is written in Python.
    __hash__ = object.__hash__

    def __init__(self, label: str, short: str, port: int) -> None:
        self.label = label
        """Its name in words, such as `file-watcher`."""
        self.port = port
        """Its usual port."""
        # Not the variable's name: renaming that must not reshuffle anybody.
        self.flag = f"go.{self.name.lower()}"
        """What its buckets are computed with; never changes."""
        self.switch = f"USE_GO_{self.name}"
        self.percentage = f"GO_{short}_ROLLOUT_PERCENTAGE"
        self.target = f"GO_{self.name}_TARGET"
        # The first of each is the canonical name.
        grpc = ("GO_SSE_HUB_GRPC",) if short == "SSE" else ()
        self.hosts = tuple(f"{prefix}_HOST" for prefix in (f"GO_{self.name}", *grpc))
        self.ports = tuple(f"{prefix}_PORT" for prefix in (f"GO_{self.name}", *grpc))

    @property
    def variables(self) -> tuple[str, ...]:
        """Every variable that is its own."""
        return (self.switch, self.percentage, self.target, *self.hosts, *self.ports)

    @classmethod
    def named(cls, name: str) -> Service:
        """Return the service that a person calls `watcher`, `file-watcher` or `FILE_WATCHER`."""
        folded = name.lower().replace("_", "-").removeprefix("go.")
        for service in cls:
            if folded in {service.label, *service.label.split("-")} - {
                "service",
                "file",
                "content",
            }:
                return service
        raise ValueError(f"{name!r} is no service: say {', '.join(s.label for s in cls)}")


@dataclass(frozen=True, slots=True)
class Variable:
    """How one variable is read."""

    name: str
    """Its name."""
    parse: Callable[[str], Any]
    """Reads its value, or raises ValueError saying what may stand there."""
    default: str
    """What holds while it is unset, in words."""
    in_file: bool = True
    """Whether the flags file may set it."""


def _all() -> dict[str, Variable]:
    found = [Variable(name, parse.boolean, "off") for name in KILL_SWITCHES]
    for service in Service:
        found.append(Variable(service.switch, parse.boolean, "off"))
        found.append(Variable(service.percentage, parse.basis_points, "100"))
        found += [Variable(name, parse.host, "localhost") for name in service.hosts]
        found += [Variable(name, parse.port, str(service.port)) for name in service.ports]
        found.append(Variable(service.target, parse.target, "host and port"))
    found.append(Variable("GO_SSE_HUB_HTTP_HOST", parse.host, "localhost"))
    found.append(Variable("GO_SSE_HUB_HTTP_PORT", parse.port, "8080"))
    found.append(Variable(SHADOW, parse.basis_points, "0"))
    found.append(Variable("OBBY_FLAGS_FILE", str, "none", in_file=False))
    found.append(Variable("OBBY_FLAGS_STRICT", parse.boolean, "off", in_file=False))
    return {variable.name: variable for variable in found}


VARIABLES = _all()
"""Every variable by its name."""
