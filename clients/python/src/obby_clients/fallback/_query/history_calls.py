"""The calls that tell what was recorded; QueryClient says what each of them means."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

from ... import _options
from ..._living import Living
from ...errors import ClosedError
from ...query.values import ChangeType, Diff, Version, VersionContent, VersionDiff
from ...values import AnyPath
from .._aio import Source, paged, streaming, unary
from .._problems import field
from .._times import micros_of, now_micros
from . import between, versions
from .arguments import Filter, checked_int, clean, instant, listed, prefix_of
from .diffs import Query, diffs
from .following import Steps
from .reader import Page, Reader

__all__ = ["HistoryCalls"]


class HistoryCalls:
    """Steps, versions, contents and what lies between two of them."""

    _reader: Reader

    def __init__(self, database: AnyPath) -> None:
        self._reader = Reader(database)
        self._streams: Living[Steps] = Living()

    def _release(self) -> None:
        for steps in self._streams:
            steps.close(ClosedError("the fallback is closed"))

    @paged
    def recent_diffs(
        self,
        *,
        path_prefix: AnyPath | None = None,
        path_glob: str = "",
        change_types: Iterable[ChangeType] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        text: bool = True,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Diff]:
        """Iterate over recorded steps, newest first."""
        filter_ = Filter.of(path_prefix, path_glob, change_types, start_time, end_time)

        def read(checked: Filter, before: Any, size: int) -> tuple[Page, Any]:
            query = Query(checked, text, before=before or 0)
            with self._reader.opened() as answers:
                page = diffs(answers, query, size)
            return page, page.items[-1].change_id if page.items else None

        return listed(filter_.checked, read, limit=limit, page_size=page_size)

    @streaming
    def diffs_since(
        self,
        since: datetime | str,
        *,
        follow: bool = False,
        path_prefix: AnyPath | None = None,
        path_glob: str = "",
        change_types: Iterable[ChangeType] = (),
        end_time: datetime | None = None,
        text: bool = True,
        timeout: float | None = None,
        idle_timeout: float = 15.0,
        retry_for: float = 60.0,
    ) -> Source[Diff]:
        """Stream every step since a time, or after the `cursor` of an earlier stream."""
        filter_ = Filter.of(path_prefix, path_glob, change_types, None, end_time)
        given = _options.since(since)
        begin = given if isinstance(given, str) else micros_of(given)
        steps = Steps(
            self._reader,
            Query(filter_, text),
            begin,
            follow=follow,
            end=math.inf if timeout is None else time.monotonic() + timeout,
            retry_for=retry_for,
        )
        self._streams.add(steps)
        return steps

    @paged
    def file_versions(
        self,
        path: AnyPath | None = None,
        *,
        path_prefix: AnyPath | None = None,
        path_glob: str = "",
        change_types: Iterable[ChangeType] = (),
        start_time: datetime | None = None,
        end_time: datetime | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Version]:
        """Iterate over versions, newest first."""
        wanted = Filter.of(path_prefix, path_glob, change_types, start_time, end_time)

        def check() -> tuple[str, Filter]:
            filter_ = wanted.checked()
            file = prefix_of("path", path)
            if not file and not filter_.prefix and not filter_.glob:
                raise field(
                    "path",
                    "is empty: give the path of a file, or path_prefix or path_glob in filter",
                )
            return file, filter_

        def read(checked: tuple[str, Filter], before: Any, size: int) -> tuple[Page, Any]:
            file, filter_ = checked
            with self._reader.opened() as answers:
                if file:
                    page = versions.of_path(answers, file, filter_, before, size)
                    return page, page.items[-1].version_id if page.items else None
                return _unpaired(versions.of_steps(answers, filter_, before, size))

        return listed(check, read, limit=limit, page_size=page_size)

    @unary
    def version_content(self, version_id: int, *, timeout: float | None = None) -> VersionContent:
        """Return a version with its content."""
        if checked_int("version_id", version_id, 64) <= 0:
            raise field("version_id", f"{version_id} is not the id of a version")
        with self._reader.opened() as answers:
            return versions.content(answers, version_id)

    @unary
    def diff(
        self,
        old: int | datetime,
        new: int | datetime,
        *,
        path: AnyPath | None = None,
        context_lines: int | None = None,
        timeout: float | None = None,
    ) -> VersionDiff:
        """Compute the unified diff between two contents."""
        sides = between.side(old), between.side(new)
        return between.diff(self._reader, *sides, path, context_lines)

    @paged
    def files(
        self,
        path: AnyPath,
        *,
        as_of: datetime | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Version]:
        """Iterate over the files at or below a path as of a time, or as of now."""
        given = instant(as_of)

        def read(folder: str, after: Any, size: int) -> tuple[Page, Any]:
            # The paths of a listing as of now go on as of the same moment.
            when, last = after or (now_micros() if given is None else given, None)
            with self._reader.opened() as answers:
                page = versions.files(answers, folder, when, last, size)
            return page, (when, page.items[-1].path) if page.items else None

        return listed(partial(clean, "path", path), read, limit=limit, page_size=page_size)

    @paged
    def labels(
        self,
        *,
        path_prefix: AnyPath | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Iterator[Version]:
        """Iterate over the labelled and pinned versions, those marked last first."""

        def read(prefix: str, before: Any, size: int) -> tuple[Page, Any]:
            with self._reader.opened() as answers:
                return _unpaired(versions.labels(answers, prefix, before, size))

        check = partial(prefix_of, "path_prefix", path_prefix)
        return listed(check, read, limit=limit, page_size=page_size)


def _unpaired(page: Page) -> tuple[Page, Any]:
    """Part a page of (item, place) into the items and the place of the last."""
    items = [item for item, _ in page.items]
    return Page(items, page.more), page.items[-1][1] if page.items else None
