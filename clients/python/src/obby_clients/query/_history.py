"""The calls that tell what was recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .. import _options
from .._calls import Paged, PagedMethod, ServiceCalls, Unary, UnaryMethod, rpc
from .._contract import query_pb2 as pb
from .._streams import Resume, Streaming, StreamMethod
from .._wire import decode, put_path, timestamp
from ..values import AnyPath
from ._filters import diff_filter, diff_side, view
from .values import ChangeType, Diff, Version, VersionContent, VersionDiff

__all__ = ["HistoryCalls"]

_HEARTBEAT = 5.0  # by the contract

_GET_RECENT_DIFFS = PagedMethod(
    pb.GetRecentDiffsRequest,
    pb.GetRecentDiffsResponse,
    lambda page: (decode(Diff, diff) for diff in page.diffs),
    deadline=5.0,
)


def _diffs_since(*, endless: bool) -> StreamMethod[pb.GetDiffsSinceRequest, Diff]:
    return StreamMethod[pb.GetDiffsSinceRequest, Diff](
        pb.GetDiffsSinceRequest,
        pb.GetDiffsSinceResponse,
        lambda response: decode(Diff, response.diff) if response.HasField("diff") else None,
        idle=3 * _HEARTBEAT,
        resume=Resume("resume_token", lambda _, response: response.resume_token, endless=endless),
    )


_GET_DIFFS_SINCE = _diffs_since(endless=False)
_FOLLOW_DIFFS = _diffs_since(endless=True)
_GET_FILE_VERSIONS = PagedMethod(
    pb.GetFileVersionsRequest,
    pb.GetFileVersionsResponse,
    lambda page: (decode(Version, version) for version in page.versions),
    deadline=5.0,
)
_GET_VERSION_CONTENT = UnaryMethod(
    pb.GetVersionContentRequest,
    pb.GetVersionContentResponse,
    lambda response: decode(VersionContent, response),
    deadline=5.0,
)
_GET_DIFF = UnaryMethod(
    pb.GetDiffRequest,
    pb.GetDiffResponse,
    lambda response: decode(VersionDiff, response),
    deadline=5.0,
)
_LIST_FILES = PagedMethod(
    pb.ListFilesRequest,
    pb.ListFilesResponse,
    lambda page: (decode(Version, version) for version in page.files),
    deadline=5.0,
)
_LIST_LABELS = PagedMethod(
    pb.ListLabelsRequest,
    pb.ListLabelsResponse,
    lambda page: (decode(Version, version) for version in page.versions),
    deadline=5.0,
)


class HistoryCalls(ServiceCalls):
    """Steps, versions, contents and what lies between two of them."""

    @rpc
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
    ) -> Paged[Diff]:
        """Iterate over recorded steps, newest first.

        The first arguments leave steps out: only paths equal to or below
        `path_prefix`, only those that match `path_glob`, only these types, only
        from `start_time` on and before `end_time`. In a pattern, as in .obbywatch,
        `*` is any run of characters, also `/`, `?` one, `[a-c]` and `[!a-c]` a class;
        it is tried against the base name and against the path, relative to the
        prefix where there is one. `text=False` leaves the diffs' text out. `limit`
        ends the iteration, `timeout`, in seconds, is for each page.

        Raises InvalidArgumentError (a relative prefix, a bad pattern, a range that
        starts after its end).
        """
        request = pb.GetRecentDiffsRequest(
            filter=diff_filter(path_prefix, path_glob, change_types, start_time, end_time),
            view=view(text),
        )
        return _GET_RECENT_DIFFS(request, timeout, limit=limit, page_size=page_size)

    @rpc
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
        idle_timeout: float = 3 * _HEARTBEAT,
        retry_for: float = 60.0,
    ) -> Streaming[Diff]:
        """Stream every step since a time, or after the `cursor` of an earlier stream.

        Oldest first; ends at the newest, or with `follow` goes on with each further
        step, about a quarter of a second after it is committed. None comes twice or
        is left out, also when the stream is interrupted or the service restarts: it
        then goes on where it was, for up to `retry_for` seconds without the service.
        With `follow` the `cursor` also moves past what the filter leaves out; the
        stream is silent for `idle_timeout` seconds only when the service is gone.
        The other arguments are those of `recent_diffs`; `timeout` is for it all.

        Raises InvalidArgumentError (a cursor that this database never made, as after
        it was restored from a backup: begin again with a time).
        """
        begin = _options.since(since)
        request = pb.GetDiffsSinceRequest(
            since_time=timestamp(begin) if isinstance(begin, datetime) else None,
            filter=diff_filter(path_prefix, path_glob, change_types, None, end_time),
            view=view(text),
            follow=follow,
        )
        if isinstance(since, str):
            request.resume_token = since
        method = _FOLLOW_DIFFS if follow else _GET_DIFFS_SINCE
        return method(request, timeout, idle_timeout=idle_timeout, retry_for=retry_for)

    @rpc
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
    ) -> Paged[Version]:
        """Iterate over versions, newest first; `timeout` is for each page.

        Those of `path`, or, where it is None, every version that the steps below
        `path_prefix` or with paths like `path_glob` have made, one of which is then
        needed; a version that several steps made stands where the newest does. The
        types and the range leave out what other steps made; see `recent_diffs`.

        Raises NotFoundError (the path was never recorded), InvalidArgumentError
        (neither a path nor a filter of paths; a bad filter).
        """
        request = pb.GetFileVersionsRequest(
            filter=diff_filter(path_prefix, path_glob, change_types, start_time, end_time)
        )
        put_path(request, "path", path)
        return _GET_FILE_VERSIONS(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def version_content(
        self, version_id: int, *, timeout: float | None = None
    ) -> Unary[VersionContent]:
        """Return a version with its content.

        Raises NotFoundError (no such version), FailedPreconditionError (its
        content was too large to be kept), ResourceExhaustedError (more than 15 MiB).
        """
        return _GET_VERSION_CONTENT(pb.GetVersionContentRequest(version_id=version_id), timeout)

    @rpc
    def diff(
        self,
        old: int | datetime,
        new: int | datetime,
        *,
        path: AnyPath | None = None,
        context_lines: int | None = None,
        timeout: float | None = None,
    ) -> Unary[VersionDiff]:
        """Compute the unified diff between two contents.

        Each is a version's id, of any path, or a time: what `path` was then, nothing
        where it did not exist. `path` is the name in the diff's header too, by default
        that of the new version. `context_lines` are the unchanged lines around each
        change, 3 unless given and at most 1,000.

        Raises NotFoundError (no such version, a path that was never recorded),
        FailedPreconditionError (a content was too large to be kept, or is binary),
        ResourceExhaustedError (a diff of more than 3 MiB), InvalidArgumentError (a
        time without a path).
        """
        request = pb.GetDiffRequest(
            old=diff_side(old), new=diff_side(new), context_lines=context_lines
        )
        put_path(request, "path", path)
        return _GET_DIFF(request, timeout)

    @rpc
    def files(
        self,
        path: AnyPath,
        *,
        as_of: datetime | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Version]:
        """Iterate over the files at or below a path as of a time, or as of now.

        By path; each with the version that it had then. `timeout` is for each page.
        """
        request = pb.ListFilesRequest(as_of_time=timestamp(as_of))
        put_path(request, "path", path)
        return _LIST_FILES(request, timeout, limit=limit, page_size=page_size)

    @rpc
    def labels(
        self,
        *,
        path_prefix: AnyPath | None = None,
        limit: int | None = None,
        page_size: int = 0,
        timeout: float | None = None,
    ) -> Paged[Version]:
        """Iterate over the labelled and pinned versions, those marked last first."""
        request = pb.ListLabelsRequest()
        put_path(request, "path_prefix", path_prefix)
        return _LIST_LABELS(request, timeout, limit=limit, page_size=page_size)
