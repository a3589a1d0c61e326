"""What the content-tracker tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import ObbyError
from ..values import AnyPath, ChangeType, ContentKind, OpenEnum

__all__ = [
    "BatchItem",
    "ChangeType",
    "ContentHash",
    "ContentKind",
    "Forgotten",
    "LineEnding",
    "Progress",
    "RestoreOutcome",
    "Restored",
    "RetentionRule",
    "Thinned",
    "TrackChange",
    "TrackOutcome",
    "TrackResult",
    "UnifiedDiff",
    "Version",
]


class LineEnding(OpenEnum):
    """Which line ends a file had on disk."""

    UNSPECIFIED = 0
    """The content has no line end, or it is not known."""
    LF = 1
    """LF."""
    CRLF = 2
    """CRLF."""
    CR = 3
    """CR alone."""
    MIXED = 4
    """More than one of them."""


class TrackOutcome(OpenEnum):
    """What tracking a path did."""

    UNSPECIFIED = 0
    """Not set; never received."""
    RECORDED = 1
    """A step was recorded."""
    UNCHANGED = 2
    """The state was recorded already, or the change was to line ends alone."""


class RestoreOutcome(OpenEnum):
    """What became of a file that was restored."""

    UNSPECIFIED = 0
    """It failed: see the error."""
    WRITTEN = 1
    """The file was written."""
    UNCHANGED = 2
    """The file has that content already."""
    REMOVED = 3
    """The file was not there then and was removed."""


@dataclass(frozen=True, slots=True)
class Version:
    """One distinct content of a path."""

    version_id: int
    """Identifier in the database."""
    content_hash: str
    """SHA-256 of the content with LF line ends; of the exact bytes if binary."""
    line_count: int
    """Number of lines."""
    size_bytes: int
    """Size of the file on disk."""
    kind: ContentKind
    """How the content is kept."""
    line_ending: LineEnding
    """Line ends on disk."""
    observe_time: datetime
    """When the version was observed."""
    modify_time: datetime | None
    """Modification time of the file."""


@dataclass(frozen=True, slots=True)
class UnifiedDiff:
    """The difference between two contents."""

    text: str
    """Unified diff that `patch` and `git apply` accept, or one sentence in its place."""
    lines_added: int
    """Lines added, by the edit script."""
    lines_removed: int
    """Lines removed, by the edit script."""
    truncated: bool
    """`text` is cut or left out for size; the counts are exact."""


@dataclass(frozen=True, slots=True)
class TrackChange:
    """One path of a batch to look at."""

    path: AnyPath
    """Absolute path of the file."""
    change_type: ChangeType | None = None
    """What was seen, a hint; MOVED needs `old_path`. The disk decides."""
    old_path: AnyPath | None = None
    """MOVED: the former path."""
    request_id: str | None = None
    """A UUID: a repetition within 24 h is answered as the first and records nothing."""


@dataclass(frozen=True, slots=True)
class TrackResult:
    """What was recorded."""

    outcome: TrackOutcome
    """Whether a step was recorded."""
    change_id: int | None
    """Identifier of the step; None when UNCHANGED."""
    change_type: ChangeType | None
    """What the step was; None when UNCHANGED."""
    version: Version | None
    """The path's newest version; None when the path is deleted."""
    old_version_id: int | None
    """Version before this step; None when there was none."""
    diff: UnifiedDiff | None
    """The step's diff; None when UNCHANGED."""


@dataclass(frozen=True, slots=True)
class BatchItem:
    """The answer to one item of a batch."""

    index: int
    """Index of the item in the batch, from 0."""
    result: TrackResult | None
    """What was recorded; None where it failed."""
    error: ObbyError | None
    """Why it failed, as a single call would raise it; None where it did not."""


@dataclass(frozen=True, slots=True)
class ContentHash:
    """The hash of a content and what else one pass over it tells."""

    content_hash: str
    """SHA-256 of the content with LF line ends; of the exact bytes if binary."""
    line_count: int
    """Number of lines; 0 for binary content."""
    size_bytes: int
    """Bytes read."""
    kind: ContentKind
    """How such content would be kept."""
    line_ending: LineEnding
    """Line ends found."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a reconciliation is."""

    path: str
    """Root being compared."""
    files_seen: int
    """Files found on disk so far."""
    files_total: int | None
    """Files to look at in all; None while not known."""
    changes_recorded: int
    """Steps recorded so far."""
    errors: int
    """Files that could not be read so far."""
    remaining: timedelta | None
    """Time that the rest is expected to take; None while not known."""
    done: bool
    """The last item of this root."""


@dataclass(frozen=True, slots=True)
class Restored:
    """One file that was restored, or would be."""

    path: str
    """Path that was written."""
    outcome: RestoreOutcome
    """What was done; UNSPECIFIED where it failed."""
    version_id: int | None
    """The version whose content it is; None when REMOVED."""
    change_id: int | None
    """The step that was recorded; None: none."""
    error: ObbyError | None
    """Why it failed; None where it did not."""


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What is kept of the history of some paths: a step that one of the numbers keeps."""

    pattern: str
    """Which paths, as in .obbywatch."""
    last: int = 0
    """The newest steps."""
    hourly: int = 0
    """The last step of each of so many hours that have one."""
    daily: int = 0
    """Of each of so many days."""
    weekly: int = 0
    """Of each of so many weeks, from Monday."""
    monthly: int = 0
    """Of each of so many months."""


@dataclass(frozen=True, slots=True)
class Thinned:
    """What a path has lost by retention, or all of them."""

    path: str | None
    """The path; None in the last item, which has the totals."""
    steps_removed: int
    """Steps joined to later ones."""
    versions_removed: int
    """Versions removed."""
    bytes_removed: int
    """Bytes of content and diff text removed."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was forgotten, or would be."""

    paths: int
    """Paths forgotten."""
    versions: int
    """Versions removed."""
    steps: int
    """Steps removed."""
    linked_paths: tuple[str, ...]
    """Other paths that a rename linked with these; at most 100."""
    existing_paths: tuple[str, ...]
    """Forgotten paths that exist on the disk: they will be recorded again; at most 100."""
