"""Paths as bytes, in text.

A path is a `str` as `os.fsdecode` gives it: bytes that are not UTF-8 are lone
surrogates. SQLite and JSON take no surrogates. In the database each such byte is
the private-use character U+EF00 plus the byte (U+EF80 to U+EFFF), and a character
of that range has its own bytes escaped likewise: no two paths share a text.
"""

from __future__ import annotations

import os
import re

from ..errors import InvalidArgumentError
from ..values import AnyPath

__all__ = ["below", "decode", "encode", "quote", "range_of", "shown", "text_of"]

_BASE = 0xEF00
_EXOTIC = re.compile("[\udc80-\udcff\uef80-\uefff]")
_LONE = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no byte
_ESCAPED = re.compile("[\uef80-\uefff]+")
_SURROGATES = re.compile("[\udc80-\udcff]+")


def text_of(path: AnyPath) -> str:
    """Return a path as `os.fsdecode` gives it."""
    text = os.fsdecode(path)
    if _LONE.search(text):
        raise InvalidArgumentError(f"path: {text!r} cannot be the path of a file")
    return text


def encode(path: str) -> str:
    """Return the text that stands for a path in a TEXT column."""
    if not _EXOTIC.search(path):
        return path
    return _EXOTIC.sub(lambda found: _escape(found.group()), path)


def _escape(char: str) -> str:
    return "".join(chr(_BASE + byte) for byte in char.encode("utf-8", "surrogateescape"))


def decode(text: str) -> str:
    """Return the path that `encode` made the text of."""
    if not _ESCAPED.search(text):
        return text
    raw = b"".join(
        bytes([ord(char) - _BASE]) if _ESCAPED.match(char) else char.encode() for char in text
    )
    return raw.decode("utf-8", "surrogateescape")


def shown(path: str) -> str:
    """Return a path to show: U+FFFD where its bytes are not UTF-8."""
    return _SURROGATES.sub("\ufffd", path)


def quote(path: str) -> str:
    """Return a path in quotes, for a message of one line."""
    chars = []
    for char in path:
        if char in '"\\':
            chars.append("\\" + char)
        elif "\udc80" <= char <= "\udcff":
            chars.append(f"\\x{ord(char) - 0xDC00:02x}")
        else:
            chars.append(char if char.isprintable() else repr(char)[1:-1])
    return f'"{"".join(chars)}"'


def below(directory: str, path: str) -> bool:
    """Tell whether a path is inside a directory."""
    if directory == "/":
        return path != "/"
    return len(path) > len(directory) + 1 and path.startswith(directory + "/")


def range_of(directory: str) -> tuple[str, str]:
    """Return the range of texts that are below a directory: '0' comes right after '/'."""
    directory = os.path.normpath(directory)
    return ("/", "0") if directory == "/" else (directory + "/", directory + "0")
