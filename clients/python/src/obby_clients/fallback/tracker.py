"""The content-tracker in Python: the same rows in the same database."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

from .. import _options
from .._version import __version__
from ..errors import ObbyError
from ..tracker.values import (
    BatchItem,
    ContentHash,
    Forgotten,
    Progress,
    Restored,
    RetentionRule,
    Thinned,
    TrackChange,
    TrackResult,
    UnifiedDiff,
)
from ..values import AnyPath, ChangeType, ServerInfo
from . import _store
from ._aio import Asyncio, Blocking, streaming, unary
from ._content import Content, given, valid
from ._convert import hash_value, request_of
from ._database import Database
from ._diff import CONTEXT, between
from ._forget import forget
from ._index import catch_up
from ._paths import quote, text_of
from ._problems import domain, field, gone, problem
from ._reading import read
from ._reconcile import reconcile
from ._record import set_label
from ._restore import Restoration, check_restoration, restore
from ._retention import check_rule, retain
from ._times import micros_of
from ._tracking import Tracker

__all__ = ["AsyncContentTracker", "ContentTracker"]

_LOG = logging.getLogger("obby_clients.fallback")
_MAX_BATCH, _MAX_CONTEXT = 10_000, 1_000
_MAX_DIFF = 12 << 20
_MAX_GIVEN = 15 << 20
_MAX_LABEL = 200


class _Calls:
    """The calls of the content-tracker: see ContentTrackerClient for each."""

    def __init__(
        self,
        database: AnyPath,
        roots: Iterable[AnyPath],
        *,
        restore_to: Iterable[AnyPath] = (),
        max_content: int = 10 << 20,
        publish: bool = False,
    ) -> None:
        """Track (see the class). Raises TypeError or ValueError for a value that cannot be."""
        folders, others = _options.paths("roots", roots), _options.paths("restore_to", restore_to)
        _options.whole("max_content", max_content, least=0)
        instance, start = str(uuid.uuid4()), datetime.now(timezone.utc)
        self._info = ServerInfo(__version__, ("obby.tracker.v1",), ("python",), instance, start)
        self._restore_to = [os.path.realpath(text_of(folder)) for folder in others]
        self._db = Database(_options.path("database", database))
        self._tracker = Tracker(self._db, folders, max_content, publish=publish)
        with domain(_LOG.error):
            catch_up(self._db)

    def _release(self) -> None:
        self._db.close()

    @unary
    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Describe this fallback."""
        return self._info

    @unary
    def wait_ready(self, timeout: float = 10.0) -> ServerInfo:
        """Describe this fallback, which is ready."""
        return self._info

    @unary
    def track_change(
        self,
        path: AnyPath,
        *,
        change_type: ChangeType | None = None,
        old_path: AnyPath | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> TrackResult:
        """Record the present state of one path; the disk decides what has happened."""
        return self._track(TrackChange(path, change_type, old_path, request_id))

    def _track(self, change: TrackChange) -> TrackResult:
        request = request_of(change)
        with domain(_LOG.error):
            return self._tracker.track(request).value()

    @streaming
    def track_batch(
        self, changes: Iterable[TrackChange], *, timeout: float = 30.0, idle_timeout: float = 10.0
    ) -> Iterator[BatchItem]:
        """Record many paths, at most 10,000, each when its answer is read."""
        return self._batch(list(changes))

    def _batch(self, changes: list[TrackChange]) -> Iterator[BatchItem]:
        if not 1 <= len(changes) <= _MAX_BATCH:
            raise field("items", f"has {len(changes)} items: give 1 to {_MAX_BATCH}")
        for index, change in enumerate(changes):
            try:
                yield BatchItem(index, self._track(change), None)
            except ObbyError as error:
                yield BatchItem(index, None, error)

    @unary
    def content_hash(
        self,
        path: AnyPath | None = None,
        *,
        content: bytes | None = None,
        timeout: float | None = None,
    ) -> ContentHash:
        """Compute the hash of a file or of given content; records nothing."""
        if (path is None) == (content is None):
            raise TypeError("give either path or content")
        if content is not None:
            if len(content) > _MAX_GIVEN:
                raise field(
                    "content",
                    f"has {len(content)} bytes, more than 15 MiB: give the path of a file",
                )
            return hash_value(given(content))
        assert path is not None
        name, root = self._tracker.roots.resolve(text_of(path))
        try:
            with domain(_LOG.error):
                return hash_value(read(root, name, self._tracker.max_content, keep=False))
        except ObbyError as error:
            if isinstance(error.__cause__, OSError) and gone(error.__cause__):
                raise problem("FILE_NOT_FOUND", quote(name)) from error.__cause__
            raise

    @unary
    def generate_diff(
        self,
        old: bytes | int,
        new: bytes | int,
        *,
        path: str = "file",
        context_lines: int = CONTEXT,
        timeout: float | None = None,
    ) -> UnifiedDiff:
        """Compute the unified diff between two contents; records nothing."""
        if not 0 <= context_lines <= _MAX_CONTEXT:
            raise field(
                "context_lines", f"{context_lines} is out of range: give 0 to {_MAX_CONTEXT}"
            )
        name = path or "file"
        with domain(_LOG.error):
            diff = between((name, name), self._side(old), self._side(new), context_lines, _MAX_DIFF)
        if diff.truncated:
            raise problem("DIFF_TOO_LARGE")
        return UnifiedDiff(valid(diff.text), diff.added, diff.removed, False)

    def _side(self, content: bytes | int) -> Content:
        if not isinstance(content, int):
            return given(content)
        return _store.content_of(self._db, content, needed=True)

    @streaming
    def reconcile(
        self,
        path: AnyPath | None = None,
        *,
        accept_replaced_root: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 10.0,
    ) -> Iterator[Progress]:
        """Compare a root, or every root, with what is recorded, and record what was missed."""
        roots = self._tracker.roots.all if path is None else [text_of(path)]
        return self._reconcile(roots, accept=accept_replaced_root)

    def _reconcile(self, roots: list[str], *, accept: bool) -> Iterator[Progress]:
        with domain(_LOG.error):
            catch_up(self._db)
            file = self._db.file
            for root in roots:
                for progress in reconcile(self._tracker, root, accept=accept):
                    yield progress
                    self._db.same(file)  # what is known of the root is of that file

    @streaming
    def restore(
        self,
        path: AnyPath | None = None,
        *,
        as_of: datetime | None = None,
        version_id: int = 0,
        destination: AnyPath | None = None,
        remove_others: bool = False,
        dry_run: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 60.0,
    ) -> Iterator[Restored]:
        """Write recorded content back to the disk: a version, or a path as of a time."""
        if as_of is not None and as_of.utcoffset() is None:
            raise ValueError(f"{as_of!r} has no time zone")
        wanted = Restoration(
            version_id,
            "" if path is None else text_of(path),
            0 if as_of is None else micros_of(as_of),
            "" if destination is None else text_of(destination),
            remove_others,
            dry_run,
        )
        check_restoration(wanted, timed=as_of is not None)
        return self._restore(wanted)

    def _restore(self, wanted: Restoration) -> Iterator[Restored]:
        with domain(_LOG.error):
            yield from restore(self._tracker, self._restore_to, wanted)

    @unary
    def set_version_label(
        self,
        version_id: int,
        label: str = "",
        *,
        pinned: bool = False,
        timeout: float | None = None,
    ) -> None:
        """Give a version a label, pin it so that retention keeps it, or take both back."""
        if len(label) > _MAX_LABEL:
            raise field("label", f"has {len(label)} characters: give at most {_MAX_LABEL}")
        with domain(_LOG.error):
            set_label(self._db, version_id, label, pinned=pinned)

    @streaming
    def apply_retention(
        self,
        rules: Iterable[RetentionRule] = (),
        *,
        max_bytes: int = 0,
        dry_run: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 600.0,
    ) -> Iterator[Thinned]:
        """Thin out the history by the given rules; the last item has the totals."""
        if max_bytes < 0:
            raise field("max_bytes", f"{max_bytes} is negative")
        given = list(rules)
        for rule in given:
            check_rule(rule)
        if not given and not max_bytes:
            raise problem("NO_POLICY")
        return self._retain(given, max_bytes, dry=dry_run)

    def _retain(self, rules: list[RetentionRule], most: int, *, dry: bool) -> Iterator[Thinned]:
        with domain(_LOG.error):
            yield from retain(self._tracker, rules, most, dry=dry)

    @unary
    def forget(
        self,
        path: AnyPath,
        *,
        recursive: bool = False,
        dry_run: bool = False,
        vacuum: bool = False,
        timeout: float | None = None,
    ) -> Forgotten:
        """Forget a path for good; with `vacuum` no byte of it is left in the database."""
        name = text_of(path)
        if not name:
            raise field("path", "is empty: give the absolute path to forget")
        with domain(_LOG.error):
            return forget(self._tracker, name, recursive=recursive, dry=dry_run, vacuum=vacuum)


class ContentTracker(_Calls, Blocking):
    """Tracks files in this process; every call blocks.

    `roots` are the folders whose files may be tracked; a folder that is missing is
    waited for. Files may be restored to the folders of `restore_to`, too. Of a file over
    `max_content` bytes only the hash is kept. With `publish`, recorded steps wait in the
    outbox for whoever publishes them.

    Raises FailedPreconditionError where the database cannot be used; the message
    says what to do.
    """


class AsyncContentTracker(_Calls, Asyncio):
    """The same for asyncio: await calls, `async for` streams."""
