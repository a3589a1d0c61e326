"""The kill switch in the flags file: it counts wherever a line names it.

Somebody who writes one in an emergency means it, be it after `export`, without a value,
in lower case, twice, or behind a last line that had no end. A line counts as on unless
it clearly says off; a comment does not count, unless the switch was appended to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from .parse import boolean, trimmed
from .variables import KILL_SWITCHES

__all__ = ["kills", "without"]

_NAMES = "|".join(sorted(KILL_SWITCHES, key=len, reverse=True))
_NAMED = re.compile(rf"({_NAMES})(?!\w)(.*)", re.IGNORECASE | re.DOTALL)
_APPENDED = re.compile(rf"(?<=[\w.!?)])({_NAMES})(\s*=\s*\S+\s*)\Z", re.IGNORECASE)


def kills(text: str) -> dict[str, str]:
    """Return the kill switches that a text turns on, whatever else is wrong with it."""
    found = {}
    for line in text.splitlines():
        match = _match(line)
        if match is not None and (word := _word(match[2])) is not None:
            found[match[1].upper()] = word
    return found


def without(line: str, names: Collection[str]) -> str:
    """Return a line of the file, with its end, as it is without some variables.

    Empty where nothing is left; what a kill switch was appended to is left.
    """
    if line.partition("=")[0].strip() in names:
        return ""
    match = _match(line)
    if match is None or match[1].upper() not in names or _word(match[2]) is None:
        return line
    head = line[: match.start()].strip()
    key, equals, _ = head.partition("=")
    whole = head.startswith("#") or (equals and key.strip().isidentifier())
    return f"{head}\n" if whole else ""


def _match(line: str) -> re.Match[str] | None:
    return (_APPENDED if line.lstrip().startswith("#") else _NAMED).search(line)


def _word(after: str) -> str | None:
    """Return what is written behind the name; None where that is off, or nothing after `=`."""
    said, equals, value = after.partition("=")
    if equals and not said.strip():
        word = trimmed(value)
    else:
        word = after.strip(" \t\r\n\f\v:") or "on"
    try:
        return word if word and boolean(word) else None
    except ValueError:
        return word
