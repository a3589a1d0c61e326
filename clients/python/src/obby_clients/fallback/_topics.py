"""Names of topics, and patterns of them.

A name has segments that are separated by dots. In a pattern `*` stands for one
segment, and `>` at the end for one or more. Names are compared as they are, so what
people cannot see is not allowed in them (hub cases 52, 53).
"""

from __future__ import annotations

import unicodedata

__all__ = ["check", "covers"]

_MAX_BYTES = 255
_MAX_SEGMENTS = 32


def check(name: str, *, pattern: bool) -> str:
    """Say why a name cannot be a topic's, or a pattern's where one is allowed; empty: it can."""
    if reason := _check_name(name):
        return reason
    if not {"*", ">"} & set(name):
        return ""
    if not pattern:
        return f"{name!r} has a wildcard; what is published has one exact topic"
    return _check_pattern(name)


def _check_name(name: str) -> str:
    if not name:
        return "is empty"
    size = len(name.encode("utf-8", "surrogateescape"))
    if size > _MAX_BYTES:
        return f"has {size} bytes; at most {_MAX_BYTES} are allowed"
    if any(map(_unseen, name)):
        return f"{name!r} has a space, a control character or a mark that cannot be seen"
    if name.count(".") >= _MAX_SEGMENTS:
        return f"{name!r} has more than {_MAX_SEGMENTS} segments"
    return ""


def _check_pattern(name: str) -> str:
    segments = name.split(".")
    if ">" in segments[:-1]:
        return f"{name!r} goes on behind '>', which stands for all the rest"
    for segment in segments:
        if segment not in {"*", ">"} and {"*", ">"} & set(segment):
            return (
                f"{name!r} has a wildcard that is not a whole segment: '*' stands for one, '>' for"
                " the rest"
            )
    return ""


def _unseen(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] == "Z" or category in {"Cc", "Cf", "Cs"} or char.isspace()


def covers(pattern: str, topic: str) -> bool:
    """Tell whether a pattern, or a plain name, matches a topic."""
    wanted, segments = pattern.split("."), topic.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(segments) <= len(wanted):
            return False
        segments = segments[: len(wanted)]
    return len(wanted) == len(segments) and all(
        want in {"*", segment} for want, segment in zip(wanted, segments, strict=True)
    )
