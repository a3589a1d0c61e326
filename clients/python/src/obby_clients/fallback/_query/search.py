"""Searching the newest contents: by the index, and where there is none by reading them."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...query.values import SearchResult
from .._paths import decode, shown
from .arguments import Range, Where
from .picks import Picks
from .reader import PAGE_BYTES, Answers, at, time_of, valid
from .snippets import show
from .sought import Sought
from .terms import IN_CONTENT, IN_PATH, Term, each_term
from .versions import IS_CURRENT
from .words import words

__all__ = ["Cursor", "FileFilter", "Found", "Query", "newest", "search"]

MAX_DEPTH = 1000
"""How many of a search's results are served: who wants more should add a word."""
_MAX_SCAN = 128 << 20  # bytes of content that one page reads where the index cannot tell

_WEIGHTS = {IN_PATH: 10.0, IN_CONTENT: 1.0}
_K1, _B = 1.2, 0.75  # FTS5's bm25

_IS_HEAD = "(s.id IS NULL OR s.content_hash = v.content_hash)"

# Behind the LIMIT come the joins that leave out rows of the index that dangle, and those
# that are no longer their path's head (case 59).
_RANKED = f"""SELECT f.id, v.file_path, {at("v.timestamp")}, v.content, f.score,
    v.id IS NOT NULL AND {_IS_HEAD}
FROM ({{parts}} ORDER BY score DESC, id DESC LIMIT ? OFFSET ?) f
LEFT JOIN file_versions v ON v.id = f.id
LEFT JOIN file_states s ON s.file_path = v.file_path
ORDER BY f.score DESC, f.id DESC"""

_PART = """SELECT * FROM (SELECT f.rowid AS id, -bm25(obby_search, 10.0, 1.0) AS score
    FROM obby_search f{where} ORDER BY f.rowid DESC LIMIT ?)"""

_NEWEST = f"""SELECT v.id, v.file_path, {at("v.timestamp")}, v.content FROM {{source}}
LEFT JOIN file_states s ON s.file_path = v.file_path{{where}} ORDER BY v.id DESC"""

_JOINED = "({ids}) f CROSS JOIN file_versions v ON v.id = f.id"
_INDEXED = "SELECT version_id AS id FROM obby_indexed WHERE version_id < ? ORDER BY id DESC"
_MATCHING = (
    "SELECT rowid AS id FROM obby_search WHERE obby_search MATCH ? AND rowid < ? ORDER BY id DESC"
)


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Leaves files out."""

    prefix: str
    picks: Picks
    range: Range

    def apply(self, answers: Answers, where: Where) -> bool:
        """Add the filter to a statement over file_versions v; tell whether it filters."""
        where.below("v.file_path", self.prefix)
        if self.picks:
            answers.match(self.picks)
            where.add("obby_match(CAST(v.file_path AS BLOB))")
        where.during(at("v.timestamp"), self.range)
        return bool(self.prefix not in {"", "/"} or self.picks or self.range != Range())


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted."""

    sought: Sought
    files: FileFilter
    lines: int
    around: int


class Cursor(NamedTuple):
    """Where a page of results begins."""

    found: int = 0
    """Results of the pages before."""
    skip: int = 0
    """How many of the best are behind."""
    before: int = 0
    """Where the index does not tell: only versions below; 0: all."""


class Found(NamedTuple):
    """A file at its newest version."""

    version: int
    path: str
    observed: int | None
    content: str
    score: float = 0.0
    live: bool = True
    """It is the path's head: an entry of the index may dangle."""


Files = Generator[Found, None, None]


def search(
    answers: Answers, query: Query, cursor: Cursor, limit: int
) -> tuple[list[SearchResult], Cursor | None]:
    """Return a page of results and where the next one begins; None: this was the last.

    Best first, where words tell it, else newest first.
    """
    if query.sought.empty:
        return [], None
    limit = min(limit, MAX_DEPTH - cursor.found)
    results: list[SearchResult] = []
    size = read = 0
    ranked = query.sought.indexed
    read_files = _ranked if ranked else _newest
    with closing(read_files(answers, query, cursor)) as files:
        for rank, file in enumerate(files, cursor.skip):
            if len(results) >= limit or size > PAGE_BYTES or read > _MAX_SCAN:
                found = cursor.found + len(results)
                following = Cursor(found, rank if ranked else 0, 0 if ranked else file.version + 1)
                return results, following if found < MAX_DEPTH else None
            if not file.live:
                continue
            if not ranked:
                read += len(file.content)
                if not query.sought.inside_of(shown(file.path), file.content):
                    continue
            results.append(_result(query, file))
            size += 1000 + sum(len(line.text) for line in results[-1].lines)
    return results, None


def _result(query: Query, file: Found) -> SearchResult:
    what = show(query.sought, file.path, file.content, query.lines, query.around)
    return SearchResult(
        path=file.path,
        version_id=file.version,
        score=file.score,
        snippet=what.snippet,
        highlights=what.highlights,
        observe_time=time_of(file.observed),
        lines=what.lines,
        path_highlights=what.path_highlights,
    )


def _ranked(answers: Answers, query: Query, cursor: Cursor) -> Files:
    """Give the files that words tell, best first."""
    if not answers.indexed:
        yield from _ranked_by_reading(answers, query, cursor)
        return
    sought = query.sought
    # In two parts, what has a word in its path and what has none there: neither is lost
    # where more match than are ranked.
    expressions = [sought.match]
    if sought.in_path:
        expressions = [f"({sought.match}) {word} ({sought.in_path})" for word in ("AND", "NOT")]
    parts, args = [], []
    for expression in expressions:
        where = Where()
        where.add("obby_search MATCH ?", expression)
        filtered = query.files.apply(answers, where)
        join = " CROSS JOIN file_versions v ON v.id = f.rowid" if filtered else ""
        parts.append(_PART.format(where=f"{join}{where}"))
        args += [*where.args, MAX_DEPTH]
    statement = _RANKED.format(parts="\nUNION ALL ".join(parts))
    for row in answers.rows(statement, [*args, MAX_DEPTH - cursor.skip, cursor.skip]):
        version, path, observed, content, score, live = row
        yield Found(version, decode(path or ""), observed, valid(content or ""), score, bool(live))


def newest(answers: Answers, files: FileFilter | None, match: str, before: int) -> Files:
    """Give the newest contents, those recorded last first.

    Where the index is there, of the files in it, those that satisfy `match`, unless that
    is empty.
    """
    where = Where()
    args: list[Any] = [before or (1 << 63) - 1]
    if answers.indexed:
        source = _JOINED.format(ids=_MATCHING if match else _INDEXED)
        args = [match, *args] if match else args
        where.add(_IS_HEAD)
    else:
        source = "file_versions v"
        where.add(f"v.id < ? AND v.content IS NOT NULL AND {IS_CURRENT}")
    if files is not None:
        files.apply(answers, where)
    statement = _NEWEST.format(source=source, where=where)
    for version, path, observed, content in answers.rows(statement, [*args, *where.args]):
        yield Found(version, decode(path), observed, valid(content or ""))


def _newest(answers: Answers, query: Query, cursor: Cursor) -> Files:
    match = query.sought.match
    for file in newest(answers, query.files, match, cursor.before):
        if answers.indexed or not match or query.sought.holds(shown(file.path), file.content):
            yield file


def _ranked_by_reading(answers: Answers, query: Query, cursor: Cursor) -> Files:
    """Do without the index what FTS5 does by it: its bm25, over all that is live."""
    everything = list(newest(answers, None, "", 0))
    wanted = {file.version for file in newest(answers, query.files, "", 0)}
    lengths = [sum(1 for _ in words(file.path + "\n" + file.content)) for file in everything]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    counts = [[_frequency(term, file) for term in query.sought.terms] for file in everything]
    often = [sum(1 for count in counts if count[n]) for n in range(len(query.sought.terms))]
    total = len(everything)
    weights = [max(math.log((total - n + 0.5) / (n + 0.5)), 1e-6) for n in often]
    found = [
        file._replace(score=_score(weights, count, length / mean))
        for file, count, length in zip(everything, counts, lengths, strict=True)
        if file.version in wanted and query.sought.holds(shown(file.path), file.content)
    ]
    found.sort(key=lambda file: (-file.score, -file.version))
    yield from found[cursor.skip :]


def _score(weights: list[float], frequencies: list[float], length: float) -> float:
    return sum(
        weight * often * (_K1 + 1) / (often + _K1 * (1 - _B + _B * length))
        for weight, often in zip(weights, frequencies, strict=True)
    )


def _frequency(term: Term, file: Found) -> float:
    """Return how often a term stands in a file, weighted by where."""
    texts = {IN_PATH: shown(file.path), IN_CONTENT: file.content}
    return sum(
        _WEIGHTS[place] * sum(1 for _ in each_term(text, [term]))
        for place, text in texts.items()
        if term.place in {"", place}
    )
