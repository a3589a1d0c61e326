"""One watched root: what its subscribers know, what is dirty, and what has departed.

Whatever is notified, or found by polling, only makes a path dirty. One that has rested
for the quiet delay is looked at and compared with what is known; the difference is the
event. So whatever happened in between merges into the right event by itself.
"""

from __future__ import annotations

import os
import secrets
import stat as modes
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timezone

from ._content import Stat
from ._dirty import Dirty
from ._known import Below, Known
from ._marks import Arrival, Ident, Mark, ident, ident_at
from ._patterns import PATTERN_FILES, Entry, PatternFileError, Patterns, load, walk
from ._problems import gone
from ._reading import stat_of
from ._starting import directory_at

__all__ = ["Tree"]

Arrivals = dict[str, Arrival]


class Tree:
    """What is known of a root. It is used under its watcher's lock."""

    def __init__(self, path: str, given: str, delay: float) -> None:
        self.id = secrets.token_hex(13).upper()
        self.path, self.given, self.delay = path, given, delay
        self.created = datetime.now(timezone.utc)
        self.top: Ident | None = None  # the directory that the root was; None: it is missing
        self.lost_at = 0.0  # when it went missing and that is still to be told; 0: it is not
        self.patterns = self.from_files = Patterns((), ())
        self.pattern_error = ""
        self.files: Known[Stat] = Known(ident)
        self.forget_directories()
        self._pattern_files: dict[str, tuple[int, int] | None] = {}  # as polled last
        self.seen: dict[str, Stat] = {}  # files as the last scan found them
        # Known files that are gone, and since when, the first one first.
        self.departed: OrderedDict[str, float] = OrderedDict()
        self.unread: dict[str, str] = {}  # directories that cannot be read, and why

    def forget_directories(self) -> None:
        """Know no directory, and of nothing that happened: another one is there, or none."""
        self.directories = _directories()
        self.dirty = Dirty(self.path, self.delay)
        self.departed = OrderedDict()

    def rel(self, path: str) -> str:
        """Return a path relative to the root."""
        return path[len(self.path) + 1 :] or "."

    def full(self, rel: str) -> str:
        """Return the path of what is called `rel` in the root."""
        return self.path if rel == "." else f"{self.path}/{rel}"

    def scan(self, *, initial: bool = False, silent: bool = False) -> None:
        """Compare everything with what is known, and make dirty what differs.

        `initial`: what is new was there before. `silent`: it is known from now on.
        """
        if self.patterns.empty:
            self.directories = _directories({".": self.top} if self.top else {})
            return
        found: dict[str, Stat] = {}
        directories: dict[str, Ident] = {}
        unread: dict[str, str] = {}
        try:
            for entry in self._walk(".", unread):
                if entry.is_directory:
                    directories[entry.rel] = ident(entry.stat)
                else:
                    found[entry.rel] = entry.stat
        except OSError as error:
            if not gone(error):
                self.unread["."] = str(error)
            return  # a missing root is somebody else's business
        self.unread = unread
        if silent:
            self.files, self.seen = Known(ident, found), found
            self.directories = _directories(directories)
            return
        now = time.monotonic()
        differing = {rel for rel, stat in found.items() if self.files.get(rel) != stat}
        differing |= self.files.keys() - found.keys()
        differing |= dict(directories.items() ^ self.directories.items()).keys()
        for rel in differing - self.dirty.keys():
            self.dirty[rel] = Mark(now, now, initial=initial)
        for rel in differing & self.dirty.keys():
            if found.get(rel) != self.seen.get(rel):  # it does not rest
                self.dirty[rel].last = now
        self.seen = found

    def _walk(self, start: str, unread: dict[str, str]) -> Iterator[Entry]:
        def problem(rel: str, error: OSError) -> None:
            unread[rel] = error.strerror or str(error)

        return walk(self.path, self.patterns, lambda _: True, problem, start=start)

    def look(self, rested: Mapping[str, Mark]) -> Arrivals:
        """Look at paths that rest: what is there now, with what is below directories.

        Known files that are gone are departed afterwards. A directory that has another
        name now is given to `moved` by the caller before (see `moves`).
        """
        arrivals: Arrivals = {}
        left: dict[str, None] = {}
        for rel, mark in rested.items():
            try:
                status = os.lstat(self.full(rel))
            except OSError as error:
                if gone(error):
                    self._leave(rel, left)
                continue
            stat = stat_of(status)
            if modes.S_ISDIR(status.st_mode) and self._enters(rel):
                self._look_below(rel, mark, arrivals, left)
            elif modes.S_ISREG(status.st_mode) and self._within(rel):
                self._forget_directory(rel)
                if rel in self.files or self.patterns.match(rel):
                    arrivals[rel] = Arrival(rel, stat, mark)
            else:
                self._leave(rel, left)
        self._depart(left)
        return arrivals

    def _enters(self, rel: str) -> bool:
        return not self.patterns.empty and self._within(rel) and self.patterns.descend(rel)

    def _within(self, rel: str) -> bool:
        """Tell whether a path leads through directories alone: no symlink is followed."""
        parent = os.path.dirname(self.full(rel))
        return rel == "." or os.path.realpath(parent) == parent

    def _look_below(self, rel: str, mark: Mark, arrivals: Arrivals, left: dict[str, None]) -> None:
        if rel in self.files:
            self._leave(rel, left)  # case 10: a directory has taken the file's name
        prefix = "" if rel == "." else rel + "/"
        unread: dict[str, str] = {}
        found = set()
        try:
            for entry in self._walk(rel, unread):
                found.add(entry.rel)
                if entry.is_directory:
                    self.directories[entry.rel] = ident(entry.stat)
                elif entry.rel not in arrivals:
                    below = self.dirty.pop(entry.rel, mark)
                    arrivals[entry.rel] = Arrival(entry.rel, entry.stat, below)
        except OSError as error:
            unread[rel] = str(error)
        self.unread = {
            at: why for at, why in self.unread.items() if not (at + "/").startswith(prefix)
        } | unread
        hidden = tuple(at + "/" for at in unread)
        for known in [*self.files.below(rel), *self.directories.below(rel)]:
            if known != rel and known not in found and not known.startswith(hidden):
                self._leave(known, left)

    def _leave(self, rel: str, left: dict[str, None]) -> None:
        """Note that nothing known is at a path and below it any more."""
        self._forget_directory(rel)
        left[rel] = None

    def _depart(self, left: Iterable[str]) -> None:
        """Let files depart, when all has been looked at."""
        now = time.monotonic()
        for rel in left:
            for known in self.files.below(rel):
                self.departed.setdefault(known, now)

    def _forget_directory(self, rel: str) -> None:
        if rel in self.directories:
            for at in self.directories.below(rel):
                del self.directories[at]

    def moves(self, rested: Below[Mark]) -> Iterator[tuple[str, str]]:
        """Give old and new names of known directories that have been renamed.

        The caller has `rename` carry each out before the next one is looked for.
        """
        waiting = deque(sorted(rested, key=lambda rel: (rel in self.directories, rel)))
        while waiting:
            rel = waiting.popleft()
            now = directory_at(self.full(rel)) if rel in rested else None
            if now is None or self.directories.get(rel) == now or not self._enters(rel):
                continue
            old = next(iter(self.directories.names(now)), None)
            if old is None or old == "." or directory_at(self.full(old)) == now:
                continue
            carried = rested[rel].moved or self._carried(old, rel)
            if carried and not rel.startswith(old + "/"):
                yield old, rel
                waiting.extend(rested.below(rel))  # they have other names now

    def _carried(self, old: str, new: str) -> bool:
        """Tell whether a directory has brought a known file along: inode numbers are reused."""
        return any(
            ident_at(self.full(new + rel[len(old) :])) == ident(self.files[rel])
            for rel in self.files.below(old)
        )

    def rename(self, old: str, new: str, rested: Below[Mark]) -> tuple[list[str], list[str], bool]:
        """Let a directory's files, and what is dirty in it, follow it to its new name.

        Return what is deleted by it: files that stood in the way, and files that no
        pattern covers under the new name; and whether any has moved.
        """
        inside = old + "/"

        def in_the_way(rel: str) -> bool:
            return rel != old and not rel.startswith(inside)

        for rel in (in_way := list(filter(in_the_way, self.files.below(new)))):
            self.forget(rel)
        for rel in filter(in_the_way, self.directories.below(new)):
            del self.directories[rel]
        uncovered = [
            rel for rel in self.files.below(old) if not self.patterns.match(new + rel[len(old) :])
        ]
        for rel in uncovered:
            self.forget(rel)
        files = self.files.take(old)
        for rel, stat in files.items():
            self.departed.pop(rel, None)
            self.files[new + rel[len(old) :]] = stat
        for rel, one in self.directories.take(old).items():
            self.directories[new + rel[len(old) :]] = one
        for marks in (self.dirty, rested):
            for rel in marks.below(old):
                if rel != old:
                    mark = marks.pop(rel)
                    marks.setdefault(new + rel[len(old) :], mark).written |= mark.written
        return in_way, uncovered, bool(files)

    def forget(self, rel: str) -> None:
        """Know a file no more, without a word."""
        self.files.pop(rel, None)
        self.departed.pop(rel, None)

    def reload(self) -> bool:
        """Read the pattern files; return whether what they say is new."""
        self.reload_if_changed()
        try:
            patterns = load(self.path)
        except PatternFileError as error:
            self.pattern_error = str(error)
            return False
        except OSError:
            return False  # the root has vanished
        self.pattern_error = ""
        news, given = patterns != self.from_files, self.patterns is not self.from_files
        self.from_files = patterns
        if not news and not given:
            self.patterns = patterns  # the same, but perhaps other unusable lines
        return news

    def adopt(self, patterns: Patterns) -> list[str]:
        """Put other patterns in force; return the files that are gone as well.

        What they do not cover is forgotten without a word.
        """
        self.patterns = patterns
        lost = []
        for rel in [rel for rel in self.files if not patterns.match(rel)]:
            self.forget(rel)
            if not os.path.lexists(self.full(rel)):
                lost.append(rel)
        return lost

    def reload_if_changed(self) -> None:
        """Make dirty the pattern files that have changed: they need not be known files."""
        for name in PATTERN_FILES:
            try:
                status = os.stat(self.full(name))
                seen = status.st_size, status.st_mtime_ns
            except OSError:
                seen = None
            if self._pattern_files.get(name, seen) != seen:
                self.dirty.touch(name)
            self._pattern_files[name] = seen

    def counts(self, rel: str) -> bool:
        """Tell whether what is notified of a path may mean something."""
        known = rel in self.files or rel in self.directories or rel in PATTERN_FILES
        return known or self.patterns.match(rel) or os.path.isdir(self.full(rel))


def _directories(known: Mapping[str, Ident] | None = None) -> Known[Ident]:
    return Known(lambda one: one, known)
