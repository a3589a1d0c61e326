"""What has come to rest is compared with what is known; the difference is the event."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import takewhile

from ..watcher.values import ChangeType, EntryKind, Event, WatchMethod
from ._journal import Journal, Recorded
from ._known import Below
from ._marks import Arrival, Mark, ident
from ._notify import Notifier
from ._paths import below
from ._patterns import PATTERN_FILES, Patterns
from ._times import datetime_of
from ._tree import Tree

__all__ = ["PAIR_WAIT", "Root", "Settler"]

PAIR_WAIT = 0.1
"""Seconds that a file which has vanished waits for the other half of a rename."""

_NEVER = float("inf")


@dataclass(slots=True)
class Root:
    """A tree, and how what happens in it is noticed; times are monotonic."""

    tree: Tree
    method: WatchMethod = WatchMethod.POLL
    reason: str = ""
    """Why it is polled."""
    notifier: Notifier | None = None
    pause: float = 0.0
    poll_at: float = field(default=float("inf"))
    rescan_at: float = field(default=float("inf"))
    look_at: float = field(default_factory=time.monotonic)


class Settler:
    """Makes the events of some roots. It is used under its watcher's lock."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.roots: list[Root] = []

    def settle(self, *, everything: bool) -> bool:
        """Report what has come to rest; find what has vanished from any root first."""
        now = float("inf") if everything else time.monotonic()
        found: list[tuple[Root, dict[str, Arrival]]] = []
        before = self._journal.head()
        for root in self.roots:
            rested = root.tree.dirty.due(now)
            for old, new in root.tree.moves(rested):
                self._move_directory(root, old, new, rested)
            found.append((root, root.tree.look(rested)))
            if rested.keys() & set(PATTERN_FILES):
                self.reload(root)
        for root, arrivals in found:
            for arrival in arrivals.values():
                if root.tree.patterns.match(arrival.rel):  # they may be others by now
                    self._arrive(root, arrival)
        for root in self.roots:
            self._bury(root, now)
        return self._journal.head() != before

    def next_due(self) -> float:
        """Return when there is something to settle; infinity: never."""
        waits = (
            min(root.tree.dirty.next_due(), next(iter(departed.values()), _NEVER) + PAIR_WAIT)
            for root in self.roots
            for departed in [root.tree.departed]
        )
        return min(waits, default=_NEVER)

    def _move_directory(self, root: Root, old: str, new: str, rested: Below[Mark]) -> None:
        deleted, uncovered, moved = root.tree.rename(old, new, rested)
        for rel in [*deleted, *uncovered]:
            self._emit(root, ChangeType.DELETED, rel)
        if moved:
            status = os.lstat(root.tree.full(new))
            self._emit(
                root,
                ChangeType.RENAMED,
                new,
                kind=EntryKind.DIRECTORY,
                old_path=root.tree.full(old),
                mtime=status.st_mtime_ns,
            )

    def _arrive(self, root: Root, arrival: Arrival) -> None:
        tree, rel, stat = root.tree, arrival.rel, arrival.stat
        known = tree.files.get(rel)
        other = known is None or ident(known) != ident(stat)
        if other and self._renamed(root, arrival):
            return
        tree.departed.pop(rel, None)
        tree.files[rel] = stat
        if known is None:
            initial = arrival.mark.initial
            self._emit(root, ChangeType.CREATED, rel, stat.size, stat.mtime, initial=initial)
            return
        changed = other or (known.size, known.mtime) != (stat.size, stat.mtime)
        tells = arrival.mark.written or root.method is WatchMethod.POLL
        if changed or (tells and known.ctime != stat.ctime):
            self._emit(root, ChangeType.MODIFIED, rel, stat.size, stat.mtime)

    def _renamed(self, root: Root, arrival: Arrival) -> bool:
        """Report the arrival of a file that has departed elsewhere."""
        for other in [root, *self.roots]:  # roots inside of each other see both names
            nested = below(other.tree.path, root.tree.path) or below(
                root.tree.path, other.tree.path
            )
            old = None if nested else _departed(other.tree, arrival)
            if old is None or (other is root and old == arrival.rel):
                continue
            other.tree.forget(old)
            root.tree.forget(arrival.rel)
            root.tree.files[arrival.rel] = arrival.stat
            self._emit(
                root,
                ChangeType.RENAMED,
                arrival.rel,
                arrival.stat.size,
                arrival.stat.mtime,
                old_path=other.tree.full(old),
                old_watch="" if other is root else other.tree.id,
            )
            return True
        return False

    def _bury(self, root: Root, now: float) -> None:
        """Report as deleted what waited in vain for the other half of a rename."""
        tree = root.tree
        for rel, _ in list(takewhile(lambda one: now >= one[1] + PAIR_WAIT, tree.departed.items())):
            one = ident(tree.files[rel])
            if any(root.tree.dirty.awaits(one) for root in self.roots):
                tree.departed[rel] = time.monotonic()  # it turned up and has yet to settle
                tree.departed.move_to_end(rel)
                continue
            tree.forget(rel)
            self._emit(root, ChangeType.DELETED, rel)
        if tree.lost_at and tree.top is None and now >= tree.lost_at + tree.delay:
            tree.lost_at = 0.0
            for rel in list(tree.files):
                tree.forget(rel)
                self._emit(root, ChangeType.DELETED, rel)

    def reload(self, root: Root) -> None:
        """Read the pattern files, and follow them."""
        if root.tree.reload():
            self.adopt(root, root.tree.from_files)

    def adopt(self, root: Root, patterns: Patterns) -> None:
        """Put other patterns in force; what they cover now is looked for."""
        for rel in root.tree.adopt(patterns):
            self._emit(root, ChangeType.DELETED, rel)
        if root.tree.top:
            root.tree.scan(initial=True)

    def _emit(
        self,
        root: Root,
        change_type: ChangeType,
        rel: str,
        size: int | None = None,
        mtime: int | None = None,
        *,
        kind: EntryKind = EntryKind.FILE,
        old_path: str | None = None,
        old_watch: str = "",
        initial: bool = False,
    ) -> None:
        event = Event(
            watch_id=root.tree.id,
            change_type=change_type,
            kind=kind,
            path=root.tree.full(rel),
            old_path=old_path,
            size_bytes=size,
            modify_time=None if mtime is None else datetime_of(mtime // 1000),
            observe_time=datetime.now(timezone.utc),
            initial=initial,
        )
        self._journal.append(Recorded(event, old_watch))


def _departed(tree: Tree, arrival: Arrival) -> str | None:
    """Return the departed path of a file that has arrived elsewhere.

    The number of an inode is given to the next file: a rename is told by the mark of
    one, or by a time of modification that stayed.
    """
    names = tree.files.names(ident(arrival.stat))
    old = next((rel for rel in names if rel in tree.departed), None)
    if old is None or arrival.mark.moved or tree.files[old].mtime == arrival.stat.mtime:
        return old
    return None
