"""When a text came and went: which versions of a path have it, which steps changed that."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from ...query.values import HistoryMatch, TextChange
from .._paths import decode, encode
from .arguments import Where
from .reader import Answers, at, time_of, valid
from .search import FileFilter
from .terms import Literal
from .versions import IS_CURRENT, by_ids

__all__ = ["Query", "search_history"]

_MAX_CHANGES = 100
_MAX_SCAN = 128 << 20  # characters of content that one page reads

_TEXTS = f"""SELECT v.id, v.file_path, {IS_CURRENT}, v.content
FROM file_versions v
LEFT JOIN file_states s ON s.file_path = v.file_path{{where}}
ORDER BY v.file_path, v.id"""

# The second part are the moves away: their rows are those of the new paths.
_STEPS = f"""SELECT d.id, {at("d.timestamp")}, d.change_type, 0, ifnull(d.old_version_id, 0),
    ifnull(d.new_version_id, 0)
FROM content_diffs d WHERE d.file_path = ?1
UNION ALL
SELECT d.id, {at("d.timestamp")}, d.change_type, 1, ifnull(d.old_version_id, 0), 0
FROM obby_diffs o CROSS JOIN content_diffs d ON d.id = o.diff_id
WHERE o.old_path = ?1 AND d.file_path <> ?1
ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted."""

    text: str
    ignore_case: bool
    path: str
    """Only the history of this path; empty: of those that `files` picks."""
    files: FileFilter


@dataclass(slots=True)
class _Path:
    """How often the text stands in each version of a path."""

    path: str
    first: int
    last: int = 0
    present: bool = False
    counts: dict[int, int] = field(default_factory=dict)

    def around(self, step: tuple[Any, ...], now: int) -> tuple[int, int]:
        """Return how often it stands in the path before and after a step.

        `now` is what the step before has left: it stands in where the row does not say.
        """
        _, _, kind, away, old, new = step
        before = now
        if kind == "created":
            before = 0
        elif not away and kind != "moved" and old:
            before = self.counts.get(old, 0)
        return before, 0 if away or kind == "deleted" else self.counts.get(new, 0)


def search_history(
    answers: Answers, query: Query, after: str, limit: int
) -> tuple[list[HistoryMatch], str]:
    """Return the next paths that have the text, and the path after which there may be more."""
    found, following = _counted(answers, query, after, limit)
    matches = (_described(answers, path) for path in found)
    return [match for match in matches if match is not None], following


def _counted(answers: Answers, query: Query, after: str, limit: int) -> tuple[list[_Path], str]:
    where = Where()
    if query.path:
        where.add("v.file_path = ?", encode(query.path))
    if after:
        where.add("v.file_path > ?", encode(after))
    query.files.apply(answers, where)
    where.add("v.content IS NOT NULL")
    sought = Literal(query.text, ignore_case=query.ignore_case)
    found: list[_Path] = []
    read, last = 0, ""
    with closing(answers.rows(_TEXTS.format(where=where), where.args)) as rows:
        for version, stored, current, text in rows:
            path = decode(stored)
            if path != last:
                if last and (read > _MAX_SCAN or len(found) == limit):
                    return found, last
                last = path
            read += len(text)
            count = sought.count(valid(text))
            if not count:
                continue
            if not found or found[-1].path != path:
                found.append(_Path(path, version))
            found[-1].last, found[-1].counts[version] = version, count
            found[-1].present = found[-1].present or bool(current)
    return found, ""


def _described(answers: Answers, path: _Path) -> HistoryMatch | None:
    versions = by_ids(answers, [path.first, path.last])
    if not versions:
        return None  # deleted meanwhile
    changes: list[TextChange] = []
    now = 0
    for step in answers.rows(_STEPS, [encode(path.path)]).fetchall():
        before, now = path.around(step, now)
        if before != now:
            changes.append(
                TextChange(step[0], time_of(step[1]), before, now, step[4] or None, step[5] or None)
            )
    return HistoryMatch(
        path=path.path,
        first_version=versions[0],
        last_version=versions[-1],
        present=path.present,
        changes=tuple(changes[:_MAX_CHANGES]),
        truncated=len(changes) > _MAX_CHANGES,
    )
