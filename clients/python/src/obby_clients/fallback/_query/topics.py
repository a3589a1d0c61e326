"""Topics and keywords: what the Python side's summaries left."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from ...query.values import TermCount, TopicFile, TopicSource
from .._paths import decode, shown
from .arguments import Range, Where
from .reader import Answers, Page, at, time_of, valid
from .search import newest
from .sought import plain

__all__ = ["files", "terms"]

# Every entry that bears a term, once for each, from both of the places where the Python
# side leaves them. In semantic_analysis a list of terms is a JSON array or separated by
# commas (case 58): the latter is made the former.
_MENTIONS = f"""(
    SELECT t.TERM AS term, 'e' || e.id AS entry, ifnull(e.file_path, v.file_path) AS file_path,
        {at("e.timestamp")} AS at, ifnull(e.summary, '') AS summary
    FROM semantic_TERMs t
    JOIN semantic_entries e ON e.id = t.entry_id
    LEFT JOIN file_versions v ON v.id = e.version_id
    UNION ALL
    SELECT trim(CAST(t.value AS TEXT)), 'a' || a.id, a.file_path, {at("a.timestamp")},
        ifnull(a.summary, '')
    FROM semantic_analysis a,
        json_each(CASE WHEN ltrim(a.TERMs) LIKE '[%' AND json_valid(a.TERMs) THEN a.TERMs
            ELSE '[' || replace(json_quote(CAST(ifnull(a.TERMs, '') AS TEXT)), ',', '","') || ']'
            END) t
    WHERE trim(CAST(t.value AS TEXT)) <> ''
) m"""

_NEVER = -(1 << 63)  # stands for a time that is unreadable: it sorts before every other

# NOCASE knows ASCII letters only, which is what the contract promises. The summary is
# that of the row that max() found.
_FILES = f"""SELECT file_path, entries, latest, summary FROM (
    SELECT m.file_path, count(DISTINCT m.entry) AS entries, max(ifnull(m.at, ?1)) AS latest,
        m.summary
    FROM {_MENTIONS.replace("TERM", "topic")}
    WHERE m.term = ?2 COLLATE NOCASE AND m.file_path IS NOT NULL
    GROUP BY m.file_path)
WHERE latest < ?3 OR latest = ?3 AND file_path > ?4
ORDER BY latest DESC, file_path LIMIT ?5"""

_SUMMARIZED = """SELECT EXISTS (SELECT 1 FROM semantic_entries)
    OR EXISTS (SELECT 1 FROM semantic_analysis) OR EXISTS (SELECT 1 FROM semantic_topics)"""

Place = tuple[int, str]
"""Where a page of files begins: behind this time and path; by content, below a version."""


def files(answers: Answers, topic: str, after: Place | None, limit: int) -> Page:
    """Return a page of (file, place), latest first.

    By the summaries, or, where the database has none at all, by the words of the topic in
    the newest contents and paths.
    """
    if answers.row(_SUMMARIZED)[0]:
        return _summarized(answers, topic, after, limit)
    sought = plain(shown(topic))
    items: list[tuple[TopicFile, Place]] = []
    if sought.empty:
        return Page(items, False)
    holds = sought.inside_of if answers.indexed else sought.holds
    with closing(newest(answers, None, sought.match, after[0] if after else 0)) as found:
        for file in found:
            if len(items) == limit:
                return Page(items, True)
            if holds(shown(file.path), file.content):
                when = time_of(file.observed)
                topic_file = TopicFile(file.path, 0, when, "", TopicSource.CONTENT)
                items.append((topic_file, (file.version, "")))
    return Page(items, False)


def _summarized(answers: Answers, topic: str, after: Place | None, limit: int) -> Page:
    latest, path = after or ((1 << 63) - 1, "")
    args = [_NEVER, topic, latest, path]
    return answers.page(_FILES, args, limit, lambda row: (_file(row), (row[2], row[0])))


def _file(row: tuple[Any, ...]) -> TopicFile:
    path, entries, latest, summary = row
    return TopicFile(
        path=decode(path),
        entry_count=entries,
        latest_time=None if latest == _NEVER else time_of(latest),
        summary=valid(summary),
        source=TopicSource.SUMMARIES,
    )


def terms(
    answers: Answers, kind: str, range_: Range, prefix: str, limit: int
) -> tuple[TermCount, ...]:
    """Return the most frequent topics or keywords of the entries in a range."""
    where = Where()
    where.add("m.at BETWEEN ? AND ?", *range_.bounds())
    where.below("m.file_path", prefix)
    if prefix:  # also where that is /: an entry may have no path at all
        where.add("m.file_path IS NOT NULL")
    statement = f"""SELECT min(m.term), count(DISTINCT m.entry) AS entries
FROM {_MENTIONS.replace("TERM", kind)}{where}
GROUP BY m.term COLLATE NOCASE ORDER BY entries DESC, min(m.term) LIMIT ?"""
    return tuple(
        TermCount(valid(term), count)
        for term, count in answers.rows(statement, [*where.args, limit])
    )
