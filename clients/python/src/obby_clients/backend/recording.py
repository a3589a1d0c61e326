"""Has what watchers report recorded, one path at a time in order, until it is."""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    ObbyError,
    PermissionDeniedError,
)
from ..tracker import ChangeType, TrackChange, TrackResult
from ..watcher import ChangeType as Seen
from ..watcher import EntryKind, Event

if TYPE_CHECKING:
    from ..routing import AsyncObby

__all__ = ["Recorder"]

_LOG = logging.getLogger("obby_clients.backend")
_AT_ONCE = 8  # paths that are recorded at the same time
_AGAIN = 1.0  # seconds until what failed for the moment is tried again
_SETTLES = 10  # quiet delays after which a watcher has reported a path at the latest
_ANSWERS = (NotFoundError, InvalidArgumentError, PermissionDeniedError)
_HINTS = {
    Seen.CREATED: ChangeType.CREATED,
    Seen.MODIFIED: ChangeType.MODIFIED,
    Seen.DELETED: ChangeType.DELETED,
}


class Recorder:
    """Records what changes below one root.

    What is reported is work to do, not an event to pass on: a path that is named
    twice is looked at once. Nothing of it is kept over a restart, because every start
    compares the whole root.
    """

    def __init__(self, obby: AsyncObby, root: str, debounce: timedelta) -> None:
        """Record through `obby`, whose flags say for each path which side does it."""
        self._obby, self._root = obby, root
        self._settle = _SETTLES * debounce.total_seconds() + _AGAIN
        self._pending: dict[str, TrackChange] = {}
        self._moved: dict[str, str] = {}  # of the pending paths, where from
        self._later: dict[str, float] = {}  # paths to look at again, and when
        self._compare_at: float | None = None
        self._wake = asyncio.Event()
        self._waits = False
        self._failed: dict[str, ObbyError] = {}  # paths that are tried again, and why
        self._told: set[object] = set()  # the causes of these that the log has
        self._most = 0  # of such paths at one time

    def report(self, event: Event) -> None:
        """Take an event of a watcher."""
        if event.kind is EntryKind.DIRECTORY:  # every file below it has moved
            return self.resync()
        old = event.old_path if event.change_type is Seen.RENAMED else None
        if old is not None:
            self._pending.setdefault(old, TrackChange(old))
        else:  # where it moved and has changed again, it still has moved
            old = self._moved.get(event.path)
        hint = ChangeType.MOVED if old is not None else _HINTS.get(event.change_type)
        self._pending[event.path] = TrackChange(event.path, hint, old)
        if old is not None:
            self._moved[event.path] = old
        self._wake.set()
        return None

    def resync(self) -> None:
        """Have the whole root compared with what is recorded."""
        self._compare_at = 0.0
        self._wake.set()

    async def run(self) -> None:
        """Record until cancelled."""
        while True:
            await self._work_to_do()
            if self._compare_at is not None and self._compare_at <= time.monotonic():
                await self._compare()
            work, self._pending, self._moved = list(self._pending.values()), {}, {}
            # Moves first: a former path that is looked at alone would count as deleted.
            await self._record([change for change in work if change.old_path is not None])
            await self._record([change for change in work if change.old_path is None])
            self._tell()

    async def _work_to_do(self) -> None:
        """Wait until there is something to do."""
        while True:
            now = time.monotonic()
            for path in [path for path, due in self._later.items() if due <= now]:
                del self._later[path]
                self._pending.setdefault(path, TrackChange(path))
            dues = [*self._later.values()]
            if self._compare_at is not None:
                dues.append(self._compare_at)
            if self._pending or any(due <= now for due in dues):
                return
            self._wake.clear()
            rest = min(dues) - now if dues else None
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._wake.wait(), rest)

    async def _compare(self) -> None:
        """Compare the root; again later where that failed, or found something."""
        self._compare_at = None
        changes = 0
        try:
            stream = self._obby.tracker.reconcile(self._root)
            async for progress in stream:
                changes = progress.changes_recorded
        except ObbyError as error:
            self._again(_AGAIN)
            if not self._waits:
                self._waits = True
                _LOG.warning("root is not compared yet, trying again: %s: %s", self._root, error)
            return
        self._waits = False
        _LOG.info("root compared with the disk: %s: changes=%d", self._root, changes)
        if changes:
            self._again(self._settle)  # some of it may have been there for a moment only

    def _again(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        self._compare_at = due if self._compare_at is None else min(due, self._compare_at)

    async def _record(self, changes: list[TrackChange]) -> None:
        for start in range(0, len(changes), _AT_ONCE):
            await asyncio.gather(*map(self._one, changes[start : start + _AT_ONCE]))

    async def _one(self, change: TrackChange) -> None:
        path = str(change.path)
        self._failed.pop(path, None)
        try:
            result = await self._obby.tracker.track_change(
                path,
                change_type=change.change_type,
                old_path=change.old_path,
                request_id=str(uuid.uuid4()),
            )
        except _ANSWERS as error:
            if not isinstance(error, NotFoundError):
                _LOG.warning("file is not recorded: %s", error)
            elif change.change_type is not None and change.change_type is not ChangeType.DELETED:
                self._doubt(path)
        except FailedPreconditionError as error:
            _LOG.warning("file is not recorded, its root will be compared: %s", error)
            self._again(self._settle)
        except ObbyError as error:
            self._failed[path] = error
            self._later[path] = time.monotonic() + _AGAIN
            if change.old_path is not None:
                self._again(_AGAIN)
        else:
            if _contradicts(change, result):
                self._doubt(path)

    def _tell(self) -> None:
        """Log each cause of failures once, and when there are none any more."""
        causes = Counter(map(_cause, self._failed.values()))
        for path, error in self._failed.items():
            if (cause := _cause(error)) not in self._told:
                self._told.add(cause)
                said = "not recorded yet, trying again: %d files, the first is %s: %s"
                _LOG.warning(said, causes[cause], path, error)
        self._most = max(self._most, len(self._failed))
        if self._told and not self._failed:
            _LOG.warning(
                "every file is recorded that had to wait: at most %d files at one time", self._most
            )
            self._told.clear()
            self._most = 0

    def _doubt(self, path: str) -> None:
        """Look at a path again once its watcher must have settled it.

        The disk was ahead of the event. What is reported next is relative to what the
        watcher has told, so a file that came and went meanwhile is never mentioned.
        """
        self._later[path] = time.monotonic() + self._settle


def _cause(error: ObbyError) -> object:
    """Return what failures have in common; the sentences may name the files."""
    return error.code, error.reason


def _contradicts(change: TrackChange, result: TrackResult) -> bool:
    """Tell whether a file is there where the event said deleted, or the other way round."""
    if change.change_type is None:
        return False
    return (change.change_type is ChangeType.DELETED) is (result.version is not None)
