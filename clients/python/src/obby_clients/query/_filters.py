"""What the requests of the query-service have in common."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from .._contract import query_pb2 as pb
from .._wire import numbers, put_path, timestamp
from ..values import AnyPath
from .values import ChangeType

__all__ = ["diff_filter", "diff_side", "view"]


def diff_filter(
    path_prefix: AnyPath | None,
    path_glob: str,
    change_types: Iterable[ChangeType],
    start_time: datetime | None,
    end_time: datetime | None,
) -> pb.DiffFilter:
    """Return the message for what to leave out."""
    message = pb.DiffFilter(
        path_glob=path_glob,
        change_types=numbers(change_types),
        start_time=timestamp(start_time),
        end_time=timestamp(end_time),
    )
    put_path(message, "path_prefix", path_prefix)
    return message


def diff_side(content: int | datetime) -> pb.DiffSide:
    """Return the message for a version, or for what a path was at a time."""
    if isinstance(content, datetime):
        return pb.DiffSide(as_of_time=timestamp(content))
    return pb.DiffSide(version_id=content)


def view(text: bool) -> pb.DiffView.ValueType:
    """Return how much of each step is asked for."""
    return pb.DIFF_VIEW_FULL if text else pb.DIFF_VIEW_BASIC
