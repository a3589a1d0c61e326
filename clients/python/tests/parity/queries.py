"""Every question of the query-service, asked of both sides about one database."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import obby_clients as oc
from obby_clients import fallback
from obby_clients.query import BucketSize, ChangeType, SearchMode

from ..processes import Process
from .compare import outcome
from .report import Report

__all__ = ["ask_all"]

Ask = Callable[[Any], Any]
_ZONES = ["", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Mars/Olympus"]
_OUTSIDE = ["", "relative", "/", "/nowhere", b"/caf\xe9"]


@dataclasses.dataclass(frozen=True)
class Known:
    """What is in the database, as far as questions need it."""

    root: str
    paths: list[str]
    versions: list[int]
    steps: int
    first: datetime
    last: datetime

    def some(self, n: int) -> list[str]:
        """Return paths from all over."""
        return self.paths[:: max(len(self.paths) // n, 1)]

    def between(self, part: float) -> datetime:
        """Return a time so far into the history."""
        return self.first + (self.last - self.first) * part

    def prefixes(self) -> list[Any]:
        """Return prefixes of all kinds."""
        folders = sorted({os.path.dirname(path) for path in self.some(8)})
        return [None, self.root, *folders, *self.some(3), self.root[:-1], *_OUTSIDE]


def ask_all(report: Report, database: Path) -> None:
    """Ask both sides everything, and compare field by field."""
    known = _known(database)
    process = Process("query-service", "--database", str(database))
    try:
        with (
            oc.QueryClient(process.target) as client,
            fallback.QueryService(database) as python,
        ):
            client.wait_ready(60)
            for name, questions in QUESTIONS.items():
                for what, ask in questions(known):
                    answers = [
                        outcome(lambda side=side, ask=ask: ask(side)) for side in (client, python)
                    ]
                    _compare(report, name, what, *answers)
    finally:
        process.stop()


def _known(database: Path) -> Known:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.text_factory = os.fsdecode
        paths = [
            path
            for (path,) in connection.execute(
                "SELECT DISTINCT file_path FROM file_versions ORDER BY file_path"
            )
        ]
        versions = [
            row[0] for row in connection.execute("SELECT id FROM file_versions ORDER BY id")
        ]
        (steps,) = connection.execute("SELECT count(*) FROM content_diffs").fetchone()
    with fallback.QueryService(database) as service:
        stats = service.activity_stats(end_time=datetime.max.replace(tzinfo=timezone.utc))
    assert stats.first_time is not None
    assert stats.last_time is not None
    root = os.path.commonpath(paths)
    return Known(root, paths, versions, steps, stats.first_time, stats.last_time)


def _compare(report: Report, name: str, what: str, go: Any, python: Any) -> None:
    report.count(name, max(len(go), 1) if isinstance(go, list) else 1)
    go, python = _plain(go), _plain(python)
    if go == python:
        return
    if isinstance(go, list) and isinstance(python, list):
        pairs = [
            (n, one, other)
            for n, (one, other) in enumerate(zip(go, python, strict=False))
            if one != other
        ]
        if pairs:
            n, one, other = pairs[0]
            what, go, python = f"{what}[{n}] of {len(go)}", *_parted(one, other)
        else:
            go, python = f"{len(go)} items", f"{len(python)} items"
    else:
        go, python = _parted(go, python)
    report.differs(name, f"{what}: go {go!r:.400}, python {python!r:.400}")


def _parted(go: Any, python: Any) -> tuple[Any, Any]:
    """Return the fields that differ, of values that have the same fields."""
    if dataclasses.is_dataclass(go) and type(go) is type(python):
        names = [field.name for field in dataclasses.fields(go)]
        different = [name for name in names if getattr(go, name) != getattr(python, name)]
        return (
            {name: getattr(go, name) for name in different},
            {name: getattr(python, name) for name in different},
        )
    return go, python


def _plain(answer: Any) -> Any:
    """Return an answer without what may differ: the measure of relevance."""
    if isinstance(answer, oc.ObbyError):
        fields = [violation.field for violation in answer.field_violations]
        return type(answer).__name__, int(answer.code), answer.reason, answer.message, fields
    if isinstance(answer, list):
        return [_plain(item) for item in answer]
    if isinstance(answer, oc.query.SearchResult):
        return dataclasses.replace(answer, score=0.0)
    return answer


Questions = Iterator[tuple[str, Ask]]


def _call(method: str, *args: Any, **options: Any) -> tuple[str, Ask]:
    what = f"{', '.join(map(repr, args))} {options}"
    return what, lambda side: getattr(side, method)(*args, timeout=60.0, **options)


def _filters(known: Known) -> Iterator[dict[str, Any]]:
    for prefix in known.prefixes():
        yield {"path_prefix": prefix}
    for types in ([ChangeType.CREATED], list(ChangeType)[2:], [ChangeType(77)], [ChangeType(0)]):
        yield {"change_types": types}
    for start, end in ((0.2, 0.6), (0.5, 0.5), (0.6, 0.2)):
        yield {"start_time": known.between(start), "end_time": known.between(end)}
    yield {"start_time": known.between(0.7), "change_types": [ChangeType.MODIFIED]}
    yield {"end_time": known.between(0.3), "path_prefix": known.root}
    for glob in ("*.md", "d1/*", "*[0-3]-*.py", "[!a-z]*", "?", "", "x" * 1001, "*\n*", "[", "#a"):
        yield {"path_glob": glob}
        yield {"path_glob": glob, "path_prefix": known.root}
    yield {"path_glob": os.path.basename(known.paths[3]), "path_prefix": known.paths[3]}


def _recent_diffs(known: Known) -> Questions:
    yield _call("recent_diffs", page_size=1000)
    for text in (True, False):
        yield _call("recent_diffs", text=text, limit=120, page_size=17)
    for size in (-1, 1 << 30, 1 << 40):
        yield _call("recent_diffs", text=False, limit=3, page_size=size)
    yield _call("recent_diffs", limit=0)
    for filter_ in _filters(known):
        yield _call("recent_diffs", text=False, **filter_)
    yield _call("recent_diffs", start_time=datetime(2026, 1, 1))


def _diffs_since(known: Known) -> Questions:
    for part in (0.0, 0.4, 1.0):
        yield _call("diffs_since", known.between(part))
    yield _call("diffs_since", known.last + timedelta(days=1))
    for filter_ in _filters(known):
        filter_.pop("start_time", None)
        yield _call("diffs_since", known.between(0.1), text=False, **filter_)
    for token in ("", "no token", "AAAAAAAAAAAAAAAAAAAA", "AAAA"):
        yield _call("diffs_since", token)

    def cursors(side: Any) -> list[Any]:
        stream = side.diffs_since(known.first, text=False)
        return [(next(stream).change_id, stream.cursor) for _ in range(20)]

    yield "cursors", cursors

    def goes_on(side: Any) -> list[Any]:
        with side.diffs_since(known.first) as stream:
            for _ in range(5):
                next(stream)
            return [diff.change_id for diff in side.diffs_since(stream.cursor, text=False)]

    yield "goes on", goes_on

    def follows(side: Any) -> list[Any]:
        with side.diffs_since(known.first, text=False, follow=True) as stream:
            return [next(stream).change_id for _ in range(known.steps // 2)]

    yield "follows", follows


def _file_versions(known: Known) -> Questions:
    for path in [*known.some(80), *_OUTSIDE]:
        yield _call("file_versions", path)
    yield _call("file_versions")
    for path in known.some(10):
        yield _call("file_versions", path, page_size=1)
        yield _call("file_versions", path, change_types=[ChangeType.MODIFIED])
        yield _call("file_versions", path, start_time=known.between(0.3))
        yield _call("file_versions", path, end_time=known.between(0.3))
    for filter_ in _filters(known):
        yield _call("file_versions", **filter_)
        yield _call("file_versions", known.paths[3], **filter_)
    yield _call("file_versions", path_prefix=known.root, page_size=13, limit=100)


def _version_content(known: Known) -> Questions:
    for version in [*known.versions[::3], 0, -1, known.versions[-1] + 1, 1 << 62, 1 << 63]:
        yield _call("version_content", version)


def _files(known: Known) -> Questions:
    for prefix in known.prefixes()[1:]:
        yield _call("files", prefix)
        for part in (0.05, 0.3, 0.7):
            yield _call("files", prefix, as_of=known.between(part))
    yield _call("files", known.root, page_size=7, limit=100)
    yield _call("files", known.root, page_size=-1)
    yield _call("files", "/", as_of=known.first - timedelta(days=9))


def _labels(known: Known) -> Questions:
    for prefix in known.prefixes():
        yield _call("labels", path_prefix=prefix)
    yield _call("labels", page_size=1)


def _topic_files(known: Known) -> Questions:
    for topic in (
        "go",
        "GO",
        "golang",
        "a,b",
        "",
        "100%",
        "caf\u00e9",
        "Caf\u00c9",
        " go",
        "never",
    ):
        yield _call("topic_files", topic)
        yield _call("topic_files", topic, page_size=1)


def _time_analysis(known: Known) -> Questions:
    ends = {"end_time": known.last + timedelta(hours=1)}
    for zone in _ZONES:
        for size in BucketSize:
            yield _call("time_analysis", time_zone=zone, bucket_size=size, **ends)
    for prefix in known.prefixes():
        yield _call("time_analysis", path_prefix=prefix, **ends)
    yield _call("time_analysis", bucket_size=BucketSize(77), **ends)
    whole = {"start_time": known.first - timedelta(days=3), **ends}
    for size in BucketSize:
        yield _call("time_analysis", bucket_size=size, **whole)
    yield _call("time_analysis", start_time=known.last, end_time=known.first)
    yield _call("time_analysis", start_time=known.last, end_time=known.last)
    for zone, start in (
        ("Europe/Berlin", datetime(2024, 3, 30, 5, 30)),
        ("Europe/Berlin", datetime(2024, 10, 26, 5, 30)),
        ("Australia/Lord_Howe", datetime(2024, 10, 5, 5, 30)),
        ("America/Sao_Paulo", datetime(2018, 11, 3, 5, 30)),
        ("America/Havana", datetime(2024, 11, 2, 5, 30)),
        ("Pacific/Apia", datetime(2011, 12, 28, 5, 30)),
    ):
        begin = start.replace(tzinfo=timezone.utc)
        for size in BucketSize:
            end = begin + timedelta(days=3)
            yield _call(
                "time_analysis", start_time=begin, end_time=end, time_zone=zone, bucket_size=size
            )


def _activity_stats(known: Known) -> Questions:
    end = {"end_time": known.last + timedelta(hours=1)}
    for zone in _ZONES:
        yield _call("activity_stats", time_zone=zone, **end)
    for prefix in known.prefixes():
        yield _call("activity_stats", path_prefix=prefix, **end)
    for size in (-1, 0, 3, 100, 1 << 30):
        yield _call("activity_stats", list_size=size, **end)
    for part in (0.2, 0.5, 1.0):
        yield _call("activity_stats", start_time=known.between(part), **end)
        yield _call("activity_stats", end_time=known.between(part))
    for days in range(4):
        yield _call("activity_stats", end_time=known.last + timedelta(days=days, microseconds=1))
    yield _call("activity_stats", start_time=known.last, end_time=known.first)


_TEXTS = [
    *("def test", "README", "milk", "the", "the a of", "C++ foo.bar it's a/b x=1 x-y a:b *"),
    *("", " ", '"', "(foo", "foo)", "foo AND", "NOT foo", "foo OR", "---", "\0a\0", "\ud800"),
    *(
        "cafe",
        "caf\u00e9",
        "CAFE\u0301",
        "\u691c\u7d22",
        "\u691c",
        "\u672c",
        "\U0001f600",
        "\U0001f600 x",
    ),
    *(
        "import os",
        "\u0130\u0131\u017f\u212a",
        "stra\u00dfe",
        "x" * 1000,
        "x" * 1001,
        "e e e E \u00e9",
    ),
    *("adopted golang", "odd md", "one\ntwo", "0 1 2 3", "\ufffd", "_", "sqlite_fts5"),
]
_ADVANCED = [
    *(
        "obby AND clients",
        "obby clients",
        "obby OR milk",
        "def NOT class",
        "NOT def",
        "(",
        ")",
        "()",
    ),
    *('"import os"', '"import', "path:readme", "content:readme path:md", "path:(readme OR test)"),
    *(
        "path:path:x",
        "path:",
        "content:(a path:b)",
        "imp*",
        '"import sy"*',
        "i*p",
        "*",
        "a AND OR b",
    ),
    *("AND a", "a OR", "OR a", "a NOT NOT b", "a AND NOT b", "(a OR b) AND (c OR d) NOT (e AND f)"),
    *(
        "(" * 17 + "a" + ")" * 17,
        "(" * 16 + "a" + ")" * 16,
        "(a",
        "a)",
        "---",
        "a --- b",
        "and or not",
    ),
    *(
        "path:def",
        "the NOT (def OR class)",
        "\u691c\u7d22",
        "\u65e5*",
        "a\u3000b",
        "x" * 1001,
        "go-*",
    ),
]


def _search_content(known: Known) -> Questions:
    for text in _TEXTS:
        for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING):
            yield _call("search_content", text, mode=mode, limit=60)
    for text in [*_ADVANCED, *_TEXTS]:
        yield _call("search_content", text, mode=SearchMode.ADVANCED, limit=60)
    for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING, SearchMode(0), SearchMode(77)):
        asked = {"mode": mode, "limit": 200}
        for size in (-1, 0, 1, 7, 1000):
            yield _call("search_content", "test", **asked, page_size=size)
        for prefix in known.prefixes():
            yield _call("search_content", "test", **asked, path_prefix=prefix)
        for glob in ("*.md", "d1/*", "[!a-z]*", "[", "#a", " ", "d2/", "x" * 1001, "/*.go"):
            yield _call("search_content", "test", **asked, path_glob=glob)
            yield _call("search_content", "test", **asked, path_glob=glob, path_prefix=known.root)
        for endings in ("md", (".MD", "py"), [], "", ".", "a/b", ["x"] * 51, "gitignore", ".go"):
            yield _call("search_content", "test", **asked, extensions=endings)
        for start, end in ((0.2, 0.9), (0.9, 0.2), (0.95, 1.0)):
            between = {"start_time": known.between(start), "end_time": known.between(end)}
            yield _call("search_content", "test", **asked, **between)
    for lines in (-1, 0, 1, 5, 20, 21, 1 << 40):
        for around in (-1, 0, 1, 10, 11):
            shown = {"max_lines": lines, "context_lines": around, "limit": 20}
            for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING):
                yield _call("search_content", "return x", mode=mode, **shown)
    yield _call("search_content", "e", mode=SearchMode.SUBSTRING, page_size=100)


def _search_history(known: Known) -> Questions:
    for text in (
        "inserted",
        "replaced",
        "def ",
        "\n\n",
        "",
        "x" * 1001,
        "caf\u00e9",
        "\ufffd",
        "e\nf",
    ):
        for ignore_case in (False, True):
            yield _call("search_history", text, ignore_case=ignore_case)
    for size in (-1, 1, 3, 1000):
        yield _call("search_history", "replaced", page_size=size, limit=30)
    for prefix in known.prefixes():
        yield _call("search_history", "inserted", path_prefix=prefix)
    for path in [*known.some(60), *_OUTSIDE]:
        yield _call("search_history", "inserted", path=path)
        yield _call("search_history", "e", path=path, path_prefix=known.root)
    for glob in ("*.md", "d1/*", "[!a-z]*", "[", "#a", "x" * 1001):
        yield _call("search_history", "REPLACED", path_glob=glob, ignore_case=True)


QUESTIONS: dict[str, Callable[[Known], Iterable[tuple[str, Ask]]]] = {
    "query.recent_diffs": _recent_diffs,
    "query.diffs_since": _diffs_since,
    "query.file_versions": _file_versions,
    "query.version_content": _version_content,
    "query.files": _files,
    "query.labels": _labels,
    "query.search_content": _search_content,
    "query.search_history": _search_history,
    "query.topic_files": _topic_files,
    "query.time_analysis": _time_analysis,
    "query.activity_stats": _activity_stats,
}
