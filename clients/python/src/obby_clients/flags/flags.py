"""What is set, read anew for each decision, and what follows from it."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..metrics import COUNTERS
from .decision import Backend, Decision, Setting, decide
from .parse import trimmed
from .source import FlagsFile, Overrides, read_environment
from .variables import KILL_SWITCHES, SHADOW, VARIABLES, Service

__all__ = ["Flags", "FlagsError", "Problem", "Reading"]

_LOG = logging.getLogger("obby_clients.flags")
_REMEMBERED = 1_000  # distinct bad values that are logged once; more begin anew


class FlagsError(ValueError):
    """A value is invalid, and OBBY_FLAGS_STRICT wants no start with one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that an operator should put right."""

    name: str
    """The variable; `OBBY_FLAGS_FILE` for the file itself."""
    message: str
    """What is wrong, what holds instead, and what to do."""
    error: bool
    """An invalid value; otherwise a warning."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One variable as it stands."""

    name: str
    """Its name."""
    raw: str | None
    """What is written; None: it is not set."""
    source: str
    """`file`, `env` or `default`."""
    value: Any
    """What it means; None where it is not set or invalid."""
    error: str
    """Why the value is invalid; empty where it is not."""

    @property
    def state(self) -> str:
        """`OK`, `UNSET` or `INVALID`."""
        return "INVALID" if self.error else "UNSET" if self.raw is None else "OK"


@dataclass(slots=True, eq=False)
class _Trip:
    """One time that the guard has turned a service off; no lock, as in `FlagsFile.look`."""

    why: str
    over: bool = False
    """The switch has been off since. Each trip has its own: no thread can end a later one."""


# What was read, the file's state and the trip, and what followed from these.
_Known = tuple[Any, Overrides, "_Trip | None", Setting, "Decision | None"]


class Flags:
    """Decides for each call; any thread may use it, also after a fork.

    The environment of this process is read at every decision, the flags file
    (`OBBY_FLAGS_FILE`) is looked at every half second. An invalid value turns its
    service to Python and is logged once; nothing here raises, but for the
    constructor with `OBBY_FLAGS_STRICT` on.
    """

    def __init__(
        self, environ: Mapping[str, str] = os.environ, *, allow_forced: bool = False
    ) -> None:
        """Read what is set.

        `allow_forced` lets a call ask for a side; off by default, because whoever
        forwards a request's wish lets its sender choose.

        Raises FlagsError if OBBY_FLAGS_STRICT is on and a value is invalid.
        """
        self.allow_forced = allow_forced
        self._environ = environ
        self._read = read_environment(environ)
        self._file = FlagsFile()
        self._settings: dict[Service, _Known] = {}
        self._trips: dict[Service, _Trip] = {}
        self._logged: set[tuple[str, str]] = set()
        self._start()

    def decide(
        self,
        service: Service,
        subject: str | bytes | None = None,
        *,
        force: Backend | None = None,
    ) -> Decision:
        """Say who is to answer a call about a subject; no network is looked at."""
        setting, fixed = self._current(service)
        if fixed is not None and force is None:
            return fixed
        allowed = force if self.allow_forced else None
        return decide(setting, subject, tripped=self._trip(service) is not None, force=allowed)

    def fixed(self, service: Service) -> Decision | None:
        """Return the decision if it is the same for every subject."""
        return self._current(service)[1]

    def current(self, service: Service) -> tuple[Setting, Decision | None]:
        """Return what is set for a service, and the decision if it is for every subject."""
        return self._current(service)

    def setting(self, service: Service) -> Setting:
        """Return what is set for a service."""
        return self._current(service)[0]

    def hub_address(self) -> str | None:
        """Return `host:port` where browsers find the Go hub; None: a value is invalid."""
        host, port = map(self.reading, ("GO_SSE_HUB_HTTP_HOST", "GO_SSE_HUB_HTTP_PORT"))
        if host.error or port.error:
            return None
        return f"{_default(host.value, 'localhost')}:{_default(port.value, 8080)}"

    def trip(self, service: Service, why: str) -> None:
        """Turn a service to Python until its switch has been off (the guard does this)."""
        self._trips[service] = _Trip(why)

    @property
    def tripped(self) -> Mapping[Service, str]:
        """The services that the guard has turned off in this process, and why."""
        found = {service: self._trip(service) for service in Service}
        return {service: trip.why for service, trip in found.items() if trip is not None}

    def overrides(self) -> Overrides:
        """Return what the flags file says."""
        return self._file.look(self._raw_path())

    def reading(self, name: str) -> Reading:
        """Return one variable as it stands, whatever it takes to find out.

        Of a kill switch, that source counts which turns it on.
        """
        return self._reading(name, self._file.now)

    def _reading(self, name: str, overrides: Overrides) -> Reading:
        in_file = overrides.values.get(name) if VARIABLES[name].in_file else None
        found = [
            Reading(name, raw, source, *_parsed(name, raw))
            for source, raw in (("file", in_file), ("env", trimmed(self._environ.get(name))))
            if raw is not None
        ]
        if name in KILL_SWITCHES:
            found.sort(key=lambda reading: reading.value is False)
        return found[0] if found else Reading(name, None, "default", None, "")

    def problems(self) -> list[Problem]:
        """Return everything that an operator should put right, errors first."""
        from .check import problems  # noqa: PLC0415 (not needed for a decision)

        return problems(self, self._environ)

    def _current(self, service: Service) -> tuple[Setting, Decision | None]:
        trip = self._trips.get(service)  # before what is set: that is not older than it
        if trip is not None and trip.over:
            trip = None
        raw = self._read(_READ[service])
        overrides = self._file.look((trimmed(os.fsdecode(raw[0])) or "") if raw[0] else "")
        known = self._settings.get(service)
        if known is None or known[1] is not overrides or known[2] is not trip or known[0] != raw:
            setting = self._resolve(service, overrides)
            if trip is not None and not (setting.on or setting.killed):
                trip.over, trip = True, None
            decided = decide(setting, tripped=trip is not None)
            fixed = None if setting.split and trip is None else decided
            self._settings[service] = known = raw, overrides, trip, setting, fixed
        return known[3], known[4]

    def _trip(self, service: Service) -> _Trip | None:
        trip = self._trips.get(service)
        return None if trip is None or trip.over else trip

    def _resolve(self, service: Service, overrides: Overrides) -> Setting:
        # Of one state of the file: another thread may swap in the next one meanwhile.
        readings = {name: self._reading(name, overrides) for name in _READ[service][1:]}
        for reading in readings.values():
            self._report(reading)
        switch, percentage = readings[service.switch], readings[service.percentage]
        return Setting(
            service,
            killed=any(r.error or r.value for r in map(readings.__getitem__, KILL_SWITCHES)),
            on=None if switch.error else bool(switch.value),
            target=_target(service, readings),
            basis_points=None if percentage.error else _default(percentage.value, 10_000),
            shadow=readings[SHADOW].value or 0,
            invalid=tuple(name for name in service.variables if readings[name].error),
        )

    def _start(self) -> None:
        problems = self.problems()
        for problem in problems:
            if not problem.error:
                _LOG.warning("%s: %s", problem.name, problem.message)
        for service in Service:
            self.setting(service)
        errors = [f"{p.name}: {p.message}" for p in problems if p.error]
        strict = self.reading("OBBY_FLAGS_STRICT")
        self._report(strict)
        if errors and strict.value:
            raise FlagsError("OBBY_FLAGS_STRICT is on, so put this right: " + "; ".join(errors))

    def _report(self, reading: Reading) -> None:
        key = reading.name, reading.raw or ""
        if not reading.error or key in self._logged:
            return
        if len(self._logged) >= _REMEMBERED:
            self._logged.clear()
        self._logged.add(key)
        COUNTERS.add("obby_flag_invalid_total", (("var", reading.name),))
        kill = reading.name in KILL_SWITCHES
        meant = "taken for on: everything runs on Python" if kill else "so this is Python's"
        _LOG.error("%s in the %s: %s; %s", reading.name, reading.source, reading.error, meant)

    def _raw_path(self) -> str:
        return trimmed(self._environ.get("OBBY_FLAGS_FILE")) or ""


# The file's path first.
_READ = {
    service: ("OBBY_FLAGS_FILE", *KILL_SWITCHES, SHADOW, *service.variables) for service in Service
}


def _parsed(name: str, raw: str) -> tuple[Any, str]:
    try:
        return VARIABLES[name].parse(raw), ""
    except ValueError as error:
        return None, str(error)


def _default(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _target(service: Service, readings: Mapping[str, Reading]) -> str | None:
    if any(readings[name].error for name in (service.target, *service.hosts, *service.ports)):
        return None

    def first(names: tuple[str, ...], otherwise: Any) -> Any:
        values = (readings[name].value for name in names)
        return next((value for value in values if value is not None), otherwise)

    explicit: str | None = readings[service.target].value
    host, port = first(service.hosts, "localhost"), first(service.ports, service.port)
    return explicit or f"{host}:{port}"
