"""A stream of steps: from a place to the newest, or further as they are committed."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace

from ...errors import DeadlineError, ObbyError, UnavailableError
from ...query.values import Diff
from .arguments import Range
from .diffs import Position, Query, diffs, last_position
from .errors import of_sqlite
from .reader import Answers, Reader

__all__ = ["Steps"]

_PAGE = 500
_POLL = 0.2  # seconds between two looks at whether something was committed

Item = tuple["Diff | None", str]
"""A step, None for what moves the cursor alone, and the cursor behind it."""


class Steps:
    """What a stream of steps reads. A thread reads ahead, at most one page.

    Nothing is held open while the reader of the stream is busy (case 50).
    """

    def __init__(
        self,
        reader: Reader,
        query: Query,
        since: int | str,
        *,
        follow: bool,
        end: float,
        retry_for: float,
    ) -> None:
        self.cursor = since if isinstance(since, str) else ""
        self._reader, self._query, self._since = reader, query, since
        self._follow, self._retry_for = follow, retry_for
        self._end = end
        self._change = threading.Condition()  # guards what follows
        self._ahead: deque[Item] = deque()
        self._error: BaseException | None = None
        self._over = False
        self._changed: Callable[[], None] | None = None

    def take(self) -> Diff | None:
        """Return the next step, None where none is there yet; StopIteration: the end."""
        with self._change:
            while self._ahead:
                diff, self.cursor = self._ahead.popleft()
                if not self._ahead:
                    self._change.notify_all()
                if diff is not None:
                    return diff
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            if self._over:
                raise StopIteration
            return None

    def listen(self, changed: Callable[[], None]) -> None:
        """Begin; `changed` is called whenever `take` may have something else to say."""
        self._changed = changed
        threading.Thread(target=self._run, name="obby-steps", daemon=True).start()

    def close(self, error: ObbyError | None = None) -> None:
        """End the stream, or have it end with an error."""
        with self._change:
            self._over, self._error = True, error
            self._ahead.clear()
            self._tell()

    def _tell(self) -> None:
        self._change.notify_all()
        if self._changed is not None:
            self._changed()

    def _run(self) -> None:
        """Read ahead, until the end or until the stream is closed."""
        error: BaseException | None = None
        try:
            for items in self._batches():
                with self._change:
                    if self._over:
                        return
                    self._ahead.extend(items)
                    self._tell()
                    self._change.wait_for(lambda: self._over or not self._ahead)
                    if self._over:
                        return
        except Exception as raised:  # whatever it is, the reader of the stream gets it
            error = raised
        with self._change:
            if not self._over:
                self._over, self._error = True, error
                self._tell()

    def _batches(self) -> Iterator[list[Item]]:
        query, since = self._query, self._since
        filter_ = query.filter.checked()
        if not isinstance(since, str):
            start = max(filter_.range.start or since, since)
            filter_ = replace(filter_, range=Range(start, filter_.range.end))
        with self._reader.opened() as answers:
            last = last_position(answers)
            after = Position.resumed(since, last, answers).id if isinstance(since, str) else 0
        query = replace(query, filter=filter_, oldest_first=True)
        while True:
            yield from self._until(replace(query, after=after, before=last.id + 1), last)
            after = last.id
            if not self._follow:
                return
            yield [(None, last.token())]
            if (following := self._next(last)) is None:
                return
            last = following

    def _until(self, query: Query, last: Position) -> Iterator[list[Item]]:
        more = True
        while more:
            with self._reader.opened() as answers:
                page = diffs(answers, query, _PAGE)
                Position.resumed(last.token(), last_position(answers), answers)
            yield [(diff, Position.behind(diff, last.database).token()) for diff in page.items]
            more = page.more
            if more:
                query = replace(query, after=page.items[-1].change_id)

    def _next(self, last: Position) -> Position | None:
        """Wait until there is more than the last position; return the new one, None: closed."""
        lost = math.inf  # when the database has been away for too long
        with closing(_Watch(self._reader)) as watch:
            while self._pause():
                try:
                    found = watch.last(last)
                except UnavailableError:
                    lost = min(lost, time.monotonic() + self._retry_for)
                    if time.monotonic() >= lost:
                        raise
                    continue
                lost = math.inf
                if found.id > last.id:
                    return found
        return None

    def _pause(self) -> bool:
        """Wait a little; return False where the stream is closed meanwhile."""
        with self._change:
            left = self._end - time.monotonic()
            if left <= 0:
                raise DeadlineError("the time for the stream is over")
            return not self._change.wait_for(lambda: self._over, min(_POLL, left))


class _Watch:
    """Looks, at little cost, whether something was committed: at SQLite's own counter."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._open = ExitStack()
        self._answers: Answers | None = None
        self._seen: tuple[object, ...] = ()
        self._last: Position

    def last(self, known: Position) -> Position:
        """Return the position of the last step that was ever recorded.

        Raises InvalidArgumentError where that of before is none of the file any more:
        another one may lie there now, or an older copy that has given its id again.
        """
        identity = self._reader.identity()
        if self._answers is None or self._seen[:1] != (identity,):
            self.close()
            self._answers = self._open.enter_context(self._reader.opened())
        try:
            version = self._answers.connection.execute("PRAGMA data_version").fetchone()
            seen = (identity, *version)
            if seen != self._seen:
                found = last_position(self._answers)
                Position.resumed(known.token(), found, self._answers)
                self._last, self._seen = found, seen
        except sqlite3.Error as error:
            self.close()
            raise of_sqlite(error) or error from error
        return self._last

    def close(self) -> None:
        """Close the connection."""
        self._open.close()
        self._answers, self._seen = None, ()
