"""What the watcher in Python does when very many files change at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from obby_clients.fallback._content import Stat
from obby_clients.fallback._marks import Mark
from obby_clients.fallback._patterns import Patterns
from obby_clients.fallback._tree import Tree


class Counted(dict[str, Stat]):
    """Counts how often all of it was gone through."""

    rounds = 0

    def __iter__(self) -> Iterator[str]:
        self.rounds += 1
        return super().__iter__()


def known(root: Path, count: int) -> Tree:
    """Return a tree that knows so many files in a folder."""
    (root / "d").mkdir()
    for number in range(count):
        (root / "d" / f"{number}.md").write_text("milk\n")
    tree = Tree(str(root), str(root), 0.0)
    tree.patterns = Patterns(["*.md"], [])
    tree.scan(silent=True)
    assert len(tree.files) == count
    return tree


def test_files_that_vanish_together_are_looked_for_together(root: Path) -> None:
    tree = known(root, 50)
    kept = "d/7.md"
    for rel in tree.files.keys() - {kept}:
        (root / rel).unlink()
    now = time.monotonic()
    tree.files = files = Counted(tree.files)
    assert tree.look({rel: Mark(now, now) for rel in tree.files.keys() - {kept}}) == {}
    assert tree.departed.keys() == tree.files.keys() - {kept}
    assert files.rounds <= 3


def test_all_below_a_folder_departs_with_it(root: Path) -> None:
    tree = known(root, 5)
    (root / "d.md").write_text("its name begins alike\n")
    tree.scan(silent=True)
    (root / "d").rename(root.parent / "elsewhere")
    now = time.monotonic()
    assert tree.look({"d": Mark(now, now)}) == {}
    assert tree.departed.keys() == tree.files.keys() - {"d.md"}
    assert "d" not in tree.directories
