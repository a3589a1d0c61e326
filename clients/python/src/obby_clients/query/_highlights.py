"""From ranges in bytes, which the contract has, to ranges in Python's characters."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

from .._contract import query_pb2 as pb
from .._wire import decode
from .values import Highlight, MatchLine, SearchResult

__all__ = ["search_results"]

# What one character stands for in a message: a run of bytes that are not UTF-8,
# which os.fsdecode gives as surrogates and the message shows as U+FFFD, or itself.
_SHOWN = re.compile("([\udc80-\udcff]+)|.", re.DOTALL)
_REPLACEMENT_BYTES = 3


def search_results(page: pb.SearchContentResponse) -> Iterator[SearchResult]:
    """Read the results of a page."""
    for message in page.results:
        path = os.fsdecode(message.raw_path or message.path.encode())
        yield decode(
            SearchResult,
            message,
            highlights=_characters(message.snippet, message.highlights),
            lines=tuple(map(_line, message.lines)),
            path_highlights=_characters(path, message.path_highlights),
        )


def _line(message: pb.MatchLine) -> MatchLine:
    return decode(MatchLine, message, highlights=_characters(message.text, message.highlights))


def _characters(text: str, ranges: Sequence[pb.Highlight]) -> tuple[Highlight, ...]:
    if not ranges or text.isascii():
        return tuple(Highlight(range_.start, range_.end) for range_ in ranges)
    places, byte = {}, 0
    for shown in _SHOWN.finditer(text):
        places[byte] = shown.start()
        byte += _REPLACEMENT_BYTES if shown[1] else len(shown[0].encode())
    return tuple(
        Highlight(places.get(range_.start, len(text)), places.get(range_.end, len(text)))
        for range_ in ranges
    )
