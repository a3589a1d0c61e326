"""What type checkers know of the calls: mypy reads the first two functions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

from obby_clients import (
    AsyncFileWatcherClient,
    AsyncQueryClient,
    AsyncStream,
    FileWatcherClient,
    QueryClient,
    ServerInfo,
    Stream,
    query,
    watcher,
)

if TYPE_CHECKING:
    from typing_extensions import assert_type


def blocking(ask: QueryClient, watch: FileWatcherClient) -> None:
    assert_type(ask.version_content(1), query.VersionContent)
    assert_type(ask.recent_diffs(limit=1), Iterator[query.Diff])
    assert_type(ask.diffs_since("cursor"), Stream[query.Diff])
    assert_type(ask.diff(1, 2, path=b"/x"), query.VersionDiff)
    assert_type(ask.search_history("text"), Iterator[query.HistoryMatch])
    assert_type(watch.events().connect(), Stream[watcher.Event | watcher.Resync])
    assert_type(watch.wait_ready(), ServerInfo)
    assert_type(watch.__enter__(), FileWatcherClient)
    ask.version_content("1")  # type: ignore[arg-type]
    ask.version_content(id=1)  # type: ignore[call-arg]


async def asynchronous(ask: AsyncQueryClient, watch: AsyncFileWatcherClient) -> None:
    coming: Coroutine[Any, Any, query.VersionContent] = ask.version_content(1)
    assert_type(await coming, query.VersionContent)
    assert_type(ask.recent_diffs(limit=1), AsyncIterator[query.Diff])
    assert_type(ask.diffs_since("cursor"), AsyncStream[query.Diff])
    assert_type(await watch.events().connect(), AsyncStream[watcher.Event | watcher.Resync])
    assert_type(await watch.wait_ready(), ServerInfo)
    await ask.version_content("1")  # type: ignore[arg-type]


def test_both_kinds_have_the_same_calls() -> None:
    for sync, aio in ((QueryClient, AsyncQueryClient), (FileWatcherClient, AsyncFileWatcherClient)):
        assert {name for name in dir(sync) if name[0] != "_"} == {
            name for name in dir(aio) if name[0] != "_"
        }
