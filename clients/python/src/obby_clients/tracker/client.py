"""The clients of the content-tracker."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import ClassVar

from .._aio import AsyncClient
from .._calls import Service, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import tracker_pb2 as pb
from .._status import from_status
from .._streams import Streaming, StreamMethod
from .._sync import Client
from .._wire import decode, number, put_path, timestamp
from ..values import AnyPath
from .values import (
    BatchItem,
    ChangeType,
    ContentHash,
    Forgotten,
    Progress,
    Restored,
    RestoreOutcome,
    RetentionRule,
    Thinned,
    TrackChange,
    TrackResult,
    UnifiedDiff,
)

__all__ = ["AsyncContentTrackerClient", "ContentTrackerClient"]

_SERVICE = Service(pb, "127.0.0.1:50052")

_TRACK_CHANGE = UnaryMethod(
    pb.TrackChangeRequest,
    pb.TrackChangeResponse,
    lambda response: decode(TrackResult, response),
    deadline=2.0,
)
_GET_CONTENT_HASH = UnaryMethod(
    pb.GetContentHashRequest,
    pb.GetContentHashResponse,
    lambda response: decode(ContentHash, response),
    deadline=2.0,
)
_GENERATE_DIFF = UnaryMethod(
    pb.GenerateDiffRequest,
    pb.GenerateDiffResponse,
    lambda response: decode(UnifiedDiff, response.diff),
    deadline=5.0,
)


def _batch_item(response: pb.TrackBatchResponse) -> BatchItem:
    if response.status.code:
        return BatchItem(response.index, None, from_status(response.status))
    return BatchItem(response.index, decode(TrackResult, response.result), None)


# Neither can be resumed: the server knows no cursor for them.
_TRACK_BATCH = StreamMethod(
    pb.TrackBatchRequest, pb.TrackBatchResponse, _batch_item, idle=10.0, deadline=30.0
)
_RECONCILE = StreamMethod(
    pb.ReconcileRequest,
    pb.ReconcileResponse,
    lambda response: decode(Progress, response),
    idle=10.0,  # the server says something every second
)


_SET_VERSION_LABEL = UnaryMethod(
    pb.SetVersionLabelRequest, pb.SetVersionLabelResponse, lambda _: None, deadline=5.0
)
_FORGET = UnaryMethod(
    pb.ForgetRequest,
    pb.ForgetResponse,
    lambda response: decode(Forgotten, response),
    deadline=600.0,  # a large file is rewritten
)


def _restored(response: pb.RestoreResponse) -> Restored:
    error = from_status(response.status) if response.status.code else None
    return Restored(
        path=os.fsdecode(response.raw_path or response.path.encode()),
        outcome=RestoreOutcome(response.outcome),
        version_id=response.version_id or None,
        change_id=response.change_id or None,
        error=error,
    )


_RESTORE = StreamMethod(pb.RestoreRequest, pb.RestoreResponse, _restored, idle=60.0)
_APPLY_RETENTION = StreamMethod(
    pb.ApplyRetentionRequest,
    pb.ApplyRetentionResponse,
    lambda response: decode(Thinned, response),
    idle=600.0,  # nothing is said of paths that lose nothing
)


def _track_change(change: TrackChange) -> pb.TrackChangeRequest:
    request = pb.TrackChangeRequest(
        change_type=number(change.change_type), request_id=change.request_id or ""
    )
    put_path(request, "path", change.path)
    put_path(request, "old_path", change.old_path)
    return request


def _side(content: bytes | int) -> pb.DiffSide:
    if isinstance(content, int):
        return pb.DiffSide(version_id=content)
    return pb.DiffSide(content=content)


class _Calls(ServiceCalls):
    service: ClassVar[Service] = _SERVICE

    @rpc
    def track_change(
        self,
        path: AnyPath,
        *,
        change_type: ChangeType | None = None,
        old_path: AnyPath | None = None,
        request_id: str | None = None,
        timeout: float | None = None,
    ) -> Unary[TrackResult]:
        """Record the present state of one path; the disk decides what has happened.

        `change_type` and `old_path` say what was seen, as a hint. `request_id` is
        a UUID: a repetition within 24 h is answered as the first call was.

        Raises InvalidArgumentError (not a file's path), NotFoundError (gone and
        never recorded), PermissionDeniedError (outside the roots, or unreadable),
        FailedPreconditionError (the root is missing or was replaced),
        AbortedError (the file keeps changing), ResourceExhaustedError (disk
        full), UnavailableError (database locked; see `retry_delay`).
        """
        change = TrackChange(path, change_type, old_path, request_id)
        return _TRACK_CHANGE(_track_change(change), timeout)

    @rpc
    def track_batch(
        self,
        changes: Iterable[TrackChange],
        *,
        timeout: float = 30.0,
        idle_timeout: float = 10.0,
    ) -> Streaming[BatchItem]:
        """Record many paths, at most 10,000; each is answered once, in any order.

        A path that fails stops no other: its item has the error. Where the stream
        itself raises, what was answered is recorded, the rest may be.
        """
        request = pb.TrackBatchRequest(items=map(_track_change, changes))
        return _TRACK_BATCH(request, timeout, idle_timeout=idle_timeout)

    @rpc
    def content_hash(
        self,
        path: AnyPath | None = None,
        *,
        content: bytes | None = None,
        timeout: float | None = None,
    ) -> Unary[ContentHash]:
        """Compute the hash of a file or of given content; records nothing.

        Raises as track_change does; NotFoundError where the file is missing.
        """
        if (path is None) == (content is None):
            raise TypeError("give either path or content")
        request = pb.GetContentHashRequest()
        put_path(request, "path", path)
        if content is not None:
            request.content = content
        return _GET_CONTENT_HASH(request, timeout)

    @rpc
    def generate_diff(
        self,
        old: bytes | int,
        new: bytes | int,
        *,
        path: str = "file",
        context_lines: int = 3,
        timeout: float | None = None,
    ) -> Unary[UnifiedDiff]:
        """Compute the unified diff between two contents; records nothing.

        Either side is the content itself or the id of a stored version. `path`
        is the name in the diff's header.

        Raises NotFoundError (no such version), FailedPreconditionError (its
        content is not stored), ResourceExhaustedError (the diff is too long).
        """
        request = pb.GenerateDiffRequest(
            old=_side(old), new=_side(new), path=path, context_lines=context_lines
        )
        return _GENERATE_DIFF(request, timeout)

    @rpc
    def reconcile(
        self,
        path: AnyPath | None = None,
        *,
        accept_replaced_root: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 10.0,
    ) -> Streaming[Progress]:
        """Compare a root, or every root, with what is recorded, and record what was missed.

        With `accept_replaced_root`, the directory that is at the root's path now
        is taken for the root, and what it lacks is recorded as deleted.

        Raises InvalidArgumentError (not a configured root),
        FailedPreconditionError (the root is missing or was replaced).
        """
        request = pb.ReconcileRequest(accept_replaced_root=accept_replaced_root)
        put_path(request, "path", path)
        return _RECONCILE(request, timeout, idle_timeout=idle_timeout)

    @rpc
    def restore(
        self,
        path: AnyPath | None = None,
        *,
        as_of: datetime | None = None,
        version_id: int = 0,
        destination: AnyPath | None = None,
        remove_others: bool = False,
        dry_run: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 60.0,
    ) -> Streaming[Restored]:
        """Write recorded content back to the disk: a version, or a path as of a time.

        Nothing is lost by it: what is there is recorded before it is replaced, and
        what is written is recorded as a new step. A file that fails stops no other.
        With `remove_others` the files of a folder that were not there then go.

        Raises InvalidArgumentError (give `version_id`, or `path` with `as_of`),
        NotFoundError (no such version; nothing was there then),
        PermissionDeniedError (the destination is outside what was allowed).
        """
        request = pb.RestoreRequest(
            version_id=version_id,
            as_of_time=timestamp(as_of),
            remove_others=remove_others,
            dry_run=dry_run,
        )
        put_path(request, "path", path)
        put_path(request, "destination", destination)
        return _RESTORE(request, timeout, idle_timeout=idle_timeout)

    @rpc
    def set_version_label(
        self,
        version_id: int,
        label: str = "",
        *,
        pinned: bool = False,
        timeout: float | None = None,
    ) -> Unary[None]:
        """Give a version a label, pin it so that retention keeps it, or take both back.

        Raises InvalidArgumentError (more than 200 characters), NotFoundError.
        """
        request = pb.SetVersionLabelRequest(version_id=version_id, label=label, pinned=pinned)
        return _SET_VERSION_LABEL(request, timeout)

    @rpc
    def apply_retention(
        self,
        rules: Iterable[RetentionRule] = (),
        *,
        max_bytes: int = 0,
        dry_run: bool = False,
        timeout: float | None = None,
        idle_timeout: float = 600.0,
    ) -> Streaming[Thinned]:
        """Thin out the history; the last item has the totals.

        Without rules and `max_bytes`, by the policy that the service was started with.

        Raises InvalidArgumentError (a rule that keeps nothing),
        FailedPreconditionError (no rules given and none configured).
        """
        request = pb.ApplyRetentionRequest(
            rules=[pb.RetentionRule(**asdict(rule)) for rule in rules],
            max_bytes=max_bytes,
            dry_run=dry_run,
        )
        return _APPLY_RETENTION(request, timeout, idle_timeout=idle_timeout)

    @rpc
    def forget(
        self,
        path: AnyPath,
        *,
        recursive: bool = False,
        dry_run: bool = False,
        vacuum: bool = False,
        timeout: float | None = None,
    ) -> Unary[Forgotten]:
        """Forget a path for good; with `vacuum` no byte of it is left in the database.

        Raises InvalidArgumentError (no absolute path), NotFoundError (never
        recorded), UnavailableError (database locked; see `retry_delay`).
        """
        request = pb.ForgetRequest(recursive=recursive, dry_run=dry_run, vacuum=vacuum)
        put_path(request, "path", path)
        return _FORGET(request, timeout)


class ContentTrackerClient(_Calls, Client):
    """Talks to the content-tracker; every call blocks."""


class AsyncContentTrackerClient(_Calls, AsyncClient):
    """Talks to the content-tracker from asyncio: await calls, `async for` streams."""
