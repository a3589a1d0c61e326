"""Between the values of the clients and those of the tracker."""

from __future__ import annotations

import re

from ..tracker.values import ContentHash, LineEnding, TrackChange
from ..values import ChangeType
from ._content import ENDINGS, KINDS, Content
from ._paths import quote, text_of
from ._problems import field
from ._tracking import Request

__all__ = ["hash_value", "request_of"]

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def request_of(change: TrackChange) -> Request:
    """Return the request for a change, or raise InvalidArgumentError."""
    path = text_of(change.path)
    if not path:
        raise field("path", "is empty: give the absolute path of a file")
    request_id = change.request_id or ""
    if request_id and not _UUID.fullmatch(request_id):
        raise field("request_id", f"{quote(request_id)} is not a UUID")
    kind = change.change_type
    if kind is not None and not ChangeType(kind).known:
        raise field("change_type", f"{int(kind)} is not a change type of this version")
    old_path = ""
    if kind == ChangeType.MOVED:
        old_path = "" if change.old_path is None else text_of(change.old_path)
        if not old_path:
            raise field("old_path", "is empty: a MOVED change has a former path")
    return Request(path, old_path, request_id)


def hash_value(content: Content) -> ContentHash:
    """Return what a caller is told of a content."""
    return ContentHash(
        content.hash,
        content.line_count,
        content.size,
        KINDS[content.kind],
        ENDINGS.get(content.eol, LineEnding.UNSPECIFIED),
    )
