"""What the history is made of: versions, heads, and the steps between them.

Times are microseconds since the Unix epoch, or nanoseconds where a file's are meant.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ..tracker.values import LineEnding, TrackOutcome, TrackResult, UnifiedDiff
from ..tracker.values import Version as VersionValue
from ..values import ChangeType, ContentKind
from ._content import ENDINGS, KINDS, NO_STAT, OMITTED, Content, Stat, valid
from ._diff import NO_DIFF, Diff
from ._times import datetime_of

__all__ = ["CREATED", "DELETED", "MODIFIED", "MOVED", "Head", "Result", "Step", "Version"]

# The values of the change_type columns.
CREATED, MODIFIED, DELETED, MOVED = "created", "modified", "deleted", "moved"
_TYPES = {
    CREATED: ChangeType.CREATED,
    MODIFIED: ChangeType.MODIFIED,
    DELETED: ChangeType.DELETED,
    MOVED: ChangeType.MOVED,
}


@dataclass(frozen=True, slots=True)
class Version:
    """One distinct content of a path, as it is stored."""

    id: int = 0
    hash: str = ""
    line_count: int = 0
    size: int = 0
    kind: str = ""
    """Empty where another program wrote the row."""
    eol: str = ""
    observed: int | None = None
    mtime: int | None = None
    """Nanoseconds; None where another program wrote the row."""

    def lacks(self, content: Content) -> bool:
        """Tell whether the version is kept without a content that is to be had."""
        return content.kind != OMITTED and self.kind in {OMITTED, ""}

    def told_by(self, content: Content) -> Version:
        """Return the version as its file, which still has that content, is now."""
        kind = content.kind if self.lacks(content) else self.kind
        return replace(
            self, kind=kind, eol=content.eol, size=content.size, mtime=content.stat.mtime
        )

    def value(self) -> VersionValue:
        """Return what a caller is told."""
        return VersionValue(
            version_id=self.id,
            content_hash=self.hash,
            line_count=self.line_count,
            size_bytes=self.size,
            kind=KINDS.get(self.kind, ContentKind.UNSPECIFIED),
            line_ending=ENDINGS.get(self.eol, LineEnding.UNSPECIFIED),
            observe_time=datetime_of(self.observed or 0),
            modify_time=_modified(self.mtime),
        )


NO_VERSION = Version()


def _modified(mtime: int | None) -> datetime | None:
    return None if mtime is None else datetime_of(mtime // 1000)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a path stands: its newest version, or none."""

    known: bool = False
    """The path was recorded before."""
    version: Version = NO_VERSION
    stat: Stat = NO_STAT
    """As last tracked."""
    observed: int | None = None
    """When the newest step was."""

    @property
    def live(self) -> bool:
        """The path is recorded as existing."""
        return self.version.id != 0


NO_HEAD = Head()


@dataclass(frozen=True, slots=True)
class Step:
    """One change to record; all its rows are one transaction."""

    root: str
    path: str
    observed: int
    type: str = ""
    """Empty: nothing has changed."""
    old_path: str = ""
    """MOVED: the former path."""
    before: Head = NO_HEAD
    """Of `path`, or of `old_path` when MOVED: what the diff starts from."""
    over: Head = NO_HEAD
    """MOVED: of `path`, which the file has taken."""
    after: Content | None = None
    """None when DELETED, and when MOVED without reading."""
    stat: Stat = NO_STAT
    diff: Diff = NO_DIFF
    request_id: str = ""

    @property
    def tells(self) -> bool:
        """The content is the recorded one, but something else of the file is new (case 3)."""
        after, version = self.after, self.before.version
        return after is not None and (
            self.stat != self.before.stat or after.eol != version.eol or version.lacks(after)
        )

    @property
    def new_hash(self) -> str | None:
        """Hash after the step; None when DELETED."""
        if self.type == DELETED:
            return None
        return self.after.hash if self.after else self.before.version.hash


@dataclass(frozen=True, slots=True)
class Result:
    """What tracking a path did."""

    recorded: bool = False
    change_id: int = 0
    type: str = ""
    version: Version | None = None
    old_version: int = 0
    diff: Diff = NO_DIFF

    def value(self) -> TrackResult:
        """Return what a caller is told."""
        diff = self.diff
        return TrackResult(
            outcome=TrackOutcome.RECORDED if self.recorded else TrackOutcome.UNCHANGED,
            change_id=self.change_id or None,
            change_type=_TYPES[self.type] if self.recorded else None,
            version=self.version.value() if self.version else None,
            old_version_id=self.old_version or None,
            diff=UnifiedDiff(valid(diff.text), diff.added, diff.removed, diff.truncated)
            if self.recorded
            else None,
        )
