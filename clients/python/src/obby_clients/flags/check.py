"""What is wrong with what is set."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from .variables import KILL_SWITCHES, SHADOW, VARIABLES, Service

if TYPE_CHECKING:
    from .flags import Flags, Problem

__all__ = ["near", "problems"]

# Instead of an invalid value; for a service's own variables Python.
_HOLDS = {**dict.fromkeys(KILL_SWITCHES, "on"), SHADOW: "0", "OBBY_FLAGS_STRICT": "off"}
_HOLDS |= dict.fromkeys(("GO_SSE_HUB_HTTP_HOST", "GO_SSE_HUB_HTTP_PORT"), "no address")
_OURS = ("GO_", "USE_GO", "EMERGENCY_", "OBBY_FLAGS_", "OBBY_SHADOW_")


def problems(flags: Flags, environ: Mapping[str, str]) -> list[Problem]:
    """Return everything that an operator should put right, errors first."""
    found = [*_file(flags), *_values(flags), *_conflicts(flags)]
    found += _unknown(environ, "the environment", near_only=True)
    found += _unknown(flags.overrides().values, "the flags file", near_only=False)
    return sorted(found, key=lambda problem: not problem.error)


def near(name: str) -> str | None:
    """Return the variable that a name was probably meant for."""
    closest = min(VARIABLES, key=lambda known: _distance(name.upper(), known))
    return closest if _distance(name.upper(), closest) <= 2 else None


def _problem(name: str, message: str, *, error: bool) -> Problem:
    from .flags import Problem  # noqa: PLC0415 (it imports this module)

    return Problem(name, message, error)


def _file(flags: Flags) -> Iterator[Problem]:
    overrides = flags.overrides()
    if overrides.error:
        message = f"{overrides.error} (the last good state holds)"
        yield _problem("OBBY_FLAGS_FILE", message, error=True)
    folder = os.path.dirname(os.path.abspath(overrides.path))
    if overrides.missing and not os.path.isdir(folder):
        message = f"{overrides.path}: there is no folder {folder}; nothing is overridden"
        yield _problem("OBBY_FLAGS_FILE", message, error=False)


def _values(flags: Flags) -> Iterator[Problem]:
    for name in VARIABLES:
        reading = flags.reading(name)
        if reading.error:
            holds = _HOLDS.get(name, "Python")
            message = f"{reading.error} (in the {reading.source}; {holds} holds)"
            yield _problem(name, message, error=True)


def _conflicts(flags: Flags) -> Iterator[Problem]:
    for service in Service:
        for canonical, *aliases in (service.hosts, service.ports):
            first = flags.reading(canonical)
            for alias in aliases:
                other = flags.reading(alias)
                if None not in (first.value, other.value) and first.value != other.value:
                    message = f"{other.raw} is ignored: {canonical} is set too, to {first.raw}"
                    yield _problem(alias, message, error=False)


def _unknown(names: Mapping[str, str], where: str, *, near_only: bool) -> Iterator[Problem]:
    for name in names:
        if name in VARIABLES or (near_only and not name.upper().startswith(_OURS)):
            continue
        meant = near(name)
        if meant:
            yield _problem(name, f"{where} has it; is {meant} meant?", error=False)
        elif not near_only:
            yield _problem(name, f"{where} has it, and nothing reads it", error=False)


def _distance(one: str, two: str) -> int:
    """Return how many letters must be added, removed or replaced."""
    row = list(range(len(two) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(two, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
