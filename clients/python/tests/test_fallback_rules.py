"""The rules that both sides must agree on: patterns, times, paths, edit scripts."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from obby_clients.fallback import _paths, _patterns, _times
from obby_clients.fallback._content import given
from obby_clients.fallback._diff import between
from obby_clients.fallback._script import split_lines, staying

from .parity.compare import applied
from .processes import REPOSITORY

TABLE = REPOSITORY / "internal/pathrule/testdata/fnmatch.txt"


def quoted_rows() -> list[tuple[str, bool, str, str]]:
    rows = []
    for line in TABLE.read_text("utf-8").splitlines():
        number, answer, pattern, name = line.split("\t")
        rows.append((number, answer == "yes", pattern, name))
    return rows


def test_patterns_mean_what_fnmatch_says() -> None:
    """Watcher cases 54 to 63: the services' own table."""
    rows = quoted_rows()
    assert len(rows) > 1_600
    for number, expected, pattern, name in rows:
        p, n = (_as_path(text) for text in (pattern, name))
        assert bool(_patterns._compiled(p)(n)) == expected, f"case {number}: {pattern} {name}"


def _as_path(text: str) -> str:
    inner = text.encode()[1:-1]
    out, at = bytearray(), 0
    simple = {b"n": b"\n", b"t": b"\t", b"\\": b"\\", b'"': b'"', b"a": b"\a", b"r": b"\r"}
    while at < len(inner):
        if inner[at : at + 1] != b"\\":
            out += inner[at : at + 1]
            at += 1
            continue
        kind = inner[at + 1 : at + 2]
        width = {b"x": 2, b"u": 4, b"U": 8}.get(kind, 0)
        digits = inner[at + 2 : at + 2 + width]
        if kind == b"x":
            out += bytes([int(digits, 16)])
        elif width:
            out += chr(int(digits, 16)).encode()
        else:
            out += simple[kind]
        at += 2 + width
    return os.fsdecode(bytes(out))


def test_which_files_count() -> None:
    """Watcher cases 64 to 68."""
    made = _patterns.Patterns(
        ["*.md", "  docs/*.txt \r", "notes/", "# no", "", "*.md", "/abs", "a\0b"],
        ["draft*", "notes/private"],
    )
    assert made.watch == ["*.md", "docs/*.txt", "notes/"]
    assert len(made.problems) == 2
    watched = ["a.md", "x/y/b.md", "docs/a.txt", "docs/x/a.txt", "notes/x", "notes/y/z.bin"]
    others = ["a.txt", "x/docs/a.txt", "draft.md", "drafts/a.md", "notes/private/a.md", "x/notes/a"]
    assert [made.match(rel) for rel in watched + others] == [True] * 6 + [False] * 6
    assert made.descend("notes")
    assert not made.descend("drafts/x")
    empty = _patterns.Patterns([], ["*"])
    assert (empty.match("a"), empty.why[:17]) == (False, "no watch patterns")


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        ("2024-05-06 07:08:09.123456", 1714979289123456),
        ("2024-05-06T07:08:09", 1714979289000000),
        ("2024-05-06 07:08", 1714979280000000),
        ("2024-05-06", 1714953600000000),
        ("2024-05-06T07:08:09.1234567Z", 1714979289123456),
        ("2024-05-06 07:08:09+02:00", 1714972089000000),
        ("2024-05-06 07:08:09-0330", 1714991889000000),
        ("2024-05-06 07:08:09+02", 1714972089000000),
        ("2024-05-06 07:08:09 Z", 1714979289000000),
        (1714979289, 1714979289000000),
        (1714979289.25, 1714979289250000),
        (1714979289123, 1714979289123000),
        ("1714979289", 1714979289000000),
        *((none, None) for none in ("", "today", "2024-02-30", "2024-05-06 24:00", 1e30, None)),
        *((none, None) for none in ("1_0", "nan", "\u0661", float("nan"), b"\xff")),
    ],
)
def test_times(stored: object, expected: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    try:
        assert _times.parse_time(stored) == expected
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_are_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert _times.format_time(1714979289000001) == "2024-05-06 12:38:09.000001"
        assert _times.parse_time("2024-05-06 12:38:09.000001") == 1714979289000001
    finally:
        monkeypatch.undo()
        time.tzset()


def test_paths() -> None:
    """Tracker case 31: every path has a text of its own, and comes back from it."""
    chance = random.Random(1)
    parts = [b"a", b"/", b"\xff", b"\xc3", b"\xa9"]
    parts += [b"\xee\xbe\x80", b"\xee\xbf\xbf", b"\xed\xa0\x80"]
    drawn = (b"".join(chance.choices(parts, k=chance.randint(1, 9))) for _ in range(3000))
    paths = set(map(os.fsdecode, drawn))
    texts = set()
    for path in paths:
        text = _paths.encode(path)
        text.encode()
        assert _paths.decode(text) == path
        texts.add(text)
    assert len(texts) == len(paths)


@pytest.mark.parametrize("size", [0, 1, 5, 40, 400])
def test_scripts_are_the_shortest(size: int) -> None:
    """As many lines stay as in any common subsequence, and the diff applies."""
    chance = random.Random(size)
    for lines in ("ab", "abcde", "abcdefghijklmnopqrstuvwxyz"):
        a, b = (chance.choices(lines, k=chance.randint(0, size)) for _ in "ab")
        left, right = ("".join(f"{line}\n" for line in side).encode() for side in (a, b))
        stay = staying(split_lines(left), split_lines(right))
        kept = [j for j in stay if j >= 0]
        assert kept == sorted(set(kept))
        assert len(kept) == longest(a, b)
        diff = between(("f", "f"), given(left), given(right), 3, 1 << 20)
        assert applied(left, diff.text) == right
        assert diff.added - diff.removed == len(b) - len(a)


def longest(a: list[str], b: list[str]) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        before = 0
        for j, y in enumerate(b):
            before, row[j + 1] = row[j + 1], before + 1 if x == y else max(row[j], row[j + 1])
    return row[-1]


def test_large_scripts() -> None:
    """Tracker cases 21, 23 and 24: right, and done, whatever the input."""
    chance = random.Random(3)
    three = [b"abc\n"[n : n + 1] + b"\n" for n in range(3)]
    numbers = [b"%d\n" % n for n in range(6_000)]
    inputs = [
        (b"x\n" * 80_000, b"y\n" * 2 + b"x\n" * 40_000),
        (b"".join(chance.choices(three, k=3_000)), b"".join(chance.choices(three, k=3_000))),
        (b"".join(numbers), b"".join(chance.sample(numbers, len(numbers)))),
    ]
    for a, b in inputs:
        diff = between(("f", "f"), given(a), given(b), 3, 64 << 20)
        assert applied(a, diff.text) == b
    first = between(("f", "f"), given(inputs[0][0]), given(inputs[0][1]), 3, 64 << 20)
    assert (first.added, first.removed) == (2, 40_000)


def test_patch_takes_the_diffs(tmp_path: Path) -> None:
    """The diffs are those of `git apply`, names in need of quotes too."""
    old, new = b"a\nb\nc\n--- x\n", b"a\nB\nc\n+++ y"
    for name in ("plain.md", "a b.md", 'q"uote.md', "caf\u00e9.md", "tab\t.md"):
        (tmp_path / name).write_bytes(old)
        diff = between((name, name), given(old), given(new), 3, 1 << 20)
        subprocess.run(
            ["git", "apply", "--verbose"],
            cwd=tmp_path,
            input=diff.text,
            check=True,
            capture_output=True,
        )
        assert (tmp_path / name).read_bytes() == new
