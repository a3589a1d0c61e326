"""What happens while nobody looks, and is found when the roots are compared."""

from __future__ import annotations

from .corpus import ROUNDS, Corpus, Happens, Made

__all__ = ["MISSED"]


def _moved_folder(c: Corpus) -> Made:
    old, new = c.root / "d5", c.root / "d5 moved"
    old.rename(new)
    c.files = [new / path.relative_to(old) if old in path.parents else path for path in c.files]
    return []


def _ignored(c: Corpus) -> Made:
    (c.root / ".obbyignore").write_text("*.tmp\nd6/\n")  # what is below d6 stays recorded
    (c.root / "d7" / "new.tmp").write_text("never seen\n")
    for path in c.files:
        if path.parent.name == "d6":
            path.write_bytes(c.edited(path.read_bytes()))
    return []


def _linked_folder(c: Corpus) -> Made:
    folder = c.root / "d8"  # from now on its name means the files of another one
    folder.rename(c.root / "d8 elsewhere")
    folder.symlink_to("d8 elsewhere")
    c.files = [path for path in c.files if folder not in path.parents]
    return []


def _usual(c: Corpus) -> Made:
    return [change for name in ("edits", "renames", "deletions") for change in ROUNDS[name](c)]


MISSED: dict[str, Happens] = {
    "nothing": lambda c: [],
    "edits, renames, deletions": _usual,
    "a folder was moved": _moved_folder,
    "other patterns": _ignored,
    "a folder became a symlink": _linked_folder,
}
