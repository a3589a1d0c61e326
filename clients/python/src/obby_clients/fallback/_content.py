"""What a content is: its hash, its lines, its kind. One pass over the bytes tells it."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..tracker.values import LineEnding
from ..values import ContentKind

__all__ = [
    "BINARY",
    "ENDINGS",
    "KINDS",
    "LOSSY",
    "NO_STAT",
    "OMITTED",
    "TEXT",
    "Content",
    "Digest",
    "Stat",
    "digest",
    "given",
    "valid",
]

# The values of obby_versions.kind and obby_versions.eol.
TEXT, LOSSY, BINARY, OMITTED = "text", "lossy", "binary", "omitted"
KINDS = {
    TEXT: ContentKind.TEXT,
    LOSSY: ContentKind.LOSSY_TEXT,
    BINARY: ContentKind.BINARY,
    OMITTED: ContentKind.OMITTED,
}
ENDINGS = {
    "lf": LineEnding.LF,
    "crlf": LineEnding.CRLF,
    "cr": LineEnding.CR,
    "mixed": LineEnding.MIXED,
}

_SNIFF = 8000  # bytes that decide whether a content is binary: git's rule
_CHUNK = 1 << 20
_INVALID = re.compile("[\udc80-\udcff]+")


@dataclass(frozen=True, slots=True)
class Stat:
    """What identifies a state of a file without reading it; times in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int


NO_STAT = Stat(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Content:
    """A content as it was read."""

    hash: str
    """SHA-256 of the LF form of text; of the exact bytes of lossy text and binary."""
    kind: str
    """TEXT, LOSSY, BINARY or OMITTED."""
    eol: str
    """Line ends found: lf, crlf, cr, mixed or none."""
    line_count: int
    """Lines; 0 for binary."""
    size: int
    """Bytes read."""
    body: bytes | None
    """What is kept: the LF form, or the exact bytes; None: nothing is."""
    stat: Stat = NO_STAT
    """Of the file that was read."""


def valid(text: bytes) -> str:
    """Return bytes as text, with one U+FFFD for each run that is not UTF-8."""
    return _INVALID.sub("\ufffd", text.decode("utf-8", "surrogateescape"))


def given(body: bytes) -> Content:
    """Return the content of bytes in memory."""
    one = Digest(keep=True)
    one.add(body)
    return one.content()


def digest(read: Callable[[int], bytes], size: int, limit: int, *, keep: bool = True) -> Content:
    """Read a content of about `size` bytes to its end, in bounded memory.

    One over `limit` is hashed and not kept; its hash does not depend on the limit.
    """
    one = Digest(keep=keep and size <= limit)
    while piece := read(_CHUNK):
        one.add(piece)
    content = one.content()
    if max(size, content.size) > limit:
        content = replace(content, kind=OMITTED, body=None)
    return content


class Digest:
    """A content that is read piece by piece.

    Whether the LF form or the exact bytes count is known at the end only, so both
    are hashed: one byte that is no UTF-8 decides.
    """

    def __init__(self, *, keep: bool) -> None:
        self._keep, self._body = keep, bytearray()
        self._exact, self._normal = hashlib.sha256(), hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._binary = self._lossy = False
        self._size = self._lf = self._crlf = self._cr = 0
        self._held = b""  # a CR at the end of a piece, which may be half of a CRLF (case 1)
        self._last = b""

    def add(self, piece: bytes) -> None:
        """Take the next piece; the first has 8000 bytes, or is all."""
        if not piece:
            return
        if self._size == 0:
            self._binary = b"\0" in piece[:_SNIFF] or piece.startswith((b"\xff\xfe", b"\xfe\xff"))
        self._size += len(piece)
        self._last = piece[-1:]
        self._exact.update(piece)
        if self._keep:
            self._body += piece
        if not self._binary:
            self._look(piece)

    def _look(self, piece: bytes, *, final: bool = False) -> None:
        if not self._lossy:
            try:
                self._decoder.decode(piece, final)
            except UnicodeDecodeError:
                self._lossy = True
        text = self._held + piece
        self._held = b"\r" if text.endswith(b"\r") and not final else b""
        text = text[: len(text) - len(self._held)]
        pairs, line_feeds, returns = text.count(b"\r\n"), text.count(b"\n"), text.count(b"\r")
        self._crlf += pairs
        self._lf += line_feeds - pairs
        self._cr += returns - pairs
        self._normal.update(_normalised(text) if returns else text)

    def content(self) -> Content:
        """Return the content, once all of it was added."""
        if self._binary:
            return self._made(BINARY, "none", 0)
        self._look(b"", final=True)
        lines = self._lf + self._crlf
        if self._lossy:
            unended = self._last not in {b"", b"\n"}
            return self._made(LOSSY, self._ending(), lines + unended)
        unended = self._last not in {b"", b"\n", b"\r"}
        return self._made(TEXT, self._ending(), lines + self._cr + unended)

    def _made(self, kind: str, eol: str, lines: int) -> Content:
        body = bytes(self._body) if self._keep else None
        hashed = self._exact
        if kind == TEXT:
            hashed, body = self._normal, body and _normalised(body)
        return Content(hashed.hexdigest(), kind, eol, lines, self._size, body)

    def _ending(self) -> str:
        kinds = {"lf": self._lf, "crlf": self._crlf, "cr": self._cr}
        found = [name for name, count in kinds.items() if count]
        return "none" if not found else found[0] if len(found) == 1 else "mixed"


def _normalised(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
