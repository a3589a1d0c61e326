"""What a result shows of its file: a part of it, and the first lines that match.

Lengths and places are in bytes of UTF-8, as the contract counts them; what is given out
is in characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ...query.values import Highlight, MatchLine
from .._paths import shown
from .sought import Sought
from .terms import IN_CONTENT, IN_PATH, Span

__all__ = ["Shown", "show"]

_SHOWN = re.compile("[\udc80-\udcff]+|.", re.DOTALL)
_SNIPPET = 200  # bytes of a snippet
_LINE = 1000  # bytes of a line
_LEAD = 60  # bytes of either before the first match, where it is cut


@dataclass(frozen=True, slots=True)
class Shown:
    """What a result shows."""

    snippet: str
    """Empty where only the path matches."""
    highlights: tuple[Highlight, ...]
    lines: tuple[MatchLine, ...]
    path_highlights: tuple[Highlight, ...]


def show(sought: Sought, path: str, content: str, lines: int, around: int) -> Shown:
    """Return where the sought text stands in a path and in the first lines of a content."""
    # A run of bytes that are not UTF-8 is one character of the path that is searched.
    places = [found.start() for found in _SHOWN.finditer(path)] + [len(path)]
    in_path = tuple(
        Highlight(places[start], places[end])
        for start, end in _merged(sought.spans(shown(path), IN_PATH))
    )
    data = content.encode()
    spans = _spans(sought, content, data, lines)
    if not spans:
        return Shown("", (), (), in_path)
    snippet, highlights, _ = _cut(data, spans, (0, len(data)), _SNIPPET)
    matching = _match_lines(data, spans, lines, around)
    return Shown(snippet, highlights, tuple(matching), in_path)


def _spans(sought: Sought, content: str, data: bytes, lines: int) -> list[Span]:
    """Return, in bytes, at least all spans that a snippet and the first lines need."""
    found: list[Span] = []
    behind = 0  # the end of the last line that matches
    for start, end in _in_bytes(content, data, sought.spans(content, IN_CONTENT)):
        if start >= behind:
            if lines == 0 and start > found[0][0] + _SNIPPET:
                break
            lines = max(0, lines - 1)
            behind = _line_end(data, end) + 1
        found.append((start, end))
    return _merged(found)


def _in_bytes(text: str, data: bytes, spans: Iterable[Span]) -> Iterator[Span]:
    if len(text) == len(data):
        yield from spans
        return
    character = byte = 0
    for start, end in spans:
        # Ends grow; a start may lie before the end of the span before it.
        byte += len(text[character:end].encode())
        character = end
        yield byte - len(text[start:end].encode()), byte


def _merged(spans: Iterable[Span]) -> list[Span]:
    """Put spans in order and make one of those that overlap."""
    merged: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _cut(
    data: bytes, spans: list[Span], part: Span, limit: int
) -> tuple[str, tuple[Highlight, ...], bool]:
    """Return a part of a text, of a longer one what is around its first match.

    With where the spans stand in it, in characters, and whether something is left out.
    """
    spans = [(start, end) for start, end in spans if end > part[0] and start < part[1]]
    first = max(part[0], spans[0][0]) if spans else part[0]
    start = max(part[0], min(first - _LEAD, part[1] - limit))
    end = min(part[1], start + limit)
    while start < end and _inside(data, start):
        start += 1
    while start < end < len(data) and _inside(data, end):
        end -= 1
    text = data[start:end]

    def character(byte: int) -> int:
        return len(text[: min(max(byte, start), end) - start].decode(errors="ignore"))

    highlights = (Highlight(character(a), character(b)) for a, b in spans)
    kept = tuple(highlight for highlight in highlights if highlight.start < highlight.end)
    return text.decode(), kept, len(text) < part[1] - part[0]


def _inside(data: bytes, at: int) -> bool:
    """Tell whether a byte is inside of a character."""
    return data[at] & 0xC0 == 0x80


def _line_end(data: bytes, at: int) -> int:
    """Return where the line ends that a byte belongs to: at its LF, or at the end."""
    end = data.find(b"\n", at)
    return len(data) if end < 0 else end


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    number: int

    def after(self, data: bytes) -> _Line | None:
        """Return the next line; the end of the last line begins none."""
        start = self.end + 1
        if start >= len(data):
            return None
        return _Line(start, _line_end(data, start), self.number + 1)

    def before(self, data: bytes) -> _Line | None:
        if self.start == 0:
            return None
        start = data.rfind(b"\n", 0, self.start - 1) + 1
        return _Line(start, self.start - 1, self.number - 1)


def _match_lines(data: bytes, spans: list[Span], limit: int, around: int) -> list[MatchLine]:
    """Return the first lines that match, at most `limit`, with the lines around them."""
    chosen = {line.number: line for line in _lines_of(data, spans, limit)}
    for line in list(chosen.values()):
        before, after = line, line
        for _ in range(around):
            if (previous := before.before(data)) is not None:
                before = previous
                chosen.setdefault(before.number, before)
            if (following := after.after(data)) is not None:
                after = following
                chosen.setdefault(after.number, after)
    return [_shown(data, spans, chosen[number]) for number in sorted(chosen)]


def _shown(data: bytes, spans: list[Span], line: _Line) -> MatchLine:
    text, highlights, truncated = _cut(data, spans, (line.start, line.end), _LINE)
    return MatchLine(line.number, text, highlights, truncated)


def _lines_of(data: bytes, spans: list[Span], limit: int) -> list[_Line]:
    """Return the first lines that spans touch, each once."""
    found: dict[int, _Line] = {}
    at = _Line(0, _line_end(data, 0), 1)
    for start, end in spans:
        if start > at.end:
            begin = data.rfind(b"\n", 0, start) + 1
            number = at.number + data.count(b"\n", at.start, begin)
            at = _Line(begin, _line_end(data, start), number)
        while True:
            if at.number not in found and len(found) == limit:
                return list(found.values())
            found[at.number] = at
            following = at.after(data)
            if following is None or following.start >= end:
                break
            at = following
    return list(found.values())
