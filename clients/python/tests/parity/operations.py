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

__all__ = ["CHANGES", "HUB", "TRACKER", "Operation"]


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
        lambda corpus: [-1, 1 << 40, 1],  # in between, sizes decide, and those of diffs differ
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


def _publications(corpus: Corpus) -> list[dict[str, Any]]:
    """Give publications good and bad; more good ones than the hubs keep."""
    good = [
        {"topic": f"notes.{n % 3}.{n % 5}", "data": f"event {n}\r\nof {n}\r", "event_type": kind}
        for n in range(45)
        for kind in ("", "created", "a.b_c-D")
    ]
    data = ["", "\n", " x", ":", "id: 1\nevent: x", "\ufeff\u2028\x00", b"\xff", b"\xed\xa0\x80"]
    topics = ["", "*", "a.*", "a.>", "x" * 256, "a b", "a\u200bb", "a\nb", ".".join("a" * 33)]
    types = ["open", "error", "reset", "hub.x", "a b", "x" * 65, "\u00e9", "a\rb", "message"]
    return [
        *good,
        *({"topic": "t", "data": one} for one in data),
        *({"topic": one, "data": "x"} for one in [*topics, "a..b", ".", "\u00e9", "x" * 255]),
        *({"topic": "t", "data": "x", "event_type": one} for one in types),
        *({"topic": t, "data": t, "idempotency_key": k} for k in "kkl" for t in ("t", "u", "t")),
        {"topic": "t", "data": "x", "idempotency_key": "x" * 256},
        {"topic": "t", "data": "x" * (1 << 20)},
        {"topic": "t", "data": "x" * ((1 << 20) + 1)},
        {"topic": "t", "data": "\n" * 200_000},
    ]


def _subscriptions(corpus: Corpus) -> list[dict[str, Any]]:
    """Give requests; `last` is the number of an id of the hub's own, from its end where below 0."""
    patterns = ["notes.*.1", "notes.>", ">", "t", "*", "nothing", "notes.1.*"]
    bad: list[Any] = [[], "", "a.>.b", "a*", "x" * 256, [f"t{n}" for n in range(101)]]
    return [
        *({"topics": [one, "end"], "last_count": n} for one in patterns for n in (0, 1, 3, 20)),
        {"topics": [*patterns, "end", "end"], "last_count": 39},
        *({"topics": [">"], "last": n} for n in (0, 1, -1, -5, -39, 999)),
        *({"topics": [">"], "last_event_id": one} for one in ("x", "x-1", "\u00e9", "9" * 200)),
        {"topics": [">"], "last": 1, "last_count": 3},
        *({"topics": one} for one in bad),
        *({"topics": "t", "last_count": one} for one in (-1, 1001)),
        {"topics": "t", "client_id": "x" * 129},
    ]


def _subscribed(side: Side, wanted: dict[str, Any]) -> list[Any]:
    """Return what a subscription gives, up to an event that is published when it stands."""
    wanted = dict(wanted)
    if (last := wanted.pop("last", None)) is not None:
        newest = side.hub.publish("elsewhere", "x").event_id
        epoch, _, number = newest.partition("-")
        wanted["last_event_id"] = f"{epoch}-{last if last >= 0 else int(number) + last}"
    found = []
    with side.hub.subscribe(**wanted) as stream:
        stream.connect()
        end = side.hub.publish("end", "of what was there").event_id
        while (item := next(stream)).event_id != end:
            found.append(item)
    return found


HUB = [
    Operation("hub.publish", _publications, lambda side, p: side.hub.publish(**p)),
    Operation("hub.subscribe", _subscriptions, _subscribed),
]
