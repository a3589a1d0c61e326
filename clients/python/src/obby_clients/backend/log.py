"""The form of the log on standard error."""

from __future__ import annotations

import json
import logging
import sys
from datetime import datetime, timezone

__all__ = ["configure"]

# What every record has; the rest was given with `extra=` and is worth showing.
_USUAL = {*vars(logging.makeLogRecord({})), "message", "asctime", "color_message", "taskName"}
_QUIET = ("uvicorn.access",)


def configure(level: str, form: str, *, workers: int = 1) -> None:
    """Log everything of at least a level, as `text` or `json`, and nothing twice.

    Of several workers each line of text tells which process wrote it.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json() if form == "json" else _Text(pid=workers > 1))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", *_QUIET):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    for name in _QUIET:
        logging.getLogger(name).setLevel("INFO" if level == "debug" else "WARNING")


class _Text(logging.Formatter):
    """`2026-01-31 12:00:00.000 INFO  backend[pid]: sentence key=value`."""

    def __init__(self, *, pid: bool) -> None:
        super().__init__()
        self._pid = pid

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created).isoformat(" ", "milliseconds")
        name = record.name.removeprefix("obby_clients.")
        name += f"[{record.process}]" if self._pid else ""
        line = f"{when} {record.levelname:<7} {name}: {record.getMessage()}"
        line += "".join(f" {key}={value}" for key, value in _extras(record).items())
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "msg": record.getMessage(),
            "pid": record.process,
            **_extras(record),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry, default=str)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {key: value for key, value in vars(record).items() if key not in _USUAL}
