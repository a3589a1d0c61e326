"""Tracking: the disk decides, and one step is recorded from the head to what is there.

A file is deleted when nothing is at its path, or no regular file; never on any other
error, and only while the root is the directory that it was.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

from ..errors import ObbyError
from ..values import AnyPath
from . import _record, _store
from ._content import NO_STAT, TEXT, Content, Stat
from ._database import Database
from ._diff import CONTEXT, MAX_STORED, between
from ._paths import quote
from ._problems import Stale, gone, problem
from ._reading import is_regular, read, stat_of
from ._roots import Roots
from ._steps import CREATED, DELETED, MODIFIED, MOVED, Head, Result, Step
from ._times import now_micros

__all__ = ["Request", "Tracker"]

_TRIES = 5  # how often a step is made anew when another process moved the head meanwhile
_NOTHING = Content("", TEXT, "none", 0, 0, b"")


@dataclass(frozen=True, slots=True)
class Request:
    """A path to look at."""

    path: str
    old_path: str = ""
    """The path that the file had before."""
    request_id: str = ""
    left: bool = False
    """`path` is on record and its directory leads elsewhere now: the path is gone."""


class Tracker:
    """Tracks the files below its roots."""

    def __init__(
        self, db: Database, roots: Iterable[AnyPath], max_content: int, *, publish: bool
    ) -> None:
        self.db, self.roots = db, Roots(db, roots)
        self.max_content, self.publish = max_content, publish
        self._locks = _Locks()

    def track(self, request: Request) -> Result:
        """Record the present state of a path."""
        if request.left:
            path, root = request.path, self.roots.of(request.path)
        else:
            path, root = self.roots.resolve(request.path)
        old = self.roots.resolve(request.old_path)[0] if request.old_path else ""
        with self.locked(path, old or path):
            if request.request_id and (before := _store.answer(self.db, request.request_id)):
                return before
            for _ in range(_TRIES):
                step = self._step(root, path, old, left=request.left)
                try:
                    return self._record(replace(step, request_id=request.request_id))
                except Stale:
                    continue
        raise problem("DATABASE_BUSY", quote(path), "another program keeps recording it")

    def locked(self, *paths: str) -> AbstractContextManager[None]:
        """Let nobody else work on some paths."""
        return self._locks.held(*paths)

    def head(self, path: str) -> Head:
        """Return where a path stands."""
        with self.db.reading() as connection:
            return _store.head_of(connection, path)

    def _step(self, root: str, path: str, old: str, *, left: bool) -> Step:
        """Compare the disk with the head."""
        step = Step(root, path, now_micros())
        if old and old != path:
            moved = self._moved(step, old)
            if moved is not None:
                return moved
        step = replace(step, before=self.head(path))
        if left:
            return self._deleted(step)
        try:
            content = self._read(root, path)
        except ObbyError as error:
            if error.reason != "NOT_A_REGULAR_FILE" or not step.before.live:
                raise
            content = None  # a directory or a symlink took its name
        if content is None:
            return self._deleted(step)
        self.roots.note(root)
        step = replace(step, after=content, stat=content.stat)
        if step.before.version.hash == content.hash:
            return step
        return self._with_diff(replace(step, type=MODIFIED if step.before.live else CREATED))

    def _read(self, root: str, path: str) -> Content | None:
        """Return the content of a file; None where nothing is there."""
        try:
            return read(root, path, self.max_content)
        except OSError as error:
            if not gone(error):
                raise
            return None

    def _deleted(self, step: Step) -> Step:
        self.roots.check(step.root)
        if not step.before.known:
            raise problem("NEVER_RECORDED", quote(step.path))
        if not step.before.live:
            return step  # recorded already
        return self._with_diff(replace(step, type=DELETED))

    def _moved(self, step: Step, old: str) -> Step | None:
        """Make the step of a path that has the file which `old` had; None: it has not."""
        before = self.head(old)
        if not before.live or not _gone(old):
            return None
        old_root = self.roots.resolve(old)[1]
        if not self.roots.stands(old_root):
            return None  # not there to be asked: nothing says that the file has moved
        over = self.head(step.path)
        step = replace(step, type=MOVED, old_path=old, before=before, over=over)
        unread = _same_state(step.path, before.stat)
        if unread is not None and over.version.hash != before.version.hash:
            return replace(step, stat=unread)  # the content is the one that is stored
        content = None if unread else self._read(step.root, step.path)
        if content is None or over.version.hash == content.hash:
            return self._left(step, old_root)
        return self._with_diff(replace(step, after=content, stat=content.stat))

    def _left(self, step: Step, old_root: str) -> Step:
        """Make of a move the deletion of its old path: the file went on from there."""
        step = replace(step, root=old_root, path=step.old_path, old_path="", stat=NO_STAT, type="")
        return self._deleted(step)

    def _record(self, step: Step) -> Result:
        if step.type:
            return _record.record(self.db, step, publish=self.publish)
        version = step.before.version
        if step.before.live and step.tells and step.after is not None:
            _record.touch(self.db, step.path, version.id, step.after)
            version = version.told_by(step.after)
        if step.request_id:
            _record.unchanged(self.db, step.request_id, version.id)
        if not step.before.live:
            return Result()
        return Result(version=version, old_version=version.id)

    def _with_diff(self, step: Step) -> Step:
        """Add the diff from the head's content to the new one."""
        before = _NOTHING
        old = _name(step, step.old_path or step.path) if step.before.live else ""
        if step.before.live:
            before = _store.content_of(self.db, step.before.version.id)
        new = _name(step, step.path) if step.type != DELETED else ""
        after = step.after or _NOTHING
        return replace(step, diff=between((old, new), before, after, CONTEXT, MAX_STORED))


def _name(step: Step, path: str) -> str:
    """Return how a path is called in a diff: relative to the root."""
    return os.path.relpath(path, step.root)


def _gone(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return gone(error)
    return False


def _same_state(path: str, before: Stat) -> Stat | None:
    """Return the Stat of a file that need not be read again: only its ctime may differ."""
    if not is_regular(path):
        return None
    now = stat_of(os.lstat(path))
    return now if replace(now, ctime=0) == replace(before, ctime=0) else None


class _Locks:
    """Lets one caller at a time work on a path."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._held: dict[str, tuple[threading.Lock, int]] = {}  # with the number of its users

    @contextmanager
    def held(self, *paths: str) -> Iterator[None]:
        """Hold some paths, taken in one order, so that two moves that cross do not wait."""
        taken = []
        try:
            for path in sorted(set(paths)):
                with self._guard:
                    lock, users = self._held.get(path, (threading.Lock(), 0))
                    self._held[path] = lock, users + 1
                lock.acquire()
                taken.append((path, lock))
            yield
        finally:
            for path, lock in taken:
                lock.release()
                with self._guard:
                    users = self._held[path][1] - 1
                    self._held[path] = lock, users
                    if not users:
                        del self._held[path]
