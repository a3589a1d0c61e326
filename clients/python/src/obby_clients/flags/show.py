"""The flags as plain data, for the command and for an admin's endpoint."""

from __future__ import annotations

from typing import Any

from .bucket import canonical
from .decision import Backend, Decision, Reason, Setting
from .flags import Flags
from .parse import show_percentage
from .variables import KILL_SWITCHES, VARIABLES, Service

__all__ = ["explain", "status"]


def status(flags: Flags) -> dict[str, Any]:
    """Return everything that is set, and what follows for each service."""
    overrides = flags.overrides()
    readings = [flags.reading(name) for name in VARIABLES]
    return {
        "kill_switch": _kill_switch(flags),
        "services": {service.label: _service(flags, service) for service in Service},
        "file": {
            "path": overrides.path,
            "missing": overrides.missing,
            "error": overrides.error,
        },
        "variables": [
            {
                "name": reading.name,
                "raw": reading.raw,
                "source": reading.source,
                "state": reading.state,
                "default": VARIABLES[reading.name].default,
            }
            for reading in readings
        ],
        "problems": [
            {
                "level": "error" if problem.error else "warning",
                "name": problem.name,
                "message": problem.message,
            }
            for problem in flags.problems()
        ],
    }


def explain(flags: Flags, service: Service, subject: str | bytes | None) -> dict[str, Any]:
    """Return where a call about a subject goes by the flags, and why."""
    if subject and service in (Service.FILE_WATCHER, Service.CONTENT_TRACKER):
        subject = canonical(subject)
    decision = flags.decide(service, subject)
    return {
        "service": service.label,
        "backend": decision.backend.value,
        "reason": str(decision),
        "openfeature_reason": decision.reason.openfeature,
        "because": because(flags.setting(service), decision),
        "bucket": decision.bucket,
        "percentage": None
        if decision.basis_points is None
        else show_percentage(decision.basis_points),
    }


def because(setting: Setting, decision: Decision) -> str:
    """Return the reason as a sentence."""
    service, points = decision.service, show_percentage(decision.basis_points or 0)
    place = f"the subject's bucket {decision.bucket} of 10000"
    sentences = {
        Reason.KILL_SWITCH: f"{KILL_SWITCHES[0]} is on",
        Reason.FLAG_OFF: f"{service.switch} is off, or not set",
        Reason.INVALID_CONFIG: f"invalid: {decision.detail} (`obby-flags check` says why)",
        Reason.GUARD_TRIPPED: f"the guard turned it off; set {service.switch} off and on again",
        Reason.FORCED: "the call asked for it",
        Reason.PERCENT_ZERO: f"{service.percentage} is 0",
        Reason.PERCENT_ALL: f"{service.switch} is on, for everybody; target {setting.target}",
        Reason.TARGETING_KEY_MISSING: f"{service.percentage} is {points}, and no subject was given",
        Reason.IN_ROLLOUT: f"{place} is below {decision.basis_points} ({points} %)",
        Reason.OUT_OF_ROLLOUT: f"{place} is not below {decision.basis_points} ({points} %)",
    }
    return sentences[decision.reason]


def _kill_switch(flags: Flags) -> str:
    """Return who turns the kill switch on: `EMERGENCY_ROLLBACK=on in the file`; empty: nobody."""
    for reading in map(flags.reading, KILL_SWITCHES):
        if reading.error or reading.value:
            return f"{reading.name}={reading.raw} in the {reading.source}"
    return ""


def _service(flags: Flags, service: Service) -> dict[str, Any]:
    setting, decision = flags.setting(service), flags.fixed(service)
    points = setting.basis_points
    share = "?" if points is None else f"{show_percentage(points)} %"
    calls = "python" if decision is None or decision.backend is Backend.PYTHON else "go"
    return {
        "calls": calls if decision else f"go for {share}",
        "reason": str(decision) if decision else Reason.IN_ROLLOUT.value,
        "percentage": share,
        "target": setting.target or "?",
        "guard": flags.tripped.get(service, ""),
    }
