"""`obby-flags`: what is set, why a call goes where it goes, and how to change it."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .admin import FlagsAdmin
from .decision import Reason
from .flags import Flags
from .parse import trimmed
from .show import explain, status
from .source import DamagedError
from .variables import Service

__all__ = ["main"]

_EPILOG = """\
Without --pid the environment of this shell counts, which may not be that of the
backend. exit codes: 0 done; 1 check found something; 2 wrong usage, or a name or
value that was refused; 3 the flags file or the process cannot be read or written,
or the file is damaged."""

_UNKNOWN = "running processes keep what they last read"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    options = _parser().parse_args(arguments)
    log = logging.getLogger("obby_clients")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what it would say, the command says
    try:
        environ = _environment(options)
        run: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.run
        return run(options, environ)
    except ValueError as error:
        print(f"obby-flags: {error}", file=sys.stderr)
        return 3 if isinstance(error, DamagedError) else 2
    except OSError as error:
        print(f"obby-flags: {error.filename or ''}: {error.strerror}", file=sys.stderr)
        return 3
    finally:
        log.setLevel(level)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument("--file", help="the flags file (default: OBBY_FLAGS_FILE)")
    common.add_argument("--pid", type=int, help="read the environment of this process (Linux)")
    parser = argparse.ArgumentParser(
        "obby-flags",
        description="Show and change whether calls go to the Go services or to Python.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, parents=[common], help=text, description=text)
        made.set_defaults(run=run)
        return made

    command("status", _status, "show what is set, where, and what is wrong with it")
    one = command("explain", _explain, "say where a call about a subject goes, and why")
    one.add_argument("service", metavar="SERVICE", help="watcher, tracker, query or sse-hub")
    one.add_argument("subject", nargs="?", help="a path, session id or client id")
    change = command("set", _set, "set variables in the flags file; NAME= takes one out")
    change.add_argument("values", nargs="+", metavar="NAME=VALUE")
    back = command("rollback", _rollback, "turn everything to Python, at once")
    back.add_argument("--off", action="store_true", help="take the rollback back")
    check = command("check", _check, "exit with 1 if a value is invalid")
    check.add_argument("--strict", action="store_true", help="also for a warning")
    return parser


def _environment(options: argparse.Namespace) -> Mapping[str, str]:
    environ = dict(os.environ)
    if options.pid is not None:
        raw = Path(f"/proc/{options.pid}/environ").read_bytes()
        pairs = (os.fsdecode(entry).partition("=") for entry in raw.split(b"\0") if entry)
        environ = {name: value for name, _, value in pairs}
        if file := trimmed(environ.get("OBBY_FLAGS_FILE")):  # it may be relative to its folder
            environ["OBBY_FLAGS_FILE"] = os.path.join(os.readlink(f"/proc/{options.pid}/cwd"), file)
    if options.file is not None:
        environ["OBBY_FLAGS_FILE"] = os.path.abspath(options.file)
    environ.pop("OBBY_FLAGS_STRICT", None)  # to show what is wrong, not to refuse
    return environ


def _status(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    shown = _shown(environ)
    print(json.dumps(shown, indent=2) if options.json else _status_text(shown))
    return 0


def _shown(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the status, without a guess at what running processes have last read."""
    shown = status(Flags(environ))
    if shown["file"]["error"] and not shown["kill_switch"]:
        for service in shown["services"].values():
            service.update(calls="unknown", reason=_UNKNOWN)
    return shown


def _explain(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    flags = Flags(environ)
    shown = explain(flags, Service.named(options.service), options.subject)
    if flags.overrides().error and shown["reason"] != Reason.KILL_SWITCH.value:
        shown.update(backend="unknown", reason=_UNKNOWN, because=flags.overrides().error)
        shown.update(openfeature_reason="ERROR", percentage=None)
    if options.json:
        print(json.dumps(shown, indent=2))
    else:
        print(f"{shown['service']}: {shown['backend'].upper()}  {shown['reason']}")
        print(f"  {shown['because']}")
    return 0


def _set(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    values: dict[str, str | None] = {}
    for pair in options.values:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair!r} is not NAME=VALUE")
        values[name.strip()] = value.strip() or None
    admin = _admin(environ)
    admin.set(values)
    return _changed(options, environ, admin)


def _rollback(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    admin = _admin(environ)
    admin.rollback(on=not options.off)
    return _changed(options, environ, admin)


def _check(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    problems = status(Flags(environ))["problems"]
    if options.json:
        print(json.dumps(problems, indent=2))
    else:
        print("\n".join(map(_problem_text, problems)) or "every value can be read")
    bad = [problem for problem in problems if problem["level"] == "error" or options.strict]
    return 1 if bad else 0


def _admin(environ: Mapping[str, str]) -> FlagsAdmin:
    path = trimmed(environ.get("OBBY_FLAGS_FILE"))
    if path is None:
        raise ValueError("no flags file: set OBBY_FLAGS_FILE or give --file (or --pid)")
    return FlagsAdmin(path)


def _changed(options: argparse.Namespace, environ: Mapping[str, str], admin: FlagsAdmin) -> int:
    shown = _shown(environ)
    followed = shown["kill_switch"] or not shown["file"]["error"]
    if options.json:
        print(json.dumps(shown, indent=2))
    else:
        effect = "processes that read it follow within a second" if followed else _UNKNOWN
        print(f"written: {admin.path}; {effect}")
        print(_status_text(shown))
    return 0 if followed else 3


def _status_text(shown: dict[str, Any]) -> str:
    killed = shown["kill_switch"]
    head = f"EMERGENCY ROLLBACK IS ON ({killed}): everything runs on Python" if killed else ""
    rows = [("SERVICE", "CALLS GO TO", "REASON", "PERCENT", "TARGET")]
    for name, service in shown["services"].items():
        rows.append(
            (name, service["calls"], service["reason"], service["percentage"], service["target"])
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    table = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    file = shown["file"]
    lines = [head, *table, f"flags file: {file['path'] or 'none (OBBY_FLAGS_FILE is not set)'}"]
    lines[-1] += " (does not exist: no overrides)" if file["missing"] else ""
    values = [v for v in shown["variables"] if v["state"] != "UNSET"]
    lines += [f"  {v['name']}={v['raw']}  ({v['source']}, {v['state']})" for v in values]
    lines += map(_problem_text, shown["problems"])
    return "\n".join(filter(None, lines))


def _problem_text(problem: dict[str, str]) -> str:
    return f"{problem['level'].upper()}: {problem['name']}: {problem['message']}"


if __name__ == "__main__":
    sys.exit(main())
