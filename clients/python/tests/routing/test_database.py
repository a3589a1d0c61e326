"""Writes that Go had committed when it failed, and Python's after it: one database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby.tracker.v1 import tracker_pb2, tracker_pb2_grpc
from obby_clients import tracker
from obby_clients.fallback import ContentTracker
from obby_clients.flags import Flags
from obby_clients.routing import Fallbacks, Obby

from ..conftest import Server

Serve = Callable[..., Server]


@pytest.fixture
def stub(start: Any, root: Path) -> Iterator[tracker_pb2_grpc.ContentTrackerServiceStub]:
    """Talks to the real content-tracker, whose database the Python side has too."""
    service = start("content-tracker", "--database", f"{root.parent}/o.db", "--root", str(root))
    with grpc.insecure_channel(service.target) as channel:
        grpc.channel_ready_future(channel).result(60)
        yield tracker_pb2_grpc.ContentTrackerServiceStub(channel)


def database(root: Path) -> ContentTracker:
    return ContentTracker(root.parent / "o.db", [root])


def routed(target: str, python: ContentTracker) -> Obby:
    environ = {"USE_GO_CONTENT_TRACKER": "1", "GO_CONTENT_TRACKER_TARGET": target}
    return Obby(fallback=Fallbacks(tracker=python), flags=Flags(environ))


def versions(root: Path) -> int:
    with sqlite3.connect(root.parent / "o.db") as database:
        (count,) = database.execute("SELECT count(*) FROM file_versions").fetchone()
    return int(count)


def test_case_40_committed_and_then_too_late(stub: Any, serve: Serve, root: Path) -> None:
    (root / "a.md").write_text("one\n")
    committed: list[Any] = []

    def late(request: Any, context: grpc.ServicerContext) -> None:
        committed.append(stub.TrackChange(request))
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "too late")

    server = serve(oc.ContentTrackerClient, TrackChange=late)
    with database(root) as python, routed(server.target, python) as obby:
        result = obby.tracker.track_change(root / "a.md")
    (first,) = committed
    assert result.version is not None
    assert result.version.version_id == first.version.version_id
    # The same answer, not another step (0: the service had found the file itself).
    assert (result.change_id or 0) == first.change_id
    assert versions(root) == 1


def test_case_41_a_batch_that_was_recorded_whole(stub: Any, serve: Serve, root: Path) -> None:
    paths = [root / f"{number}.md" for number in range(100)]
    for path in paths:  # the service, which looks by itself at first, must see none half written
        (root.parent / path.name).write_text(f"{path}\n")
        (root.parent / path.name).rename(path)

    def breaks(request: Any, context: grpc.ServicerContext) -> Any:
        answers: list[tracker_pb2.TrackBatchResponse] = list(stub.TrackBatch(request))
        yield from answers[:40]
        context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    server = serve(oc.ContentTrackerClient, TrackBatch=breaks)
    with database(root) as python, routed(server.target, python) as obby:
        answers = list(obby.tracker.track_batch(map(tracker.TrackChange, paths)))
    assert sorted(item.index for item in answers) == list(range(100))
    assert all(item.error is None for item in answers)
    assert versions(root) == 100
