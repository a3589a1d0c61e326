"""What the watcher in Python knows of a root."""

from __future__ import annotations

import time
from pathlib import Path

from obby_clients.fallback import FileWatcher
from obby_clients.fallback._marks import Mark
from obby_clients.fallback._patterns import Patterns
from obby_clients.fallback._tree import Tree
from obby_clients.watcher import WatchMethod


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


def test_all_below_a_folder_departs_with_it(root: Path) -> None:
    tree = known(root, 5)
    (root / "d.md").write_text("its name begins alike\n")
    tree.scan(silent=True)
    (root / "d").rename(root.parent / "elsewhere")
    now = time.monotonic()
    assert tree.look({"d": Mark(now, now)}) == {}
    assert tree.departed.keys() == tree.files.keys() - {"d.md"}
    assert "d" not in tree.directories


def test_what_has_departed_is_forgotten_when_the_root_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / ".obbywatch").write_text("*.md\n")
    (tmp_path / "old" / "a.md").touch()
    (tmp_path / "link").symlink_to("old")
    with FileWatcher([tmp_path / "link"], debounce=0.0, method=WatchMethod.POLL) as python:
        watcher = python._watcher
        with watcher._lock:
            (root,) = watcher._roots
            (tmp_path / "old" / "a.md").unlink()
            root.tree.dirty.touch("a.md")
            watcher._settler.settle(everything=False)
            assert list(root.tree.departed) == ["a.md"]
            (tmp_path / "link").unlink()
            (tmp_path / "link").symlink_to("new")
            watcher._rescan(root)
            watcher._settler.settle(everything=True)  # and nothing is to be told of it
            assert watcher.journal.head() == 0
