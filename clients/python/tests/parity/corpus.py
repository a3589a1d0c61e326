"""Real files, and what happens to them: the same disk is looked at by both sides."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sysconfig
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from obby_clients.tracker import ChangeType, TrackChange

from ..processes import REPOSITORY

__all__ = ["ROUNDS", "Corpus", "Happens", "Made"]

_FILES = 560
_MAX_BYTES = 120_000
_TEXT = (".go", ".md", ".proto", ".py", ".rst", ".sh", ".sql", ".txt", ".yaml", ".yml")
Made = list[TrackChange]
Happens = Callable[["Corpus"], Made]


class Corpus:
    """A folder of real text files; `files` are those that exist, in a fixed order."""

    def __init__(self, root: Path) -> None:
        self.root, self.chance = root, random.Random(7)
        self.kept: dict[Path, bytes] = {}  # contents that files will go back to
        root.mkdir()
        self.files: list[Path] = []

    def fill(self) -> None:
        """Copy the files."""
        root = self.root
        (root / ".obbywatch").write_text("*\n")
        (root / ".obbyignore").write_text("*.tmp\n__pycache__/\n")
        for number, source in enumerate(_sources()):
            target = root / f"d{number % 23}" / f"{number:03}-{source.name}"
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, target)
            self.files.append(target)
            if len(self.files) == _FILES:
                return
        raise AssertionError(f"only {len(self.files)} text files on this machine")

    def some(self, n: int) -> list[Path]:
        """Draw files without replacement."""
        return self.chance.sample(self.files, n)

    def edited(self, text: bytes) -> bytes:
        """Change some lines of a text: replace, insert, delete, move."""
        lines = text.splitlines(keepends=True) or [b"first\n"]
        for _ in range(self.chance.randint(1, 6)):
            at = self.chance.randrange(len(lines) + 1)
            edit = self.chance.choice("rriidm")
            if edit == "i":
                lines.insert(at, b"inserted %d\n" % self.chance.randrange(10**6))
            elif edit == "r" and at < len(lines):
                lines[at] = lines[at].rstrip(b"\r\n")[::-1] + b" replaced\n"
            elif edit == "d":
                del lines[at : at + self.chance.randint(1, 5)]
            elif edit == "m":
                block = lines[at : at + 4]
                del lines[at : at + 4]
                to = self.chance.randrange(len(lines) + 1)
                lines[to:to] = block
        return b"".join(lines)


def _sources() -> Iterator[Path]:
    """Give the files of this repository, then those of Python's own library."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    ours = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    theirs = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    theirs += sorted(Path(sysconfig.get_path("stdlib")).glob("*/*.py"))
    for path in [*ours, *theirs]:
        if path.suffix in _TEXT and path.is_file() and path.stat().st_size <= _MAX_BYTES:
            yield path


def _looked(paths: list[Path]) -> Made:
    return [TrackChange(path) for path in paths]


def _everything(c: Corpus) -> Made:
    return _looked(c.files)


def _edits(c: Corpus) -> Made:
    chosen = c.some(400)
    for path in chosen:
        path.write_bytes(c.edited(path.read_bytes()))
    return _looked(chosen)


def _unchanged(c: Corpus) -> Made:
    chosen = c.some(60)
    for path in chosen:
        os.utime(path)  # another mtime, the same content
    return _looked(chosen)


def _crlf(c: Corpus) -> Made:
    chosen = c.some(90)
    for n, path in enumerate(chosen):
        end = (b"\r\n", b"\r", b"\r\r\n")[n % 3]
        path.write_bytes(path.read_bytes().replace(b"\n", end))
    for path in chosen[:20]:  # and mixed
        path.write_bytes(path.read_bytes() + b"a\nb\rc\r\nd\r")
    return _looked(chosen)


def _encodings(c: Corpus) -> Made:
    chosen = c.some(100)
    for n, path in enumerate(chosen):
        text = path.read_bytes()
        path.write_bytes(
            (
                b"\xef\xbb\xbf" + text,
                text + "caf\xe9 \xa3\n".encode("latin-1"),
                text.replace(b"e", b"\xe9", 3) + b"\r\nlast",
                b"",
                text[:50] + b"\0" + text[50:],
                text[:9000].ljust(9000) + b"\0 beyond what is sniffed\n",
                b"\xff\xfe" + text[:200].decode("utf-8", "replace").encode("utf-16-le"),
                text + b"\xf0\x9f\x98",
                text + "\u2028 \x85 \x0c no line ends\n".encode(),
                text.rstrip(b"\n"),
            )[n % 10]
        )
    return _looked(chosen)


def _edits_of_all_kinds(c: Corpus) -> Made:
    return _edits(c)


def _deletions(c: Corpus) -> Made:
    chosen = c.some(60)
    for path in chosen:
        path.unlink()
    c.files = [path for path in c.files if path not in chosen]
    again = chosen[:20]  # deleted twice, and created with the same content
    for path in chosen[20:30]:
        path.mkdir()  # a directory took the name
    for path in chosen[30:40]:
        path.symlink_to(c.files[0])
    return [TrackChange(path, ChangeType.DELETED) for path in [*chosen, *again]]


def _recreations(c: Corpus) -> Made:
    made = []
    for n in range(30):
        path = c.root / "d0" / f"again-{n}.md"
        path.write_bytes(c.files[n].read_bytes())  # the content of another path
        made.append(path)
    c.files += made
    return [TrackChange(path, ChangeType.CREATED) for path in made]


def _renames(c: Corpus) -> Made:
    made = []
    for n, path in enumerate(c.some(90)):
        if path not in c.files:
            continue  # an earlier one has taken its name
        target = path.with_name(f"moved-{path.name}")
        if n % 5 == 3:
            target = c.files[(c.files.index(path) + 1) % len(c.files)]  # over another file
        path.rename(target)
        if n % 3 == 1:
            target.write_bytes(c.edited(target.read_bytes()))
        c.files.remove(path)
        if target not in c.files:
            c.files.append(target)
        made.append(TrackChange(target, ChangeType.MOVED, path))
    return made


def _edits_to_revert(c: Corpus) -> Made:
    chosen = c.some(40)
    c.kept = {path: path.read_bytes() for path in chosen}
    for path in chosen:
        path.write_bytes(c.edited(c.kept[path]))
    return _looked(chosen)


def _reverts(c: Corpus) -> Made:
    for path, content in c.kept.items():
        path.write_bytes(content)
    return _looked(list(c.kept))


def _requests(c: Corpus) -> Made:
    made = []
    for n, path in enumerate(c.some(10)):
        request_id = str(uuid.UUID(int=n))
        if n % 2:
            path.write_bytes(c.edited(path.read_bytes()))
        made += [
            TrackChange(path, request_id=request_id)
        ] * 2  # the second is answered as the first
    return made


def _hints_that_are_wrong(c: Corpus) -> Made:
    chosen = c.some(20)
    return [
        *(TrackChange(path, ChangeType.DELETED) for path in chosen[:10]),
        *(TrackChange(path, ChangeType.MOVED, chosen[0]) for path in chosen[10:]),
    ]


def _errors(c: Corpus) -> Made:
    folder = c.root / "d1"
    (folder / "loop").symlink_to("loop")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "outside").symlink_to("/etc/hostname")
    os.mkfifo(folder / "fifo")
    inside = str(folder / "x.md")
    return [
        *_looked([folder / name for name in ("loop", "dangling", "outside", "fifo", "never.md")]),
        *(TrackChange(p) for p in ("", "relative.md", "/etc/hostname", str(folder), str(c.root))),
        *(TrackChange(p) for p in (inside + "/below", f"{folder}/loop/x", f"{folder}//./../d1/a")),
        TrackChange(inside, ChangeType(9)),
        TrackChange(inside, ChangeType.MOVED),
        TrackChange(inside, request_id="no UUID"),
        TrackChange(inside, ChangeType.MOVED, "/etc/hostname"),
    ]


def _names(c: Corpus) -> Made:
    folder = os.fsencode(c.root / "d2")
    names = [b"caf\xe9.md", b"a b.md", b'quo"te.md', b"new\nline.md", b"tab\t.md", b"\xe6\x97.md"]
    names += ["日本.md".encode(), "\uef85private.md".encode(), b"-dash", b"back\\slash"]
    made = []
    for n, name in enumerate(names):
        path = Path(os.fsdecode(os.path.join(folder, name)))
        path.write_bytes(b"one\ntwo %d\n" % n)
        made.append(path)
    c.files += made
    return _looked(made)


def _large(c: Corpus) -> Made:
    made = [c.root / "d3" / name for name in ("large.md", "large.bin", "shrinks.md")]
    made[0].write_bytes(b"a line of a large file\r\n" * 60_000)
    made[1].write_bytes(b"\0" * 1_300_000)
    made[2].write_bytes(b"x\n" * 700_000)
    return _looked(made)


def _shrinks(c: Corpus) -> Made:
    path = c.root / "d3" / "shrinks.md"
    path.write_bytes(b"x\n" * 1000)
    return _looked([path])


ROUNDS: dict[str, Happens] = {
    "everything is new": _everything,
    "edits": _edits,
    "touched": _unchanged,
    "other line ends": _crlf,
    "encodings": _encodings,
    "edits of all kinds": _edits_of_all_kinds,
    "renames": _renames,
    "deletions": _deletions,
    "the same content elsewhere": _recreations,
    "edits to revert": _edits_to_revert,
    "reverts": _reverts,
    "request ids": _requests,
    "wrong hints": _hints_that_are_wrong,
    "exotic names": _names,
    "over the cap": _large,
    "under the cap again": _shrinks,
    "errors": _errors,
}
