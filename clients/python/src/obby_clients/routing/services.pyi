"""What type checkers know of the routed services. Written by tools/routed_stub.py."""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta

from .. import hub, query, tracker, watcher
from ..values import AnyPath, ServerInfo
from .live_aio import AsyncLiveStream
from .live_sync import LiveStream
from .router import Router
from .streams import AsyncRoutedStream, RoutedStream

__all__ = [
    "AsyncHub",
    "AsyncQuery",
    "AsyncTracker",
    "AsyncWatcher",
    "Hub",
    "Query",
    "Tracker",
    "Watcher",
]

class Watcher:
    def __init__(self, router: Router) -> None: ...
    def start_watching(
        self,
        path: AnyPath,
        *,
        debounce: timedelta | None = ...,
        patterns: watcher.PatternSet | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> watcher.StartedWatch: ...
    def stop_watching(
        self,
        watch_id: str,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> None: ...
    def update_patterns(
        self,
        watch_id: str,
        patterns: watcher.PatternSet | None,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> watcher.Watch: ...
    def list_watches(
        self,
        *,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[watcher.Watch]: ...
    def events(
        self,
        resume_token: str | None = ...,
        *,
        watch_ids: Iterable[str] = ...,
        path_prefix: AnyPath | None = ...,
        change_types: Iterable[watcher.ChangeType] = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> LiveStream[watcher.Event | watcher.Resync]: ...
    def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class AsyncWatcher:
    def __init__(self, router: Router) -> None: ...
    async def start_watching(
        self,
        path: AnyPath,
        *,
        debounce: timedelta | None = ...,
        patterns: watcher.PatternSet | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> watcher.StartedWatch: ...
    async def stop_watching(
        self,
        watch_id: str,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> None: ...
    async def update_patterns(
        self,
        watch_id: str,
        patterns: watcher.PatternSet | None,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> watcher.Watch: ...
    def list_watches(
        self,
        *,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[watcher.Watch]: ...
    def events(
        self,
        resume_token: str | None = ...,
        *,
        watch_ids: Iterable[str] = ...,
        path_prefix: AnyPath | None = ...,
        change_types: Iterable[watcher.ChangeType] = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncLiveStream[watcher.Event | watcher.Resync]: ...
    async def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    async def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class Tracker:
    def __init__(self, router: Router) -> None: ...
    def track_change(
        self,
        path: AnyPath,
        *,
        change_type: tracker.ChangeType | None = ...,
        old_path: AnyPath | None = ...,
        request_id: str | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.TrackResult: ...
    def track_batch(
        self,
        changes: Iterable[tracker.TrackChange],
        *,
        timeout: float = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> RoutedStream[tracker.BatchItem]: ...
    def content_hash(
        self,
        path: AnyPath | None = ...,
        *,
        content: bytes | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.ContentHash: ...
    def generate_diff(
        self,
        old: bytes | int,
        new: bytes | int,
        *,
        path: str = ...,
        context_lines: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.UnifiedDiff: ...
    def reconcile(
        self,
        path: AnyPath | None = ...,
        *,
        accept_replaced_root: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> RoutedStream[tracker.Progress]: ...
    def restore(
        self,
        path: AnyPath | None = ...,
        *,
        as_of: datetime | None = ...,
        version_id: int = ...,
        destination: AnyPath | None = ...,
        remove_others: bool = ...,
        dry_run: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> RoutedStream[tracker.Restored]: ...
    def set_version_label(
        self,
        version_id: int,
        label: str = ...,
        *,
        pinned: bool = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> None: ...
    def apply_retention(
        self,
        rules: Iterable[tracker.RetentionRule] = ...,
        *,
        max_bytes: int = ...,
        dry_run: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> RoutedStream[tracker.Thinned]: ...
    def forget(
        self,
        path: AnyPath,
        *,
        recursive: bool = ...,
        dry_run: bool = ...,
        vacuum: bool = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.Forgotten: ...
    def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class AsyncTracker:
    def __init__(self, router: Router) -> None: ...
    async def track_change(
        self,
        path: AnyPath,
        *,
        change_type: tracker.ChangeType | None = ...,
        old_path: AnyPath | None = ...,
        request_id: str | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.TrackResult: ...
    def track_batch(
        self,
        changes: Iterable[tracker.TrackChange],
        *,
        timeout: float = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncRoutedStream[tracker.BatchItem]: ...
    async def content_hash(
        self,
        path: AnyPath | None = ...,
        *,
        content: bytes | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.ContentHash: ...
    async def generate_diff(
        self,
        old: bytes | int,
        new: bytes | int,
        *,
        path: str = ...,
        context_lines: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.UnifiedDiff: ...
    def reconcile(
        self,
        path: AnyPath | None = ...,
        *,
        accept_replaced_root: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncRoutedStream[tracker.Progress]: ...
    def restore(
        self,
        path: AnyPath | None = ...,
        *,
        as_of: datetime | None = ...,
        version_id: int = ...,
        destination: AnyPath | None = ...,
        remove_others: bool = ...,
        dry_run: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncRoutedStream[tracker.Restored]: ...
    async def set_version_label(
        self,
        version_id: int,
        label: str = ...,
        *,
        pinned: bool = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> None: ...
    def apply_retention(
        self,
        rules: Iterable[tracker.RetentionRule] = ...,
        *,
        max_bytes: int = ...,
        dry_run: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncRoutedStream[tracker.Thinned]: ...
    async def forget(
        self,
        path: AnyPath,
        *,
        recursive: bool = ...,
        dry_run: bool = ...,
        vacuum: bool = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> tracker.Forgotten: ...
    async def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    async def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class Query:
    def __init__(self, router: Router) -> None: ...
    def version_content(
        self,
        version_id: int,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.VersionContent: ...
    def diff(
        self,
        old: int | datetime,
        new: int | datetime,
        *,
        path: AnyPath | None = ...,
        context_lines: int | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.VersionDiff: ...
    def time_analysis(
        self,
        *,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        time_zone: str = ...,
        bucket_size: query.BucketSize = ...,
        path_prefix: AnyPath | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.TimeAnalysis: ...
    def activity_stats(
        self,
        *,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        path_prefix: AnyPath | None = ...,
        list_size: int = ...,
        time_zone: str = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.ActivityStats: ...
    def recent_diffs(
        self,
        *,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        text: bool = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.Diff]: ...
    def file_versions(
        self,
        path: AnyPath | None = ...,
        *,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.Version]: ...
    def files(
        self,
        path: AnyPath,
        *,
        as_of: datetime | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.Version]: ...
    def labels(
        self,
        *,
        path_prefix: AnyPath | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.Version]: ...
    def search_content(
        self,
        query: str,
        *,
        mode: query.SearchMode = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        extensions: str | Iterable[str] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        max_lines: int = ...,
        context_lines: int = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.SearchResult]: ...
    def search_history(
        self,
        text: str,
        *,
        ignore_case: bool = ...,
        path: AnyPath | None = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.HistoryMatch]: ...
    def topic_files(
        self,
        topic: str,
        *,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> Iterator[query.TopicFile]: ...
    def diffs_since(
        self,
        since: datetime | str,
        *,
        follow: bool = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        end_time: datetime | None = ...,
        text: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> RoutedStream[query.Diff] | LiveStream[query.Diff]: ...
    def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class AsyncQuery:
    def __init__(self, router: Router) -> None: ...
    async def version_content(
        self,
        version_id: int,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.VersionContent: ...
    async def diff(
        self,
        old: int | datetime,
        new: int | datetime,
        *,
        path: AnyPath | None = ...,
        context_lines: int | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.VersionDiff: ...
    async def time_analysis(
        self,
        *,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        time_zone: str = ...,
        bucket_size: query.BucketSize = ...,
        path_prefix: AnyPath | None = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.TimeAnalysis: ...
    async def activity_stats(
        self,
        *,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        path_prefix: AnyPath | None = ...,
        list_size: int = ...,
        time_zone: str = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> query.ActivityStats: ...
    def recent_diffs(
        self,
        *,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        text: bool = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.Diff]: ...
    def file_versions(
        self,
        path: AnyPath | None = ...,
        *,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.Version]: ...
    def files(
        self,
        path: AnyPath,
        *,
        as_of: datetime | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.Version]: ...
    def labels(
        self,
        *,
        path_prefix: AnyPath | None = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.Version]: ...
    def search_content(
        self,
        query: str,
        *,
        mode: query.SearchMode = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        extensions: str | Iterable[str] = ...,
        start_time: datetime | None = ...,
        end_time: datetime | None = ...,
        max_lines: int = ...,
        context_lines: int = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.SearchResult]: ...
    def search_history(
        self,
        text: str,
        *,
        ignore_case: bool = ...,
        path: AnyPath | None = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.HistoryMatch]: ...
    def topic_files(
        self,
        topic: str,
        *,
        limit: int | None = ...,
        page_size: int = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncIterator[query.TopicFile]: ...
    def diffs_since(
        self,
        since: datetime | str,
        *,
        follow: bool = ...,
        path_prefix: AnyPath | None = ...,
        path_glob: str = ...,
        change_types: Iterable[query.ChangeType] = ...,
        end_time: datetime | None = ...,
        text: bool = ...,
        timeout: float | None = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncRoutedStream[query.Diff] | AsyncLiveStream[query.Diff]: ...
    async def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    async def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class Hub:
    def __init__(self, router: Router) -> None: ...
    def publish(
        self,
        topic: str,
        data: str | bytes,
        *,
        event_type: str = ...,
        idempotency_key: str = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> hub.Published: ...
    def subscribe(
        self,
        topics: str | Iterable[str],
        *,
        last_event_id: str | None = ...,
        last_count: int = ...,
        client_id: str = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> LiveStream[hub.Event | hub.Reset]: ...
    def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...

class AsyncHub:
    def __init__(self, router: Router) -> None: ...
    async def publish(
        self,
        topic: str,
        data: str | bytes,
        *,
        event_type: str = ...,
        idempotency_key: str = ...,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> hub.Published: ...
    def subscribe(
        self,
        topics: str | Iterable[str],
        *,
        last_event_id: str | None = ...,
        last_count: int = ...,
        client_id: str = ...,
        idle_timeout: float = ...,
        retry_for: float = ...,
        subject: str | bytes | None = ...,
    ) -> AsyncLiveStream[hub.Event | hub.Reset]: ...
    async def server_info(
        self,
        *,
        timeout: float | None = ...,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
    async def wait_ready(
        self,
        timeout: float = ...,
        *,
        subject: str | bytes | None = ...,
    ) -> ServerInfo: ...
