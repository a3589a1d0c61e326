"""Versions: of a path, by a filter, as of a time, the marked ones, and their contents."""

from __future__ import annotations

from typing import Any

from ...query.values import Version, VersionContent
from ...values import ContentKind
from .._content import KINDS
from .._paths import decode, encode, range_of
from .arguments import Filter, Where
from .errors import failed
from .reader import Answers, Page, at, time_of, valid

__all__ = [
    "IS_CURRENT",
    "MAX_CONTENT",
    "by_ids",
    "content",
    "files",
    "labels",
    "of_path",
    "of_steps",
    "version",
]

MAX_CONTENT = 15 << 20
"""Bytes of a content that is returned: what a message of the service can hold."""

_LAST = (1 << 63) - 1

IS_CURRENT = """CASE WHEN s.id IS NULL
    THEN v.id = (SELECT max(id) FROM file_versions WHERE file_path = v.file_path)
    ELSE v.content_hash IS s.content_hash END"""
"""Whether a version `v` is its path's head: what its row `s` of file_states says.

A path without a row there, which an old Python release may leave, has its newest version.
"""

_COLUMNS = f"""v.id, v.file_path, v.content_hash, CAST(ifnull(v.line_count, 0) AS INTEGER),
    o.size_bytes, ifnull(o.kind, ''), {at("v.timestamp")}, o.mtime_ns,
    ifnull(substr(v.change_description, 1, 1000), ''),
    {IS_CURRENT}, ifnull(l.label, ''), ifnull(l.pinned, 0)"""

_FROM = """
FROM file_versions v
LEFT JOIN obby_versions o ON o.version_id = v.id
LEFT JOIN file_states s ON s.file_path = v.file_path
LEFT JOIN obby_labels l ON l.version_id = v.id"""

_KNOWN = """SELECT EXISTS (SELECT 1 FROM file_versions WHERE file_path = ?1)
    OR EXISTS (SELECT 1 FROM file_states WHERE file_path = ?1)
    OR EXISTS (SELECT 1 FROM content_diffs WHERE file_path = ?1)"""

# The newest step of a path, by id, says where it stood: nowhere where that removed it, or
# where a later one carried it off. A path of the Python side may have versions and no
# steps: then its newest version then is what it had. See internal/sqlite/history.go.
_FILES_AT = f"""SELECT path, version_id FROM (
    SELECT file_path AS path, new_version_id AS version_id, max(id) AS step FROM content_diffs
    WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2)
        AND file_path <> ?5 AND {at("timestamp")} <= ?4
    GROUP BY file_path
    HAVING new_version_id IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM obby_diffs o JOIN content_diffs d ON d.id = o.diff_id
        WHERE o.old_path = path AND d.id > step AND {at("d.timestamp")} <= ?4)
    ORDER BY file_path LIMIT ?6)
UNION ALL
SELECT path, version_id FROM (
    SELECT file_path AS path, max(id) AS version_id FROM file_versions v
    WHERE file_path >= max(?1, ?5) AND file_path < ?3 AND (file_path = ?1 OR file_path >= ?2)
        AND file_path <> ?5 AND {at("timestamp")} <= ?4
        AND NOT EXISTS (SELECT 1 FROM content_diffs d WHERE d.file_path = v.file_path)
    GROUP BY file_path
    ORDER BY file_path LIMIT ?6)
ORDER BY path LIMIT ?6"""

_DATA = """CASE WHEN o.kind IN ('lossy', 'binary') THEN b.data
    WHEN o.kind IS NOT 'omitted' THEN CAST(v.content AS BLOB) END"""


def of_path(answers: Answers, path: str, filter_: Filter, before: int | None, limit: int) -> Page:
    """Return a page of a path's versions, newest first.

    Raises NotFoundError for a path that was never recorded.
    """
    page = Page([], False)
    if filter_.keeps(path):
        where = Where()
        where.add("v.file_path = ?", encode(path))
        where.add("v.id < ?", before or _LAST)
        where.during(at("v.timestamp"), filter_.range)
        if filter_.types:
            made = Where()
            made.add("m.new_version_id = v.id")
            made.types("m.change_type", filter_.types)
            where.add(f"EXISTS (SELECT 1 FROM content_diffs m{made})", *made.args)
        statement = f"SELECT {_COLUMNS}{_FROM}{where} ORDER BY v.id DESC LIMIT ?"
        page = answers.page(statement, where.args, limit, version)
    if not page.items:
        _known(answers, path)
    return page


def _known(answers: Answers, path: str) -> None:
    """Raise NotFoundError for a path that was never recorded."""
    if not answers.row(_KNOWN, [encode(path)])[0]:
        raise failed("PATH_NOT_FOUND")


def of_steps(answers: Answers, filter_: Filter, before: int | None, limit: int) -> Page:
    """Return a page of (version, step): what the steps that pass the filter have made.

    Newest step first; a version that several of them made stands where the newest does.
    """
    newest = Where()
    newest.add("m.new_version_id = v.id")
    newest.types("m.change_type", filter_.types)
    newest.during(at("m.timestamp"), filter_.range)
    where = Where()
    where.add("d.id < ?", before or _LAST)
    for column in ("d.file_path", "v.file_path"):
        filter_.paths(answers, where, column)
    where.add(f"d.id = (SELECT max(m.id) FROM content_diffs m{newest})", *newest.args)
    statement = f"""SELECT {_COLUMNS}, d.id{_FROM}
JOIN content_diffs d ON d.new_version_id = v.id{where} ORDER BY d.id DESC LIMIT ?"""
    return answers.page(statement, where.args, limit, lambda row: (version(row), row[-1]))


def files(answers: Answers, path: str, when: int, after: str | None, limit: int) -> Page:
    """Return a page of the files that were at or below a path at a time, by path."""
    start, end = range_of(encode(path))
    statement = f"SELECT {_COLUMNS}{_FROM}\nJOIN ({_FILES_AT}) found ON found.version_id = v.id\n"
    args = [encode(path), start, end, when, encode(after or "")]
    return answers.page(f"{statement}ORDER BY v.file_path", args, limit, version)


def version_at(answers: Answers, path: str, when: int) -> int:
    """Return which version a path was at a time; 0: it did not exist then.

    Raises NotFoundError for a path that was never recorded.
    """
    text = encode(path)
    nothing = text + "\x01"  # no path but this one is before it
    row = answers.rows(_FILES_AT, [text, nothing, nothing, when, "", 1]).fetchone()
    if row is None:
        _known(answers, path)
        return 0
    return int(row[1])


def labels(answers: Answers, prefix: str, before: int | None, limit: int) -> Page:
    """Return a page of (marked version, mark), those marked last first."""
    where = Where()
    where.below("v.file_path", prefix)
    where.add("l.id < ?", before or _LAST)
    statement = f"SELECT {_COLUMNS}, l.id{_FROM}{where} ORDER BY l.id DESC LIMIT ?"
    return answers.page(statement, where.args, limit, lambda row: (version(row), row[-1]))


def content(answers: Answers, version_id: int) -> VersionContent:
    """Return a version and its content: text with LF line ends, or the exact bytes.

    Raises NotFoundError, FailedPreconditionError, ResourceExhaustedError.
    """
    row = answers.rows(
        f"""SELECT {_COLUMNS}, length({_DATA}), CASE WHEN length({_DATA}) <= ?2 THEN {_DATA} END
{_FROM}
LEFT JOIN obby_blobs b ON b.content_hash = v.content_hash
WHERE v.id = ?1""",
        [version_id, MAX_CONTENT],
    ).fetchone()
    if row is None:
        raise failed("VERSION_NOT_FOUND")
    size, data = row[-2:]
    if size is None:
        raise failed("CONTENT_NOT_KEPT")
    if size > MAX_CONTENT:
        raise failed("CONTENT_TOO_LARGE", f"{size} bytes")
    return VersionContent(version(row), data)


def by_ids(answers: Answers, ids: list[int]) -> list[Version]:
    """Return those of some versions that there are, by id."""
    where = Where()
    where.add(f"v.id IN ({', '.join('?' * len(ids))})", *ids)
    statement = f"SELECT {_COLUMNS}{_FROM}{where} ORDER BY v.id"
    return [version(row) for row in answers.rows(statement, where.args)]


def version(row: tuple[Any, ...]) -> Version:
    """Read the columns of a version, whatever follows them."""
    return Version(
        version_id=row[0],
        path=decode(row[1]),
        content_hash=valid(row[2]),
        line_count=row[3],
        size_bytes=row[4],
        kind=KINDS.get(row[5], ContentKind.UNSPECIFIED),
        observe_time=time_of(row[6]),
        modify_time=None if row[7] is None else time_of(row[7] // 1000),
        description=valid(row[8]),
        current=bool(row[9]),
        label=valid(row[10]) or None,
        pinned=bool(row[11]),
    )
