"""Writing recorded content back to the disk.

What is there is recorded first, so nothing is lost, and what is written is recorded as
a new step. A file is replaced by one rename: whoever reads it sees the old content or
the new one.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import stat as modes
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import ObbyError
from ..tracker.values import Restored, RestoreOutcome
from . import _history, _store
from ._content import NO_STAT, OMITTED, TEXT, Content, Stat
from ._paths import below, quote
from ._patterns import load
from ._problems import domain, field, gone, problem
from ._reading import explain, opened_directory, read, stat_of
from ._reconcile import compare
from ._roots import clean
from ._times import datetime_of
from ._tracking import Request, Tracker

__all__ = ["Restoration", "check_restoration", "restore"]

_LOG = logging.getLogger("obby_clients.fallback")
_Done = tuple[RestoreOutcome, int]  # with the step that was recorded; 0: none
_EMPTY = Content("", TEXT, "none", 0, 0, None)


@dataclass(frozen=True, slots=True)
class Restoration:
    """What to restore, and where to."""

    version: int = 0
    """0: `path` as of `at`."""
    path: str = ""
    at: int = 0
    destination: str = ""
    """Empty: in place."""
    remove_others: bool = False
    dry: bool = False


def check_restoration(wanted: Restoration, *, timed: bool) -> None:
    """Raise InvalidArgumentError for what names neither a version nor a path with a time."""
    if wanted.version < 0:
        raise field("version_id", f"{wanted.version} is not the id of a version")
    if wanted.version and (wanted.path or timed):
        raise field("version_id", "is set beside path or as_of_time: give one or the other")
    if not wanted.version and not wanted.path:
        raise field("path", "is empty: give version_id, or path and as_of_time")
    if not wanted.version and not timed:
        raise field("as_of_time", "is not set: say as of when the path is to be restored")
    if wanted.remove_others and (wanted.version or wanted.destination):
        raise field("remove_others", "is set for what is no folder in place")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a file may be written: in a root, or in another folder that is named for it."""

    path: str
    folder: str
    tracked: bool


def restore(tracker: Tracker, restore_to: list[str], wanted: Restoration) -> Iterator[Restored]:
    """Restore what is wanted, file by file; one that fails stops no other."""
    work = _Restore(tracker, restore_to, wanted)
    files = work.files()
    others = work.others([path for path, _ in files]) if wanted.remove_others else []
    for path, version in files:
        yield _told(path, version, functools.partial(work.put_back, path, version))
    for path in others:
        yield _told(path, 0, functools.partial(work.take_away, path))


def _told(path: str, version: int, do: Callable[[], _Done]) -> Restored:
    try:
        with domain(_LOG.error):
            outcome, change = do()
    except ObbyError as error:
        return Restored(path, RestoreOutcome.UNSPECIFIED, version or None, None, error)
    return Restored(path, outcome, version or None, change or None, None)


class _Restore:
    """One restoration under way."""

    def __init__(self, tracker: Tracker, restore_to: list[str], wanted: Restoration) -> None:
        self._tracker, self._restore_to, self._wanted = tracker, restore_to, wanted

    def files(self) -> list[tuple[str, int]]:
        """Return what is to be written: where to, and the version whose content it is."""
        wanted = self._wanted
        if wanted.version:
            path = wanted.destination or _store.path_of(self._tracker.db, wanted.version)
            self._place(path)
            return [(path, wanted.version)]
        start = clean(wanted.path)
        files = _history.files_at(self._tracker.db, start, wanted.at)
        if not files:
            moment = datetime_of(wanted.at).isoformat(timespec="seconds").replace("+00:00", "Z")
            raise problem("NOTHING_THEN", f"{quote(start)} as of {moment}")
        end = clean(wanted.destination) if wanted.destination else start
        self._place(os.path.join(end, "file"))  # it may be a root
        return [(end + path[len(start) :], version) for path, version in files]

    def others(self, files: list[str]) -> list[str]:
        """Return the files below the folder that were not there then and count there."""
        folder = os.path.normpath(self._wanted.path)
        place = self._place(os.path.join(folder, "file"))
        if not self._wanted.dry:
            compare(self._tracker, folder)
        patterns = load(place.folder)
        found = _store.live(self._tracker.db, folder).keys() - set(files)
        return sorted(path for path in found if patterns.match(os.path.relpath(path, place.folder)))

    def put_back(self, path: str, version: int) -> _Done:
        """Give a path the content of a version."""
        place = self._place(path)
        now = self._replaceable(place)
        content = _store.content_of(self._tracker.db, version, needed=True)
        if self._same(place, now, content, version):
            return RestoreOutcome.UNCHANGED, 0
        if self._wanted.dry:
            return RestoreOutcome.WRITTEN, 0
        if now.hash and not place.tracked:
            raise problem("IN_THE_WAY", quote(place.path))
        _write(place, _on_disk(content), now.stat)
        return self._recorded(place, RestoreOutcome.WRITTEN)

    def take_away(self, path: str) -> _Done:
        """Remove a file that was not there at the time.

        That no step says that it was is not enough, for retention may have removed that
        step: the change log, which it leaves as it is, must not say so either.
        """
        if _history.logged_at(self._tracker.db, path, self._wanted.at):
            raise problem(
                "CONTENT_NOT_STORED",
                f"{quote(path)} was there then, but what it was is thinned out of the history, so"
                " it is left as it is",
            )
        place = self._place(path)
        now = self._replaceable(place)
        if self._wanted.dry or not now.hash:
            return RestoreOutcome.REMOVED, 0
        with opened_directory(place.folder, os.path.dirname(place.path)) as directory:
            _check_unchanged(directory, place.path, now.stat)
            os.remove(os.path.basename(place.path), dir_fd=directory)
        return self._recorded(place, RestoreOutcome.REMOVED)

    def _place(self, path: str) -> _Place:
        try:
            canonical, root = self._tracker.roots.resolve(path)
        except ObbyError as error:
            if error.reason != "OUTSIDE_ROOTS":
                raise
        else:
            return _Place(canonical, root, True)
        path = clean(path)
        for folder in self._restore_to:
            if below(folder, path):
                return _Place(path, folder, False)
        raise problem("OUTSIDE_ROOTS", quote(path), "and the folders of restore_to")

    def _replaceable(self, place: _Place) -> Content:
        """Return what is at a place: no hash where nothing is. In a root it is on record then."""
        try:
            if not modes.S_ISREG(os.lstat(place.path).st_mode):
                raise problem("IN_THE_WAY", quote(place.path), "it is no regular file")
            now = read(place.folder, place.path, self._tracker.max_content)
        except OSError as error:
            if gone(error):
                return _EMPTY
            raise explain(place.path, error) from error
        if now.kind == OMITTED:
            raise problem("IN_THE_WAY", quote(place.path), "it is too large to be on record")
        if not self._wanted.dry and place.tracked:
            self._keep(place, now)
        return now

    def _keep(self, place: _Place, now: Content) -> None:
        """Have what is at a place recorded. Recorded is not kept: the row may have no content."""
        version = self._tracker.track(Request(place.path)).version
        if version is None or version.hash != now.hash:
            raise problem("FILE_KEEPS_CHANGING", quote(place.path))
        if _store.content_of(self._tracker.db, version.id).kind == OMITTED:
            raise problem("IN_THE_WAY", quote(place.path), "it is on record without its content")

    def _same(self, place: _Place, now: Content, content: Content, version: int) -> bool:
        """Tell whether a place has a version's content already, line ends included.

        A version has one kind of them, that of its path: at that path they cannot differ.
        """
        if now.hash != content.hash:
            return False
        ends = "lf" if content.eol == "mixed" != now.eol else content.eol
        if {content.kind, now.kind} != {TEXT} or ends in {"", now.eol}:
            return True
        return _store.path_of(self._tracker.db, version) == place.path

    def _recorded(self, place: _Place, outcome: RestoreOutcome) -> _Done:
        if not place.tracked:
            return outcome, 0
        return outcome, self._tracker.track(Request(place.path)).change_id


def _on_disk(content: Content) -> bytes:
    """Return a content with the line ends that it last had."""
    body = content.body or b""
    ends = {"crlf": b"\r\n", "cr": b"\r"}.get(content.eol)
    return body.replace(b"\n", ends) if ends and content.kind == TEXT else body


def _write(place: _Place, body: bytes, before: Stat) -> None:
    parent, name = os.path.split(place.path)
    if os.path.realpath(parent) != parent:
        raise problem("OUTSIDE_ROOTS", quote(place.path))  # a symlink has taken a directory's name
    os.makedirs(parent, 0o755, exist_ok=True)
    with opened_directory(place.folder, parent) as directory:
        temporary = f".obby-restore-{os.getpid()}-{time.time_ns()}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        handle = os.open(temporary, flags, 0o644, dir_fd=directory)
        try:
            with open(handle, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(handle)
                with contextlib.suppress(FileNotFoundError):
                    there = os.stat(name, dir_fd=directory, follow_symlinks=False)
                    os.fchmod(handle, modes.S_IMODE(there.st_mode))
            _check_unchanged(directory, place.path, before)
            os.replace(temporary, name, src_dir_fd=directory, dst_dir_fd=directory)
        except BaseException:
            os.unlink(temporary, dir_fd=directory)
            raise
        os.fsync(directory)


def _check_unchanged(directory: int, path: str, before: Stat) -> None:
    """Raise FILE_KEEPS_CHANGING unless the file is still what it was when it was recorded."""
    try:
        now = stat_of(os.stat(os.path.basename(path), dir_fd=directory, follow_symlinks=False))
    except FileNotFoundError:
        now = NO_STAT
    if now != before:
        raise problem("FILE_KEEPS_CHANGING", quote(path))
