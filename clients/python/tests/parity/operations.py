"""Every operation that changes nothing: one entry each.

An entry names an operation, gives what it is asked for, and asks one side. To add one
is to add an entry; a file of entries for another service is added in `run`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from .corpus import Corpus
from .world import Side

__all__ = ["TRACKER", "Operation"]


@dataclass(frozen=True)
class Operation:
    """One operation of a service."""

    name: str
    arguments: Callable[[Corpus], Iterable[Any]]
    call: Callable[[Side, Any], Any]


def _contents(corpus: Corpus) -> list[bytes]:
    ends = [
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\r\n",
        b"\n\r",
        b"a\r",
        b"a\r\nb",
        b"",
        b"\0",
        b"\xef\xbb\xbf",
    ]
    return [*ends, *(path.read_bytes() for path in corpus.files[::3])]


def _pairs(corpus: Corpus) -> list[tuple[bytes, bytes]]:
    """Give texts, each with an edited one."""
    marks = b"--- a\n+++ b\n@@ -1 +1 @@\n\\ No newline\n+x\n-y\n"
    made = [(text, corpus.edited(text)) for text in _contents(corpus)]
    made += [(b"x\n" * 80_000, b"x\n" * 40_000 + b"y\n" * 2)]  # case 23
    whole = [b"line %d\n" % n for n in range(100_000)]
    half = [b"other %d\n" % n if n % 2 else line for n, line in enumerate(whole)]
    made += [(b"".join(whole), b"".join(half)), (marks, marks + marks), (marks, b"")]
    return [*made, (b"a", b"a\n"), (b"a\n", b"b\n"), (b"", b"x"), (b"a\0", b"b\0")]


TRACKER = [
    Operation(
        "tracker.content_hash",
        lambda corpus: [*corpus.files, corpus.root, "/etc/hostname", "relative", "", "/nowhere/x"],
        lambda side, path: side.tracker.content_hash(path),
    ),
    Operation(
        "tracker.content_hash of bytes",
        _contents,
        lambda side, content: side.tracker.content_hash(content=content),
    ),
    Operation(
        "tracker.generate_diff",
        _pairs,
        lambda side, pair: side.tracker.generate_diff(*pair, timeout=60.0),
    ),
    Operation(
        "tracker.generate_diff, context",
        lambda corpus: [0, 1, 7, 1000, 1001, -1],
        lambda side, lines: side.tracker.generate_diff(
            b"".join(b"%d\n" % n for n in range(50)),
            b"".join(b"%d\n" % n for n in range(50) if n % 9),
            context_lines=lines,
            path='a "b" c.md',
        ),
    ),
    Operation(
        "tracker.generate_diff of versions",
        lambda corpus: [(1, 99_999_999), (99_999_998, b"x"), (0, b"x")],
        lambda side, pair: side.tracker.generate_diff(*pair),
    ),
]
