"""The settings of the backend: a flag or an environment variable each; the flag wins."""

from __future__ import annotations

import argparse
import ipaddress
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, NoReturn

from .._version import __version__

__all__ = ["Settings", "SettingsError", "parse"]


class SettingsError(ValueError):
    """A setting is wrong; the message says which, and what may stand there."""


@dataclass(frozen=True)
class Settings:
    """What the backend is told at its start."""

    database: str
    """Path of the SQLite file; made where there is none."""
    roots: tuple[str, ...]
    """Folders whose files are tracked."""
    host: str
    """Address that is listened at."""
    port: int
    """Port that is listened at; 0 takes a free one."""
    workers: int
    """Processes that answer requests."""
    debounce: timedelta
    """How long a file must rest before it is looked at."""
    flags_file: str
    """File of the flags that change while everything runs."""
    admin_token: str
    """What the operator's operations ask for; empty: they are not there."""
    allow_hosts: tuple[str, ...]
    """Host names that requests may name beside loopback."""
    allow_anonymous: bool
    """Listen beyond loopback, though nobody is asked who he is."""
    log_level: str
    """Least level that is logged."""
    log_format: str
    """`text` or `json`."""
    stop_timeout: int
    """Seconds that a stop may take."""


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"{text!r} is not one of {', '.join(words)}")
        return text

    return read


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"{text!r} is not a number from {low} to {high}")
        return int(text)

    return read


def _seconds(text: str) -> timedelta:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise ValueError(f"{text!r} is not a number of seconds from 0 to 3600")
    return timedelta(seconds=value)


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[_one_of("on", "off")(text)]


def _root(text: str) -> str:
    path = os.path.realpath(text)
    if not os.path.isdir(path):
        raise ValueError(f"{text!r} is no folder: create it, or name another")
    return path


def _database(text: str) -> str:
    path = os.path.realpath(text)
    if not os.path.isdir(os.path.dirname(path)):
        raise ValueError(f"{text!r}: create its folder {os.path.dirname(path)} first")
    return path


def _token(text: str) -> str:
    try:
        token = Path(text).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{text!r} cannot be read: {error}") from error
    if len(token) < 16:
        raise ValueError(f"{text!r} has a token of {len(token)} characters: 16 is the least")
    return token


@dataclass(frozen=True)
class _Option:
    flag: str
    default: str
    read: Callable[[str], Any]
    usage: str
    many: bool = False

    @property
    def variable(self) -> str:
        return f"OBBY_BACKEND_{self.flag.upper().replace('-', '_')}"


_OPTIONS = {
    "database": _Option("database", "obby.db", _database, "SQLite file; made where there is none"),
    "roots": _Option("root", "", _root, "folder whose files are tracked; repeatable", many=True),
    "host": _Option("host", "127.0.0.1", str, "address to listen at"),
    "port": _Option("port", "8000", _number(0, 65_535), "port; 0 takes a free one"),
    "workers": _Option("workers", "1", _number(1, 64), "processes that answer requests"),
    "debounce": _Option("debounce", "0.5", _seconds, "seconds that a file must rest"),
    "flags_file": _Option(
        "flags-file", "", str, "live flags; default: OBBY_FLAGS_FILE, else DATABASE.flags"
    ),
    "admin_token": _Option(
        "admin-token-file", "", _token, "file with the token for /go; none: there is no /go"
    ),
    "allow_hosts": _Option(
        "allow-host", "", str, "host name that requests may name; repeatable", many=True
    ),
    "allow_anonymous": _Option(
        "allow-anonymous", "off", _switch, "on: listen beyond loopback behind a proxy that asks"
    ),
    "log_level": _Option(
        "log-level", "info", _one_of("debug", "info", "warning", "error"), "least level logged"
    ),
    "log_format": _Option("log-format", "text", _one_of("text", "json"), "form of the log"),
    "stop_timeout": _Option("stop-timeout", "10", _number(1, 600), "seconds a stop may take"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SettingsError(message)


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings from a command line and an environment.

    Raises SettingsError, which names every setting that is wrong; `--help` and
    `--version` print and exit.
    """
    given = vars(_parser().parse_args(arguments))
    values: dict[str, Any] = {}
    errors = []
    for name, option in _OPTIONS.items():
        try:
            values[name] = _value(option, given[name], environ.get(option.variable, ""))
        except ValueError as error:
            source = f"--{option.flag}" if given[name] else option.variable
            errors.append(f"{source}: {error}")
    errors += _together(values, environ)
    if errors:
        raise SettingsError("\n".join(errors))
    return Settings(**{field.name: values[field.name] for field in fields(Settings)})


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="obby-backend",
        description="Tracks the files below its roots and answers over HTTP; the flags decide"
        " whether Python or the Go services do the work.",
        epilog="A list repeats its flag, or separates its variable's items with ','."
        " The flags of the rollout are those of obby-flags.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"obby-backend {__version__}")
    for name, option in _OPTIONS.items():
        default = f"; default {option.default}" if option.default else ""
        parser.add_argument(
            f"--{option.flag}",
            dest=name,
            action="append" if option.many else "store",
            metavar="X",
            help=f"{option.usage} ({option.variable}{default})",
        )
    return parser


def _value(option: _Option, flag: Any, variable: str) -> Any:
    if option.many:
        items = flag or [item.strip() for item in variable.split(",") if item.strip()]
        return tuple(dict.fromkeys(option.read(item) for item in items))
    text = (flag or variable).strip() or option.default
    return option.read(text) if text else ""


def _together(values: dict[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Fill in what follows from other settings; return what does not fit together."""
    errors = []
    if "roots" in values and not values["roots"]:
        errors.append("--root: name at least one folder whose files are to be tracked")
    host = values.get("host", "")
    if not (values.get("allow_anonymous", True) or _is_loopback(host)):
        errors.append(
            f"--host: {host} can be reached from other machines, and nobody would be asked who"
            " he is: listen at 127.0.0.1, or give --allow-anonymous on behind a proxy that asks"
        )
    if "database" in values:
        values["flags_file"] = os.path.abspath(
            values["flags_file"]
            or environ.get("OBBY_FLAGS_FILE", "").strip()
            or f"{values['database']}.flags"
        )
    return errors


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
