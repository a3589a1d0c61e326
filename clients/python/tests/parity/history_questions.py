"""Questions about what was recorded."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from obby_clients.query import ChangeType

from .asking import OUTSIDE, Known, Questions, call

__all__ = ["HISTORY"]


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
    yield call("recent_diffs", page_size=1000)
    for text in (True, False):
        yield call("recent_diffs", text=text, limit=120, page_size=17)
    for size in (-1, 1 << 30, 1 << 40):
        yield call("recent_diffs", text=False, limit=3, page_size=size)
    yield call("recent_diffs", limit=0)
    for filter_ in _filters(known):
        yield call("recent_diffs", text=False, **filter_)
    yield call("recent_diffs", start_time=datetime(2026, 1, 1))


def _diffs_since(known: Known) -> Questions:
    for part in (0.0, 0.4, 1.0):
        yield call("diffs_since", known.between(part))
    yield call("diffs_since", known.last + timedelta(days=1))
    for filter_ in _filters(known):
        filter_.pop("start_time", None)
        yield call("diffs_since", known.between(0.1), text=False, **filter_)
    for token in ("", "no token", "AAAAAAAAAAAAAAAAAAAA", "AAAA"):
        yield call("diffs_since", token)

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
    for path in [*known.some(80), *OUTSIDE]:
        yield call("file_versions", path)
    yield call("file_versions")
    for path in known.some(10):
        yield call("file_versions", path, page_size=1)
        yield call("file_versions", path, change_types=[ChangeType.MODIFIED])
        yield call("file_versions", path, start_time=known.between(0.3))
        yield call("file_versions", path, end_time=known.between(0.3))
    for filter_ in _filters(known):
        yield call("file_versions", **filter_)
        yield call("file_versions", known.paths[3], **filter_)
    yield call("file_versions", path_prefix=known.root, page_size=13, limit=100)


def _version_content(known: Known) -> Questions:
    for version in [*known.versions[::3], 0, -1, known.versions[-1] + 1, 1 << 62, 1 << 63]:
        yield call("version_content", version)


def _diff(known: Known) -> Questions:
    for pair in zip(known.versions[::4], known.versions[1::4], strict=False):
        yield call("diff", *pair)
    for n, path in enumerate(known.some(60)):
        for begin, end in ((0.0, 1.0), (0.3, 0.8), (0.9, 0.2)):
            times = known.between(begin), known.between(end)
            yield call("diff", *times, path=path, context_lines=n % 5)
        yield call("diff", known.last, known.versions[n], path=path)
        yield call("diff", known.versions[n], known.last, path=path)
    some, last = known.versions[7], known.versions[-1]
    odd: list[Any] = [0, -1, last + 1, 1 << 62, 1 << 63, known.last, datetime(2026, 1, 1)]
    for side in odd:
        yield call("diff", side, some)
        yield call("diff", some, side)
    for lines in (-1, 0, 1, 1000, 1001, 1 << 40):
        yield call("diff", some, last, context_lines=lines)
    for outside in OUTSIDE:
        yield call("diff", known.first, some, path=outside)
        yield call("diff", some, last, path=outside)


def _files(known: Known) -> Questions:
    for prefix in known.prefixes()[1:]:
        yield call("files", prefix)
        for part in (0.05, 0.3, 0.7):
            yield call("files", prefix, as_of=known.between(part))
    yield call("files", known.root, page_size=7, limit=100)
    yield call("files", known.root, page_size=-1)
    yield call("files", "/", as_of=known.first - timedelta(days=9))


def _labels(known: Known) -> Questions:
    for prefix in known.prefixes():
        yield call("labels", path_prefix=prefix)
    yield call("labels", page_size=1)


HISTORY: dict[str, Callable[[Known], Questions]] = {
    "query.recent_diffs": _recent_diffs,
    "query.diffs_since": _diffs_since,
    "query.file_versions": _file_versions,
    "query.version_content": _version_content,
    "query.diff": _diff,
    "query.files": _files,
    "query.labels": _labels,
}
