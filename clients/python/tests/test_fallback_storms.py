"""What the watcher in Python does for each of many changes does not grow with their number.

Counted are the lines that its code runs: four times as many files take about four times
as many. Where each change costs as much as there are files, it is sixteen times. With
OBBY_STORM=1000 it is 1,000 and 4,000 files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from obby_clients import fallback
from obby_clients.fallback._journal import Journal
from obby_clients.fallback._patterns import Patterns
from obby_clients.fallback._settling import Root, Settler
from obby_clients.fallback._starting import directory_at
from obby_clients.fallback._tree import Tree
from obby_clients.watcher import ChangeType, WatchMethod

CODE = str(Path(fallback.__file__).parent)
FEW = int(os.environ.get("OBBY_STORM", "100"))
Did = tuple[str, bool]
"""A path that something was done to, and whether something was moved there."""


class Storm:
    """A root whose changes are noticed as soon as they are told; there is no thread."""

    def __init__(self, folder: Path, count: int, delay: float) -> None:
        self.folder, self.names = folder, [f"{n:06}" for n in range(count)]
        self.journal = Journal(1_000_000)
        self.settler = Settler(self.journal)
        self.tree = Tree(str(folder), str(folder), delay)
        self.lines = 0

    def watch(self) -> None:
        self.tree.top = directory_at(str(self.folder))
        self.tree.patterns = self.tree.from_files = Patterns(("*",), ())
        self.tree.scan(silent=True)
        self.settler.roots.append(Root(self.tree, WatchMethod.NOTIFY))

    def run(self, doing: Iterator[Did], *, at_once: bool) -> None:
        """Count what noticing takes, after each thing that is done or after all."""
        for rel, moved in doing:
            self.count(self.tree.dirty.touch, rel, moved=moved)
            if not at_once:
                self.count(self.turn)
        self.count(self.settler.settle, everything=True)

    def turn(self) -> None:
        """Do what the thread of the watcher does when it is woken."""
        self.settler.settle(everything=False)
        self.settler.next_due()

    def count(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        sys.settrace(self.trace)
        try:
            work(*args, **kwargs)
        finally:
            sys.settrace(None)

    def trace(self, frame: FrameType, event: str, _: object) -> Any:
        if not frame.f_code.co_filename.startswith(CODE):
            return None
        self.lines += event == "line"
        return self.trace

    def told(self) -> list[ChangeType]:
        return [one.event.change_type for one in self.journal._events if one is not None]


def rename(storm: Storm) -> Iterator[Did]:
    for name in reversed(storm.names):
        (storm.folder / name).rename(storm.folder / f"{name}.new")
        yield name, False
        yield f"{name}.new", True


def replace(storm: Storm) -> Iterator[Did]:
    """Save each file as editors do, and delete another one."""
    for name in storm.names[::2]:  # first, for the number of a deleted file is given anew
        (storm.folder / f"{name}.new").write_text(name)
    for name in storm.names[::2]:
        (storm.folder / f"{name}.new").replace(storm.folder / name)
        yield name, True
        other = f"{int(name) + 1:06}"
        (storm.folder / other).unlink()
        yield other, False


def fill(storm: Storm) -> Iterator[Did]:
    """Delete files and make folders, each with a file."""
    for name in storm.names:
        (storm.folder / name).unlink()
        yield name, False
        made = storm.folder / f"in-{name}"
        made.mkdir()
        (made / "file").touch()
        yield made.name, False


def files(storm: Storm) -> None:
    for name in storm.names:
        (storm.folder / name).write_text(name)


def folders(storm: Storm) -> None:
    for name in storm.names:
        (storm.folder / name).mkdir()
        (storm.folder / name / "file").write_text(name)


@pytest.mark.parametrize("delay", [0.0, 3600.0], ids=["rests at once", "rests later"])
@pytest.mark.parametrize("at_once", [False, True], ids=["one by one", "all at once"])
@pytest.mark.parametrize(
    ("before", "doing", "expected"),
    [
        (files, rename, {ChangeType.RENAMED: 1.0}),
        (files, replace, {ChangeType.MODIFIED: 0.5, ChangeType.DELETED: 0.5}),
        (files, fill, {ChangeType.DELETED: 1.0, ChangeType.CREATED: 1.0}),
        (folders, rename, {ChangeType.RENAMED: 1.0}),
    ],
    ids=["rename", "replace", "fill", "rename folders"],
)
def test_four_times_as_many_take_four_times_as_much(  # noqa: PLR0917 (parameters)
    tmp_path: Path, before: Any, doing: Any, expected: Any, at_once: bool, delay: float
) -> None:
    lines = []
    for count in (FEW, 4 * FEW):
        folder = tmp_path / str(count)
        folder.mkdir()
        storm = Storm(folder, count, delay)
        before(storm)
        storm.watch()
        storm.run(doing(storm), at_once=at_once)
        told = storm.told()
        assert {kind: told.count(kind) for kind in {*told}} == {
            kind: share * count for kind, share in expected.items()
        }
        lines.append(storm.lines)
    few, many = lines
    assert many < 5 * few, (few, many)
