"""Which files of a watched tree count: what `.obbywatch` and `.obbyignore` say.

The rules are those of the services (package pathrule): a pattern means what
fnmatch.fnmatchcase makes of it, and is tried against the path relative to the root
and against the base name; one that ends in `/` names directories, by relative path
only, and everything below them. Ignore wins. Without a watch pattern nothing is
watched. Paths are relative, clean, and `str` as os.fsdecode gives them.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat as modes
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ..watcher.values import PatternSet
from ._content import Stat
from ._paths import below
from ._problems import gone
from ._reading import stat_of

__all__ = [
    "PATTERN_FILES",
    "Entry",
    "PatternFileError",
    "Patterns",
    "load",
    "walk",
]

PATTERN_FILES = (".obbywatch", ".obbyignore")
"""The files of a root with what to watch and what to leave out."""

_MAX_FILE_BYTES = 1 << 20
_MAX_PATTERNS = 10_000
_MAX_PATTERN_BYTES = 4096
_MAX_PROBLEMS = 100
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


class PatternFileError(OSError):
    """A pattern file that is there cannot be used; whoever has patterns keeps them."""


class Patterns:
    """Decides about the paths of one root. It never changes.

    `problems` says, a sentence each, which patterns cannot be used and why.
    """

    def __init__(
        self, watch: Iterable[str], ignore: Iterable[str], *, folder: str | None = None
    ) -> None:
        names = [os.path.join(folder or "", name) for name in PATTERN_FILES]
        self._file = names[0] if folder else ""
        self.watch, watch_problems = _parse(names[0], watch)
        self.ignore, ignore_problems = _parse(names[1], ignore)
        self.problems = watch_problems + ignore_problems
        self._watch, self._ignore = _Rules(self.watch), _Rules(self.ignore)

    def __eq__(self, other: object) -> bool:
        """Equal sets decide alike: they have the same patterns, in whatever order."""
        return isinstance(other, Patterns) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[frozenset[str], frozenset[str]]:
        return frozenset(self.watch), frozenset(self.ignore)

    @property
    def empty(self) -> bool:
        """There is no watch pattern, so that nothing is watched."""
        return not self.watch

    @property
    def why(self) -> str:
        """A sentence for the user of an empty set; empty for any other (case 68)."""
        if not self.empty:
            return ""
        if not self._file:
            return "no watch patterns: nothing is watched; add some such as *.md"
        return f"no watch patterns in {self._file}: nothing is watched; add lines such as *.md"

    def match(self, rel: str) -> bool:
        """Tell whether a file is watched."""
        return self.match_in(rel) and not any(map(self._hides, _above(rel)))

    def match_in(self, rel: str) -> bool:
        """Tell it for a file below whose root no directory on the way is ignored."""
        if rel in {"", "."} or self.empty:
            return False
        watched = self._watch.entry(rel) or any(map(self._watch.directory, _above(rel)))
        return watched and not self._ignore.entry(rel)

    def descend(self, rel: str) -> bool:
        """Tell whether to look into a directory: neither it nor one above it is ignored."""
        return not any(map(self._hides, _above(rel))) and self.descend_in(rel)

    def descend_in(self, rel: str) -> bool:
        """Tell it for a directory above which none is ignored."""
        return rel in {"", "."} or not self._hides(rel)

    def _hides(self, rel: str) -> bool:
        return self._ignore.entry(rel) or self._ignore.directory(rel)

    def value(self) -> PatternSet:
        """Return the patterns, normalised and without duplicates."""
        return PatternSet(tuple(self.watch), tuple(self.ignore))


class _Rules:
    """A list of patterns; plain names are looked up, the rest is one expression each."""

    def __init__(self, patterns: list[str]) -> None:
        directories = [pattern[:-1] for pattern in patterns if pattern.endswith("/")]
        entries = [pattern for pattern in patterns if not pattern.endswith("/")]
        self._names = {pattern for pattern in entries if not _wild(pattern)}
        self._globs = [_compiled(pattern) for pattern in entries if _wild(pattern)]
        self._dir_names = {pattern for pattern in directories if not _wild(pattern)}
        self._dir_globs = [_compiled(pattern) for pattern in directories if _wild(pattern)]

    def entry(self, rel: str) -> bool:
        """Tell whether a pattern without final slash matches a path or its base name."""
        base = rel.rpartition("/")[2]
        if rel in self._names or base in self._names:
            return True
        return any(match(rel) or (base != rel and match(base)) for match in self._globs)

    def directory(self, rel: str) -> bool:
        """Tell whether a pattern with a final slash matches a directory."""
        return rel in self._dir_names or any(match(rel) for match in self._dir_globs)


def _wild(pattern: str) -> bool:
    return any(char in pattern for char in "*?[")


def _compiled(pattern: str) -> Callable[[str], object]:
    with warnings.catch_warnings():  # of sets within sets, which fnmatch does not mean
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(fnmatch.translate(pattern)).match


def _above(rel: str) -> Iterator[str]:
    """Give the directories above a path below the root, outermost first."""
    at = rel.find("/")
    while at >= 0:
        yield rel[:at]
        at = rel.find("/", at + 1)


def _parse(name: str, lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the usable patterns in their order, and what is wrong with others (case 66)."""
    patterns: dict[str, None] = {}
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        pattern = line.strip(_SPACE)
        if not pattern or pattern.startswith("#"):
            continue
        reason = _unusable(pattern)
        if pattern.endswith("/"):
            pattern = pattern.rstrip("/") + "/"
        if not reason and pattern in patterns:
            continue
        full = len(patterns) == _MAX_PATTERNS
        if full:
            reason = f"is one more than {_MAX_PATTERNS}: it and those after it are left out"
        if reason and len(problems) < _MAX_PROBLEMS:
            shown = pattern[:40].encode("utf-8", "replace").decode()
            problems.append(f'{name}:{number}: pattern "{shown}" {reason}')
        if full:
            break
        if not reason:
            patterns[pattern] = None
    return list(patterns), problems


def _unusable(pattern: str) -> str:
    size = len(pattern.encode("utf-8", "surrogateescape"))
    if size > _MAX_PATTERN_BYTES:
        return f"has {size} bytes: at most {_MAX_PATTERN_BYTES} are allowed"
    if "\0" in pattern:
        return "holds a NUL byte, which no file name does: is the text UTF-16?"
    if pattern.startswith(("/", "./")):
        return "begins with / or ./ and so matches nothing: write it relative to the root"
    return ""


def load(root: str) -> Patterns:
    """Read the pattern files of a root; a missing file is an empty one.

    Raises PatternFileError for one that cannot be read, is no regular file, is too
    large or leads out of the root, and OSError where the root is not there.
    """
    os.stat(root)
    watch, ignore = (_read(root, name) for name in PATTERN_FILES)
    return Patterns(watch.split("\n"), ignore.split("\n"), folder=root)


def _read(root: str, name: str) -> str:
    path = os.path.join(root, name)
    try:
        real = os.path.realpath(path, strict=True)
        if not below(os.path.realpath(root), real):
            raise PatternFileError(f"open patterns {path}: path escapes from the root")
        handle = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PatternFileError:
        raise
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise PatternFileError(f"open patterns {path}: {error.strerror}") from error
    if not modes.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise PatternFileError(f"patterns {path}: not a regular file")
    with open(handle, "rb") as file:
        text = file.read(_MAX_FILE_BYTES + 1)
    if len(text) > _MAX_FILE_BYTES:
        raise PatternFileError(
            f"patterns {path}: larger than {_MAX_FILE_BYTES} bytes, which is all that is read"
        )
    return text.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


@dataclass(frozen=True, slots=True)
class Entry:
    """A directory that is not ignored, or a regular file that is watched."""

    rel: str
    """Path below the root; `.` is the root."""
    stat: Stat
    is_directory: bool


def walk(
    root: str,
    patterns: Patterns,
    enter: Callable[[str], bool],
    problem: Callable[[str, OSError], None],
    *,
    start: str = ".",
) -> Iterator[Entry]:
    """Visit a tree: a directory before what is below it, each in the order of its names.

    It begins at the root, or at a directory below it above which none is ignored.

    Symlinks, FIFOs, sockets and devices are neither opened nor visited. `enter` tells
    whether to look into a directory. One that cannot be read is told to `problem`, and
    the walk continues; one that has vanished is none. Raises OSError for the start.
    """
    waiting = [Entry(start, stat_of(os.stat(os.path.join(root, start))), True)]
    while waiting:
        entry = waiting.pop()
        yield entry
        if not entry.is_directory or not enter(entry.rel):
            continue
        found: list[Entry] = []
        try:
            _list(root, entry, patterns, found)
        except OSError as error:
            if entry.rel == start == ".":
                raise
            if not gone(error):
                problem(entry.rel, error)
        found.sort(key=lambda entry: os.fsencode(entry.rel), reverse=True)
        waiting += found


def _list(root: str, directory: Entry, patterns: Patterns, found: list[Entry]) -> None:
    prefix = "" if directory.rel == "." else directory.rel + "/"
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | (os.O_NOFOLLOW if prefix else 0)
    handle = os.open(os.path.join(root, directory.rel), flags)
    try:
        with os.scandir(handle) as entries:
            for entry in entries:
                rel, is_directory = prefix + entry.name, entry.is_dir(follow_symlinks=False)
                if is_directory:
                    counts = patterns.descend_in(rel)
                else:
                    counts = entry.is_file(follow_symlinks=False) and patterns.match_in(rel)
                if not counts:
                    continue
                try:
                    found.append(
                        Entry(rel, stat_of(entry.stat(follow_symlinks=False)), is_directory)
                    )
                except FileNotFoundError:
                    continue
    finally:
        os.close(handle)
