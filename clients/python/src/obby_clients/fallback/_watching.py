"""The watcher: one thread that looks at what has come to rest, and tells it in one order."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from ..watcher.values import PatternSet, Watch, WatchMethod
from ._journal import Journal
from ._known import Known
from ._marks import ident
from ._notify import WHY_NOT, Notifier
from ._paths import below, quote
from ._problems import problem
from ._settling import Root, Settler
from ._starting import compiled, directory_at, resolve
from ._status import watch_of
from ._tree import Tree

__all__ = ["Settings", "Watcher"]

_BACK_EVERY = 1.0  # pause between two looks for a root
_POLL_SHARE = 9  # a round of polling that took t is followed by a pause of this times t
_POLL_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How roots are watched; spans in seconds."""

    debounce: float
    method: WatchMethod | None
    poll_interval: float
    rescan_interval: float
    journal_events: int


class _Touch(NamedTuple):
    """What was notified."""

    root: Root
    path: str
    written: bool
    moved: bool


class Watcher:
    """Watches roots until it is closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.journal = Journal(settings.journal_events)
        # What was notified. A notifier's thread must not wait for the lock: whoever has
        # it may be waiting for that thread.
        self._touches: deque[_Touch] = deque()
        self._wake = threading.Event()  # something was notified, or the thread is to look
        self._lock = threading.RLock()  # guards what follows
        self._settler = Settler(self.journal)
        self._roots = self._settler.roots
        self._ended: list[Notifier] = []
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="obby-watcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Report what is pending without waiting for it to settle, and end (case 53)."""
        with self._lock:
            self.flush()
            self._closed = True
            for root in self._roots:
                self._unnotify(root)
            self._wake.set()
        self._thread.join()
        for notifier in self._ended:
            notifier.join()
        self.journal.close()

    def start(
        self,
        path: str,
        *,
        debounce: float | None = None,
        patterns: PatternSet | None = None,
        may_be_missing: bool = False,
    ) -> tuple[Watch, bool]:
        """Watch a directory tree; return its watch, and whether it is a new one.

        What is there before it returns is not reported, what happens afterwards is.
        """
        given = compiled(patterns)
        with self._lock:
            known = self._at(os.path.normpath(path)) if path else None
            if known is not None:
                return watch_of(known), False
            real, missing = resolve(path, may_be_missing=may_be_missing)
            known = self._at(real)
            if known is not None:
                return watch_of(known), False
            delay = self._settings.debounce if debounce is None else debounce
            root = Root(Tree(real, os.path.normpath(path), delay))
            root.rescan_at = time.monotonic() + self._settings.rescan_interval
            if not missing:
                self._begin(root)
                root.tree.reload()
                root.tree.patterns = given or root.tree.from_files
                root.tree.scan(silent=True)
            self._roots.append(root)
            self._wake.set()
            return watch_of(root), True

    def stop(self, watch_id: str) -> None:
        """End a watch, and drop its events."""
        with self._lock:
            root = self._find(watch_id)
            self._roots.remove(root)
            self._unnotify(root)
            self.journal.drop(watch_id)

    def set_patterns(self, watch_id: str, patterns: PatternSet | None) -> Watch:
        """Put patterns in force until a pattern file changes; None: those of the files."""
        given = compiled(patterns)
        with self._lock:
            root = self._find(watch_id)
            if given is None:
                root.tree.reload()
            self._settler.adopt(root, given or root.tree.from_files)
            self._wake.set()
            return watch_of(root)

    def watches(self) -> list[Watch]:
        """Describe every watch, ordered by path."""
        with self._lock:
            found = [watch_of(root) for root in self._roots]
        return sorted(found, key=lambda watch: os.fsencode(watch.path))

    def require(self, watch_id: str) -> None:
        """Raise WATCH_NOT_FOUND where there is no such watch."""
        with self._lock:
            self._find(watch_id)

    def flush(self) -> None:
        """Settle everything: new patterns cause finds that are to be settled in turn."""
        with self._lock:
            for _ in range(3):
                self._take()
                for root in self._roots:
                    self._look(root)
                    if root.method is WatchMethod.POLL and root.tree.top:
                        root.tree.reload_if_changed()
                        root.tree.scan()
                self._settler.settle(everything=True)
        self.journal.tell()

    # The thread.

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._closed:
                    return
                self._take()
                self._turn(time.monotonic())
                due = self._next()
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()

    def _turn(self, now: float) -> None:
        for root in self._roots:
            if now >= root.look_at:
                root.look_at = now + _BACK_EVERY
                self._look(root)
            if now >= root.rescan_at:
                root.rescan_at = now + self._settings.rescan_interval
                self._rescan(root)
            if now >= root.poll_at and root.tree.top:
                self._poll(root)
        if self._settler.settle(everything=False):
            self.journal.tell()

    def _next(self) -> float:
        looks = (min(root.look_at, root.rescan_at, root.poll_at) for root in self._roots)
        return min(self._settler.next_due(), min(looks, default=time.monotonic() + 3600.0))

    def _poll(self, root: Root) -> None:
        start, before = time.monotonic(), len(root.tree.dirty)
        root.tree.reload_if_changed()
        root.tree.scan()
        took = time.monotonic() - start
        found = len(root.tree.dirty) != before
        floor = self._settings.poll_interval
        root.pause = floor if found else min(root.pause * 1.5, max(floor, _POLL_MAX))
        root.poll_at = start + took + max(root.pause, _POLL_SHARE * took)

    def _rescan(self, root: Root) -> None:
        """Look at everything, because notifications may have been lost."""
        tree = root.tree
        real = os.path.realpath(tree.given)
        if tree.top and real != tree.path and os.path.isdir(real) and not self._at(real):
            # Case 13: the root is a symlink that leads elsewhere now. What it led to is
            # forgotten, not deleted: it is still there.
            self._unnotify(root)
            tree.path, tree.top = real, None
            tree.files = Known(ident)
            tree.forget_directories()
        self._look(root)
        if tree.top:
            self._settler.reload(root)
            tree.scan()

    def _look(self, root: Root) -> None:
        """See whether the root is the directory that it was, and follow it (case 12)."""
        tree = root.tree
        now = directory_at(tree.path)
        if now is not None and now == tree.top:
            if root.notifier is not None and not root.notifier.alive:
                self._unnotify(root)
                self._begin(root)
                tree.scan()
            return
        if tree.top is not None:
            self._unnotify(root)
            tree.top, tree.lost_at = None, time.monotonic()
            tree.forget_directories()
        if now is not None:
            self._begin(root)
            tree.lost_at = 0.0
            self._settler.reload(root)
            tree.scan()

    def _begin(self, root: Root) -> None:
        """Have notifications of a root that is there, else poll it."""
        tree = root.tree
        tree.top, root.method, root.reason = directory_at(tree.path), WatchMethod.POLL, WHY_NOT
        if self._settings.method is WatchMethod.POLL:
            root.reason = "asked for"
        elif not WHY_NOT:
            try:
                root.notifier = Notifier(
                    tree.path, lambda *what: self._notified(_Touch(root, *what))
                )
                root.method, root.reason = WatchMethod.NOTIFY, ""
            except OSError as error:  # case 39: the limit of inotify watches
                root.reason = (
                    f"notifications failed: {error.strerror or error}"
                    " (see fs.inotify.max_user_watches and max_user_instances)"
                )
        root.pause = self._settings.poll_interval
        polled = root.method is WatchMethod.POLL
        root.poll_at = time.monotonic() + root.pause if polled else float("inf")

    def _unnotify(self, root: Root) -> None:
        root.poll_at = float("inf")
        if root.notifier is not None:
            root.notifier.stop()
            self._ended.append(root.notifier)
            root.notifier = None

    def _notified(self, touch: _Touch) -> None:
        """Keep what was notified, in the notifier's thread."""
        self._touches.append(touch)
        self._wake.set()

    def _take(self) -> None:
        """Make dirty what was notified; whoever has the lock finds all of it here."""
        while self._touches:
            root, path, written, moved = self._touches.popleft()
            if not below(root.tree.path, path):
                root.look_at = 0.0  # the root itself
                continue
            rel = root.tree.rel(path)
            if root.tree.counts(rel):
                root.tree.dirty.touch(rel, written=written, moved=moved)

    def _at(self, path: str) -> Root | None:
        return next((root for root in self._roots if root.tree.path == path), None)

    def _find(self, watch_id: str) -> Root:
        for root in self._roots:
            if root.tree.id == watch_id:
                return root
        raise problem("WATCH_NOT_FOUND", f"watch {quote(watch_id)}")
