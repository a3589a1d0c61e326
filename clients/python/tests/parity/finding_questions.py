"""Questions that search and count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

from obby_clients.query import BucketSize, SearchMode

from .asking import OUTSIDE, Known, Questions, call

__all__ = ["FINDINGS"]

_ZONES = ["", "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Mars/Olympus"]
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
            yield call("search_content", text, mode=mode, limit=60)
    for text in [*_ADVANCED, *_TEXTS]:
        yield call("search_content", text, mode=SearchMode.ADVANCED, limit=60)
    for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING, SearchMode(0), SearchMode(77)):
        asked = {"mode": mode, "limit": 40}
        for size in (-1, 0, 1, 7, 1000):
            yield call("search_content", "test", **asked, page_size=size)
        for prefix in known.prefixes():
            yield call("search_content", "test", **asked, path_prefix=prefix)
        for glob in ("*.md", "d1/*", "[!a-z]*", "[", "#a", " ", "d2/", "x" * 1001, "/*.go"):
            yield call("search_content", "test", **asked, path_glob=glob)
            yield call("search_content", "test", **asked, path_glob=glob, path_prefix=known.root)
        for endings in ("md", (".MD", "py"), [], "", ".", "a/b", ["x"] * 51, "gitignore", ".go"):
            yield call("search_content", "test", **asked, extensions=endings)
        for start, end in ((0.2, 0.9), (0.9, 0.2), (0.95, 1.0)):
            between = {"start_time": known.between(start), "end_time": known.between(end)}
            yield call("search_content", "test", **asked, **between)
    for lines in (-1, 0, 1, 5, 20, 21, 1 << 40):
        for around in (-1, 0, 1, 10, 11):
            shown = {"max_lines": lines, "context_lines": around, "limit": 20}
            for mode in (SearchMode.PLAIN, SearchMode.SUBSTRING):
                yield call("search_content", "return x", mode=mode, **shown)
    yield call("search_content", "e", mode=SearchMode.SUBSTRING, page_size=100)


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
            yield call("search_history", text, ignore_case=ignore_case)
    for size in (-1, 1, 3, 1000):
        yield call("search_history", "replaced", page_size=size, limit=30)
    for prefix in known.prefixes():
        yield call("search_history", "inserted", path_prefix=prefix)
    for path in [*known.some(60), *OUTSIDE]:
        yield call("search_history", "inserted", path=path)
        yield call("search_history", "e", path=path, path_prefix=known.root)
    for glob in ("*.md", "d1/*", "[!a-z]*", "[", "#a", "x" * 1001):
        yield call("search_history", "REPLACED", path_glob=glob, ignore_case=True)


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
        yield call("topic_files", topic)
        yield call("topic_files", topic, page_size=1)


def _time_analysis(known: Known) -> Questions:
    ends = {"end_time": known.last + timedelta(hours=1)}
    for zone in _ZONES:
        for size in BucketSize:
            yield call("time_analysis", time_zone=zone, bucket_size=size, **ends)
    for prefix in known.prefixes():
        yield call("time_analysis", path_prefix=prefix, **ends)
    yield call("time_analysis", bucket_size=BucketSize(77), **ends)
    whole = {"start_time": known.first - timedelta(days=3), **ends}
    for size in BucketSize:
        yield call("time_analysis", bucket_size=size, **whole)
    yield call("time_analysis", start_time=known.last, end_time=known.first)
    yield call("time_analysis", start_time=known.last, end_time=known.last)
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
            yield call(
                "time_analysis", start_time=begin, end_time=end, time_zone=zone, bucket_size=size
            )


def _activity_stats(known: Known) -> Questions:
    end = {"end_time": known.last + timedelta(hours=1)}
    for zone in _ZONES:
        yield call("activity_stats", time_zone=zone, **end)
    for prefix in known.prefixes():
        yield call("activity_stats", path_prefix=prefix, **end)
    for size in (-1, 0, 3, 100, 1 << 30):
        yield call("activity_stats", list_size=size, **end)
    for part in (0.2, 0.5, 1.0):
        yield call("activity_stats", start_time=known.between(part), **end)
        yield call("activity_stats", end_time=known.between(part))
    for days in range(4):
        yield call("activity_stats", end_time=known.last + timedelta(days=days, microseconds=1))
    yield call("activity_stats", start_time=known.last, end_time=known.first)


FINDINGS: dict[str, Callable[[Known], Questions]] = {
    "query.search_content": _search_content,
    "query.search_history": _search_history,
    "query.topic_files": _topic_files,
    "query.time_analysis": _time_analysis,
    "query.activity_stats": _activity_stats,
}
