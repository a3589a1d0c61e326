"""The roots of the tracker: which path is in which, and whether a root is what it was.

Below a missing or replaced root nothing counts as deleted, for an unmounted disk is
an empty directory.
"""

from __future__ import annotations

import logging
import os
import stat as modes
from collections.abc import Iterable, Mapping

from ..errors import ObbyError
from ..values import AnyPath
from ._content import Stat
from ._database import Database
from ._paths import below, quote
from ._problems import problem
from ._reading import is_regular, stat_of
from ._record import set_root
from ._store import live, root_of

__all__ = ["Roots", "canonical", "clean", "leads_elsewhere"]

_LOG = logging.getLogger("obby_clients.fallback")


def clean(path: str) -> str:
    """Return an absolute path without `.`, `..` and double slashes, or raise INVALID_PATH."""
    if not path.startswith("/") or "\0" in path:
        raise problem("INVALID_PATH", "", f"{quote(path)}: give an absolute path")
    return os.path.normpath(path).replace("//", "/")


def canonical(path: str) -> str:
    """Return the one name of a file: clean, with its directory's symlinks resolved."""
    path = clean(path)
    try:
        directory = os.path.realpath(os.path.dirname(path), strict=True)
    except OSError:
        return path
    return os.path.join(directory, os.path.basename(path))


def leads_elsewhere(directory: str) -> bool:
    """Tell whether a directory's path has become one of symlinks."""
    try:
        return os.path.realpath(directory, strict=True) != directory
    except OSError:
        return False


class Roots:
    """The configured roots, with symlinks resolved; a folder that is missing is waited for."""

    def __init__(self, db: Database, roots: Iterable[AnyPath]) -> None:
        self._db = db
        self.all = [os.path.realpath(os.fsdecode(root)) for root in roots]
        # Roots whose identity is on record, each with the number of the file where it is.
        self._seen: set[tuple[int, str]] = set()

    def resolve(self, path: str) -> tuple[str, str]:
        """Return the canonical form of a path and the root that it is in, or raise."""
        path = canonical(path)
        root = self.of(path)
        if not root and path in self.all:
            raise problem("NOT_A_REGULAR_FILE", "", f"{quote(path)} is a root")
        if not root:
            raise problem("OUTSIDE_ROOTS", quote(path))
        return path, root

    def of(self, path: str) -> str:
        """Return the root that a path is in, of nested ones the innermost; empty: in none."""
        return max((root for root in self.all if below(root, path)), key=len, default="")

    def check(self, root: str) -> None:
        """Raise ROOT_WAITING unless the root is the directory that it was.

        One that was never seen before is no exception: a database that was adopted
        while the disk is not mounted knows files that an empty directory lacks.
        """
        now = _identity(root)
        before = root_of(self._db, root)
        if before == (now.device, now.inode):
            return
        if before is None:
            known = live(self._db, root)
            if not known or _any_exists(known):
                set_root(self._db, root, now)
                return
        raise problem(
            "ROOT_WAITING",
            root,
            "another directory is there now, so nothing below it counts as deleted; put the folder"
            " back, or reconcile with accept_replaced_root",
        )

    def stands(self, root: str) -> bool:
        """Tell whether the root is the directory that it was."""
        try:
            self.check(root)
        except ObbyError as error:
            if error.reason != "ROOT_WAITING":
                raise
            return False
        return True

    def note(self, root: str) -> None:
        """Record the identity of a root that files are read from, once."""
        # Where it does not stand, what exists is recorded; reconcile decides about the rest.
        if (self._db.file, root) not in self._seen and self.stands(root):
            self._seen.add((self._db.file, root))

    def accept(self, root: str, known: Mapping[str, Stat], *, told: bool) -> None:
        """Take the directory at the root's path for the root, where that may be.

        It may where nothing live is known below it, where one known path is there
        again, or where the caller says so.
        """
        now = _identity(root)
        if not told and known and not _any_exists(known):
            self.check(root)
        elif not self.stands(root):
            _LOG.warning("root was replaced and is accepted: %s", root)
            set_root(self._db, root, now)


def _identity(root: str) -> Stat:
    missing = problem(
        "ROOT_WAITING", root, "it is not there, so nothing below it counts as deleted"
    )
    try:
        status = os.stat(root)
    except OSError:
        raise missing from None
    if not modes.S_ISDIR(status.st_mode):
        raise missing
    return stat_of(status)


def _any_exists(known: Mapping[str, Stat]) -> bool:
    return any(map(is_regular, known))
