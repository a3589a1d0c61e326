"""Comparing a whole root with what is recorded: stat first, content only where it differs."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from ..errors import ObbyError
from ..tracker.values import Progress
from . import _store
from ._content import Stat
from ._paths import below, quote
from ._patterns import load, walk
from ._problems import domain, gone, passes, problem
from ._reading import is_regular
from ._roots import leads_elsewhere
from ._tracking import Request, Tracker

__all__ = ["compare", "reconcile"]

_LOG = logging.getLogger("obby_clients.fallback")
_REPORT_EVERY = 0.5


def reconcile(tracker: Tracker, root: str, *, accept: bool) -> Iterator[Progress]:
    """Record what was missed below a root; the last report is done."""
    if root not in tracker.roots.all:
        raise problem("NOT_A_ROOT", quote(root))
    if not os.path.isdir(root):
        tracker.roots.check(root)  # raises: before anything large is read
    known = _store.live(tracker.db, root)
    tracker.roots.accept(root, known, told=accept)
    work = _Reconciliation(tracker, root, root, known)
    yield from work.run()
    yield replace(work.progress(), remaining=None, done=True)


def compare(tracker: Tracker, directory: str) -> int:
    """Record what differs below a directory, where it is; return the number of steps."""
    _, root = tracker.roots.resolve(os.path.join(directory, "file"))  # it may be a root
    tracker.roots.check(root)
    work = _Reconciliation(tracker, root, directory, _store.live(tracker.db, directory))
    for _ in work.run():
        pass
    return work.changes


class _Reconciliation:
    """One comparison under way."""

    def __init__(self, tracker: Tracker, root: str, directory: str, known: dict[str, Stat]) -> None:
        self._tracker, self._root, self._directory = tracker, root, directory
        self._known = known  # live paths that the walk has not met yet
        self._changed: list[Request] = []
        self._arrived: dict[Stat, int] = {}  # where in changed a path stands that is new
        self._unseen: list[str] = []  # directories that could not be read
        self._seen = self._tracked = self._errors = self.changes = 0
        self._total: int | None = None
        self._passing: BaseException | None = None  # a failure that another try may mend
        self._began = time.monotonic()

    def progress(self) -> Progress:
        """Return how far it is."""
        remaining = None
        if self._tracked:
            each = (time.monotonic() - self._began) / self._tracked
            remaining = timedelta(seconds=each * (len(self._changed) - self._tracked))
        return Progress(
            path=self._root,
            files_seen=self._seen,
            files_total=self._total or None,
            changes_recorded=self.changes,
            errors=self._errors,
            remaining=remaining or None,
            done=False,
        )

    def run(self) -> Iterator[Progress]:
        """Do it, and report now and then."""
        patterns = load(self._root)
        if not patterns.empty:
            for entry in walk(self._root, patterns, self._enter, self._problem):
                path = os.path.join(self._root, entry.rel)
                if not entry.is_directory and self._concerns(path):
                    self._visit(path, entry.stat)
        self._missing()
        self._total, self._began = self._seen, time.monotonic()
        reported = self._began
        for request in self._changed:
            self._one(request)
            if time.monotonic() - reported > _REPORT_EVERY:
                reported = time.monotonic()
                yield self.progress()
        if self._passing is not None:
            raise self._passing

    def _enter(self, rel: str) -> bool:
        path = self._root if rel == "." else os.path.join(self._root, rel)
        return path == self._directory or below(path, self._directory) or self._concerns(path)

    def _concerns(self, path: str) -> bool:
        return path == self._directory or below(self._directory, path)

    def _problem(self, rel: str, error: OSError) -> None:
        path = os.path.join(self._root, rel)
        self._unseen.append(path)
        self._errors += 1
        _LOG.warning("directory cannot be read: %s: %s", quote(path), error)
        if passes(error):
            self._passing = error

    def _visit(self, path: str, stat: Stat) -> None:
        before = self._known.pop(path, None)
        if before is None:
            self._arrived[_state(stat)] = len(self._changed)
        if stat != before:
            self._changed.append(Request(path))
        self._seen += 1

    def _missing(self) -> None:
        """Decide about the known paths that the walk did not meet.

        Those that exist only match no pattern any more, or lie where nothing could be
        read. One that is gone while its file arrived elsewhere has moved.
        """
        for path, before in self._known.items():
            left = leads_elsewhere(os.path.dirname(path))
            if not left and not self._gone(path):
                continue
            place = self._arrived.pop(_state(before), None)
            if place is not None and not left:
                self._changed[place] = replace(self._changed[place], old_path=path)
            else:
                self._changed.append(Request(path, left=left))

    def _gone(self, path: str) -> bool:
        try:
            os.lstat(path)
        except OSError as error:
            return gone(error) and not any(below(unseen, path) for unseen in self._unseen)
        return not is_regular(path)

    def _one(self, request: Request) -> None:
        self._tracked += 1
        try:
            with domain(_LOG.error):
                result = self._tracker.track(request)
        except ObbyError as error:
            if error.reason == "NEVER_RECORDED":
                return  # it came and went
            if error.reason == "DATABASE_REPLACED":
                raise  # what is known is of a file that nobody reads any more
            self._errors += 1
            if passes(error):
                self._passing = error
            else:
                _LOG.warning("file not tracked: %s: %s", quote(request.path), error)
            return
        self.changes += result.recorded


def _state(stat: Stat) -> Stat:
    """Return the part of a Stat that a rename keeps."""
    return replace(stat, ctime=0)
