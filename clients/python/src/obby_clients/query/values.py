"""What the query-service tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ..values import ChangeType, ContentKind, OpenEnum
from .activity import (
    ActivityCounts,
    ActivityStats,
    BucketSize,
    ChangeTypeCounts,
    NamedCounts,
    QuietGap,
    Streak,
    TermCount,
    TimeAnalysis,
    TimeBucket,
)

__all__ = [
    "ActivityCounts",
    "ActivityStats",
    "BucketSize",
    "ChangeType",
    "ChangeTypeCounts",
    "ContentKind",
    "Diff",
    "Highlight",
    "HistoryMatch",
    "MatchLine",
    "NamedCounts",
    "QuietGap",
    "SearchMode",
    "SearchResult",
    "Streak",
    "TermCount",
    "TextChange",
    "TimeAnalysis",
    "TimeBucket",
    "TopicFile",
    "TopicSource",
    "Version",
    "VersionContent",
    "VersionDiff",
]


class SearchMode(OpenEnum):
    """How a query is read."""

    UNSPECIFIED = 0
    """Same as PLAIN."""
    PLAIN = 1
    """Words, as a person types them: every input is valid, and all must occur."""
    ADVANCED = 2
    """Words and "phrases" with AND, OR, NOT, parentheses, `word*`, `path:` and `content:`."""
    SUBSTRING = 3
    """One text, found anywhere, inside words too; case does not count."""


class TopicSource(OpenEnum):
    """What a topic's files were found by."""

    UNSPECIFIED = 0
    """Not known: an older server."""
    SUMMARIES = 1
    """The rows of the Python side's summaries."""
    CONTENT = 2
    """The words of the topic in the newest contents: the database holds no summaries."""


@dataclass(frozen=True, slots=True)
class Diff:
    """One recorded step of a path."""

    change_id: int
    """Identifier of the step; larger: recorded later."""
    path: str
    """The path."""
    old_path: str | None
    """MOVED: the former path, where it is known."""
    change_type: ChangeType
    """What the step was."""
    old_version_id: int | None
    """Version before; None: created, or not known."""
    new_version_id: int | None
    """Version after; None: deleted, or not known."""
    lines_added: int
    """Lines added."""
    lines_removed: int
    """Lines removed."""
    observe_time: datetime | None
    """When the step was observed; None where the stored time is unreadable."""
    diff: str
    """Unified diff, as stored; empty where it was not asked for."""
    truncated: bool
    """`diff` is cut, here or when it was stored."""


@dataclass(frozen=True, slots=True)
class Version:
    """One distinct content of a path."""

    version_id: int
    """Identifier of the version."""
    path: str
    """The path."""
    content_hash: str
    """SHA-256 of the content: 64 lower-case hexadecimal digits."""
    line_count: int
    """Number of lines."""
    size_bytes: int | None
    """Size of the file on disk; None where it is not known."""
    kind: ContentKind
    """How the content is kept."""
    observe_time: datetime | None
    """When the version was first observed; None where the stored time is unreadable."""
    modify_time: datetime | None
    """Modification time of the file; None where it is not known."""
    description: str
    """What was recorded about the change, such as `File created`."""
    current: bool
    """The path has this content now."""
    label: str | None
    """The label that it was given."""
    pinned: bool
    """It is kept by every retention policy."""


@dataclass(frozen=True, slots=True)
class VersionContent:
    """A version with its content."""

    version: Version
    """The version."""
    content: bytes
    """Text with LF line ends; the exact bytes of LOSSY_TEXT and BINARY."""


@dataclass(frozen=True, slots=True)
class VersionDiff:
    """What turns one content into another."""

    diff: str
    """Unified diff of the two with LF line ends; empty where they are equal."""
    lines_added: int
    """Lines added."""
    lines_removed: int
    """Lines removed."""
    old_version: Version | None
    """The version before; None where the path did not exist then."""
    new_version: Version | None
    """The version after; None where the path did not exist then."""


@dataclass(frozen=True, slots=True)
class Highlight:
    """A range of a text, in characters: `text[start:end]`."""

    start: int
    """First character, from 0."""
    end: int
    """Character after the last."""


@dataclass(frozen=True, slots=True)
class MatchLine:
    """One line of a content."""

    line_number: int
    """Its number, from 1."""
    text: str
    """Its text without its end; of one longer than 1,000 bytes the part around its first match."""
    highlights: tuple[Highlight, ...]
    """Where the words stand in `text`; empty for a line around a match."""
    truncated: bool
    """`text` is a part of the line."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One file that matches."""

    path: str
    """The path."""
    version_id: int
    """The version that matches: the path's newest."""
    score: float
    """Relevance, larger is better; comparable within one answer only."""
    snippet: str
    """A part of the content around a match, plain text; empty where only the path matches."""
    highlights: tuple[Highlight, ...]
    """Where the words stand in `snippet`."""
    observe_time: datetime | None
    """When the version was first observed; None where the stored time is unreadable."""
    lines: tuple[MatchLine, ...]
    """The first matching lines with those around them, by number; each stands once."""
    path_highlights: tuple[Highlight, ...]
    """Where the words stand in `path`."""


@dataclass(frozen=True, slots=True)
class TextChange:
    """A step that changed how often a text stands in a path."""

    change_id: int
    """Identifier of the step."""
    observe_time: datetime | None
    """When the step was observed; None where the stored time is unreadable."""
    count_before: int
    """How often the text stands before; 0: the step added it."""
    count_after: int
    """How often it stands after; 0: the step removed it."""
    old_version_id: int | None
    """Version before; None: created, or not known."""
    new_version_id: int | None
    """Version after; None: deleted, or not known."""


@dataclass(frozen=True, slots=True)
class HistoryMatch:
    """One path in whose history a text stands."""

    path: str
    """The path."""
    first_version: Version
    """The earliest version that has the text."""
    last_version: Version
    """The latest version that has the text."""
    present: bool
    """The path has the text now."""
    changes: tuple[TextChange, ...]
    """The steps that changed how often the text stands there, oldest first, at most 100."""
    truncated: bool
    """There are more than 100 such steps."""


@dataclass(frozen=True, slots=True)
class TopicFile:
    """A file that bears a topic."""

    path: str
    """The path."""
    entry_count: int
    """Number of entries of this file with the topic; 0 with CONTENT."""
    latest_time: datetime | None
    """Time of the latest of them, with CONTENT of the version; None where it is unreadable."""
    summary: str
    """Summary of the latest of them; empty with CONTENT."""
    source: TopicSource
    """What the file was found by; the same for all files of an answer."""
