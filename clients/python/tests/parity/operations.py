"""Every operation that changes nothing: one entry each.

An entry names an operation, gives what it is asked for, and asks one side. To add one
is to add an entry; a file of entries for another service is added in `run`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from obby_clients.tracker import RetentionRule

from .corpus import Corpus
from .world import Side

__all__ = ["CHANGES", "TRACKER", "Operation"]


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


def _versions(side: Side) -> list[int]:
    """Return some versions of one side: the same contents of the same paths on both."""
    with closing(sqlite3.connect(side.database)) as connection:
        rows = connection.execute(
            "SELECT id FROM file_versions WHERE file_path NOT LIKE '%restored%'"
            " ORDER BY file_path, content_hash"
        )
        return [number for (number,) in rows][::97]


def _rules(corpus: Corpus) -> list[list[RetentionRule]]:
    return [
        [],
        [RetentionRule("*.py", last=-1)],
        [RetentionRule("*.py")],
        [RetentionRule("/abs", last=1)],
        [RetentionRule("*.go", last=1), RetentionRule("*.py", last=2, daily=3)],
        [RetentionRule("*", last=3, hourly=1, weekly=1, monthly=2)],
    ]


def _label(side: Side, number: int) -> object:
    version = ([0, *_versions(side)])[number]
    return side.tracker.set_version_label(
        version, f"label {number}" if number % 3 else "", pinned=bool(number % 2)
    )


# What changes the history and not the disk, in this order.
CHANGES = [
    Operation("tracker.set_version_label", lambda corpus: range(12), _label),
    Operation(
        "tracker.set_version_label, errors",
        lambda corpus: ["x" * 201],
        lambda side, label: side.tracker.set_version_label(1, label),
    ),
    Operation(
        "tracker.apply_retention, dry",
        _rules,
        lambda side, rules: side.tracker.apply_retention(rules, dry_run=True),
    ),
    Operation(
        "tracker.apply_retention",
        _rules,
        lambda side, rules: side.tracker.apply_retention(rules),
    ),
    Operation(
        "tracker.apply_retention, bytes",
        lambda corpus: [-1, 1 << 40, 6_000_000, 1],
        lambda side, most: side.tracker.apply_retention(max_bytes=most),
    ),
    Operation(
        "tracker.forget, dry",
        lambda corpus: [*corpus.files[::40], corpus.root / "d1", "", "relative", "/nowhere"],
        lambda side, path: side.tracker.forget(path, recursive=True, dry_run=True),
    ),
    Operation(
        "tracker.forget",
        lambda corpus: [*corpus.files[::40], corpus.root / "d1", corpus.root / "d2"],
        lambda side, path: side.tracker.forget(path, recursive="/d2" in str(path)),
    ),
    Operation(
        "tracker.forget, vacuum",
        lambda corpus: [corpus.root / "d3"],
        lambda side, path: side.tracker.forget(path, recursive=True, vacuum=True),
    ),
]
