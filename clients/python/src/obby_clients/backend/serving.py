"""The log's answer to "who does it?": for each service a line at the start and at each change.

Of several processes the one with the pipeline says it; the flags are the same for all.
"""

from __future__ import annotations

import asyncio
import logging

from ..errors import ClosedError, ObbyError, StatusCode, UnavailableError
from ..fastapi import State
from ..flags import Backend, Flags, Reason, Service
from ..flags.parse import show_percentage
from ..flags.show import because

__all__ = ["tell_who_serves"]

_LOG = logging.getLogger("obby_clients.backend")
_LOOK = 0.5  # seconds between two looks
_HEALTH = 5.0  # seconds that a service has to say that it is there, on a busy machine
_NO_GRPC = "no grpcio here"


async def tell_who_serves(state: State) -> None:
    """Log who does each service's work and why, whenever that changes, until cancelled.

    A warning where the flags say Go, and Go does not answer.
    """
    await asyncio.gather(*(_tell(state, service) for service in Service))


async def _tell(state: State, service: Service) -> None:
    said = ""
    while True:
        trouble = await _trouble(state, service)
        line, reason = _line(state.flags, service, trouble)
        if line != said:
            said = line
            # That grpcio is missing is warned of once, for all services.
            level = logging.INFO if trouble in {"", _NO_GRPC} else logging.WARNING
            _LOG.log(level, "%s", line, extra={"service": service.label, "reason": reason})
        await asyncio.sleep(_LOOK)


def _line(flags: Flags, service: Service, trouble: str) -> tuple[str, str]:
    """Return what the log says, and the constant for it."""
    setting, decision = flags.current(service)
    share = show_percentage(setting.basis_points or 0)
    if decision is None:
        who, reason = f"go for {share} %, else python", Reason.IN_ROLLOUT.value
        why = f"{service.percentage} is {share}; target {setting.target}"
    else:
        who, reason = decision.backend.value, str(decision)
        why = because(setting, decision)
    if guard := flags.tripped.get(service):
        why += f" ({guard})"
    if trouble:
        who = "python instead of go" + ("" if decision else f" for {share} %")
        why = f"{setting.target} does not serve ({trouble})"
        reason = f"{Reason.GO_UNAVAILABLE.value}:{trouble}"
    return f"{service.label}: {who}: {why}", reason


async def _trouble(state: State, service: Service) -> str:
    """Return why Go does not do what is its own; empty where it does, or has nothing to do."""
    setting, decision = state.flags.current(service)
    if not setting.go_possible or (decision and decision.backend is Backend.PYTHON):
        return ""
    try:
        client = state.sides.of(service, Backend.GO)
    except UnavailableError:
        return _NO_GRPC
    try:
        well = await client._healthy(_HEALTH)
    except ClosedError:
        return ""  # the flags have changed meanwhile
    except ObbyError as error:
        # An old service without a health check, or with other names, is there.
        there = error.code in (StatusCode.UNIMPLEMENTED, StatusCode.NOT_FOUND)
        return "" if there else error.code.name
    return "" if well else "NOT_SERVING"
