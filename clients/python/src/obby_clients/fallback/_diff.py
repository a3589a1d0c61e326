"""Unified diffs, as `patch` and `git apply` read them."""

from __future__ import annotations

from dataclasses import dataclass

from ._content import BINARY, OMITTED, Content
from ._script import split_lines, staying

__all__ = ["CONTEXT", "MAX_STORED", "NO_DIFF", "Diff", "Names", "between", "unified"]

CONTEXT = 3
"""Unchanged lines around each change of a stored diff."""
MAX_STORED = 8 << 20
"""Bytes of a stored diff's text; a longer one is left out: the contents are stored."""


@dataclass(frozen=True, slots=True)
class Diff:
    """The difference between two contents."""

    text: bytes = b""
    """Empty where nothing differs."""
    added: int = 0
    removed: int = 0
    truncated: bool = False
    """The text is left out for its size."""


NO_DIFF = Diff()

Names = tuple[str, str]
"""The names of both sides in a diff's header; empty for /dev/null."""


def between(names: Names, a: Content, b: Content, context: int, limit: int) -> Diff:
    """Return the diff of two contents, or the sentence that says why there is none."""
    if a.hash == b.hash and a.hash:
        return NO_DIFF
    if OMITTED in {a.kind, b.kind}:
        return _opaque(names, "Large files")
    if BINARY in {a.kind, b.kind}:
        return _opaque(names, "Binary files")
    return unified(names, (a.body or b"", b.body or b""), context, limit)


def unified(names: Names, bodies: tuple[bytes, bytes], context: int, limit: int) -> Diff:
    """Return the diff of two texts with LF line ends; without its text where that is too long."""
    a, b = bodies
    if a == b:
        return NO_DIFF
    lines = split_lines(a), split_lines(b)
    stay = staying(*lines)
    writer = _Writer(*lines, stay, limit)
    writer.put(_header(*names))
    for change in _changes(stay, len(lines[1]), context):
        writer.hunk(*change, context)
    if writer.over:
        text = _header(*names) + (
            b"# the diff is left out for its size; the two versions are stored\n"
        )
        return Diff(text, writer.added, writer.removed, True)
    return Diff(b"".join(writer.text), writer.added, writer.removed)


def _opaque(names: Names, sentence: str) -> Diff:
    quoted = (_quoted("a/", names[0]).rstrip(b"\t"), _quoted("b/", names[1]).rstrip(b"\t"))
    return Diff(sentence.encode() + b" " + b" and ".join(quoted) + b" differ\n")


def _header(old: str, new: str) -> bytes:
    return b"--- " + _quoted("a/", old) + b"\n+++ " + _quoted("b/", new) + b"\n"


_C_QUOTES = {0x0A: b"\\n", 0x09: b"\\t", 0x22: b'\\"', 0x5C: b"\\\\"}


def _quoted(prefix: str, name: str) -> bytes:
    """Return a name as git writes it: in C quotes where a header cannot hold it (case 31)."""
    if not name:
        return b"/dev/null"
    raw = (prefix + name).encode("utf-8", "surrogateescape")
    if all(0x20 <= byte <= 0x7E and byte not in _C_QUOTES for byte in raw):
        # patch ends the name at a tab, not at a blank
        return raw + b"\t" if b" " in raw else raw
    out = bytearray(b'"')
    for byte in raw:
        if byte in _C_QUOTES:
            out += _C_QUOTES[byte]
        else:
            out += bytes([byte]) if 0x20 <= byte <= 0x7E else b"\\%03o" % byte
    return bytes(out + b'"')


_Span = tuple[int, int]


def _changes(stay: list[int], end_b: int, context: int) -> list[tuple[_Span, _Span]]:
    """Return the changed spans of both sides, joined where their contexts touch."""
    found: list[tuple[_Span, _Span]] = []
    i = j = 0
    while i < len(stay) or j < end_b:
        if i < len(stay) and stay[i] == j:
            i, j = i + 1, j + 1
            continue
        from_a, from_b = i, j
        while i < len(stay) and stay[i] < 0:
            i += 1
        j = stay[i] if i < len(stay) else end_b
        if found and from_a - found[-1][0][1] <= 2 * context:
            (from_a, _), (from_b, _) = found.pop()
        found.append(((from_a, i), (from_b, j)))
    return found


class _Writer:
    """Writes hunks and counts what they change, from the edit script alone (case 26)."""

    def __init__(self, a: list[bytes], b: list[bytes], stay: list[int], limit: int) -> None:
        self._a, self._b, self._stay, self._limit = a, b, stay, limit
        self.text: list[bytes] = []
        self._size = 0
        self.over = False
        self.added = self.removed = 0

    def put(self, text: bytes) -> None:
        """Write what no limit holds back."""
        self.text.append(text)
        self._size += len(text)

    def hunk(self, a: _Span, b: _Span, context: int) -> None:
        """Write a change with the lines around it."""
        before, after = min(context, a[0]), min(context, len(self._a) - a[1])
        i, j, end_a, end_b = a[0] - before, b[0] - before, a[1] + after, b[1] + after
        self.put(b"@@ -%s +%s @@\n" % (_range(i, end_a), _range(j, end_b)))
        while i < end_a or j < end_b:
            while i < end_a and self._stay[i] < 0:
                self._line(b"-", self._a[i])
                self.removed, i = self.removed + 1, i + 1
            stop = self._stay[i] if i < end_a else end_b
            for line in self._b[j:stop]:
                self._line(b"+", line)
            self.added, j = self.added + stop - j, stop
            if i < end_a:
                self._line(b" ", self._a[i])
                i, j = i + 1, j + 1

    def _line(self, sign: bytes, line: bytes) -> None:
        self.over = self.over or self._size + len(line) + 1 > self._limit
        if not self.over:
            self.put(sign + line)
            if not line.endswith(b"\n"):
                self.put(b"\n\\ No newline at end of file\n")


def _range(start: int, end: int) -> bytes:
    """Write a range as diff does: from line 1, an empty one by the line before it."""
    if end - start == 1:
        return b"%d" % (start + 1)
    return b"%d,%d" % (start + (end > start), end - start)
