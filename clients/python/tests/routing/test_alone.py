"""Go without a Python side, answers that are about a path, and what the log says."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.fallback import AsyncQueryService, ContentTracker, QueryService
from obby_clients.flags import Service

from ..conftest import wait_until
from .operated import Drive, World
from .routed import QUERY, Route, Serve, closed_port, content, error_of, on

Start = Callable[..., Any]
TRACKER = Service.CONTENT_TRACKER


def test_a_path_outside_of_the_roots_is_an_answer(
    route: Route, start: Start, root: Path, tmp_path: Path
) -> None:
    process = start("content-tracker", "--database", str(tmp_path / "obby.db"), "--root", str(root))
    obby = route(on(TRACKER, process.target), tracker={"track_change": "python"})
    for _ in range(6):
        error = error_of(lambda: obby.tracker.track_change("/etc/passwd"))
        assert isinstance(error, oc.PermissionDeniedError)
        assert error.reason == "OUTSIDE_ROOTS"
    assert not obby.python["tracker"].calls
    assert obby.obby.health()["content-tracker"] == "closed"


def test_a_file_that_go_may_not_read_is_pythons_and_no_failure(
    route: Route, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    denied = oc.PermissionDeniedError("/x: cannot be read")
    denied.reason = "UNREADABLE"
    server = serve(oc.QueryClient, GetVersionContent=content("go"))
    obby = route(on(QUERY, server.target), query={"version_content": "python"})
    assert obby.query.version_content(1).content == b"go"
    client = obby.router.side(QUERY).now

    def refuse(*_: Any, **__: Any) -> Any:
        raise denied

    client.version_content = refuse
    for _ in range(6):
        assert obby.query.version_content(1) == "python"
    assert obby.obby.health()["query-service"] == "closed"
    assert not caplog.records


def test_without_a_python_side_gos_error_is_the_callers(route: Route) -> None:
    obby = route(on(QUERY, closed_port()))
    for _ in range(3):  # also when the breaker is open
        error = error_of(lambda: obby.query.version_content(1))
        assert isinstance(error, oc.UnavailableError), error
        error = error_of(lambda: list(obby.query.recent_diffs()))
        assert isinstance(error, oc.UnavailableError), error


def test_without_a_python_side_a_switch_that_is_off_says_what_to_do(route: Route) -> None:
    obby = route({})
    error = error_of(lambda: obby.query.version_content(1))
    assert isinstance(error, oc.FailedPreconditionError)
    assert "give one as Fallbacks(query=…), or set USE_GO_QUERY_SERVICE=on" in str(error)


@pytest.fixture(params=["sync", "asyncio"])
def drive(request: pytest.FixtureRequest) -> Drive:
    return Drive(request.param == "asyncio")


@pytest.fixture
def tracker(tmp_path: Path, root: Path) -> Iterator[ContentTracker]:
    with ContentTracker(tmp_path / "obby.db", [root]) as made:
        yield made


def begin() -> datetime:
    return datetime.now(timezone.utc) - timedelta(hours=1)


def test_without_a_python_side_a_stream_waits_as_long_as_its_caller_says(
    drive: Drive, tmp_path: Path, root: Path, start: Start, tracker: ContentTracker
) -> None:
    process = start("query-service", "--database", str(tmp_path / "obby.db"))
    world = World(drive, tmp_path, on(QUERY, process.target))
    wait_until(lambda: process.said("database opened"))
    (root / "a.md").write_text("a\n")
    first = tracker.track_change(root / "a.md").change_id
    patient = world.listen(world.obby.query.diffs_since, begin(), follow=True, retry_for=60)
    hasty = world.listen(world.obby.query.diffs_since, begin(), follow=True, retry_for=0)
    for steps in (patient, hasty):
        assert steps.heard.get(timeout=60).change_id == first
    process.kill()
    assert isinstance(hasty.heard.get(timeout=60), oc.UnavailableError)
    (root / "b.md").write_text("b\n")
    second = tracker.track_change(root / "b.md").change_id
    process.restart()
    assert patient.heard.get(timeout=60).change_id == second
    world.close()


def test_closing_ends_the_streams_of_both_sides(
    drive: Drive, tmp_path: Path, root: Path, tracker: ContentTracker
) -> None:
    kind: Any = AsyncQueryService if drive.loop else QueryService
    world = World(drive, tmp_path, {}, query=kind(tmp_path / "obby.db"))
    (root / "a.md").write_text("a\n")
    first = tracker.track_change(root / "a.md").change_id
    waiting = world.listen(world.obby.query.diffs_since, begin(), follow=True)
    assert waiting.heard.get(timeout=60).change_id == first
    later = drive.call(world.obby.query.diffs_since, begin(), follow=True)
    drive.run(world.obby.close())
    assert isinstance(waiting.heard.get(timeout=60), oc.ClosedError)
    with pytest.raises(oc.ClosedError, match="router is closed"):
        drive.run(later.connect())
    world.close()


def test_the_log_says_when_a_service_goes_and_comes_back(
    route: Route, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    hub = start("sse-hub")
    obby = route(on(Service.SSE_HUB, hub.target), hub={"server_info": "python"})
    obby.hub.server_info()
    assert not caplog.records  # it was never away
    hub.kill()
    for _ in range(3):
        obby.hub.server_info()
    hub.restart()
    wait_until(lambda: obby.hub.server_info() != "python")
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"breaker open: sse-hub at {hub.target}: UNAVAILABLE: its calls run on Python; see that"
        " it runs, and that GO_SSE_HUB_TARGET is its address",
        f"breaker closed: sse-hub at {hub.target} answers again",
    ]


def test_the_log_says_once_when_the_rollback_takes_effect_and_is_over(
    drive: Drive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world = World(drive, tmp_path, {})
    changed: list[Any] = []
    world.obby.on_change(None, changed.append)
    for on_ in (True, False):
        world.admin.rollback(on=on_)
        wait_until(lambda: world.obby._changes._killed is on_)  # noqa: B023 (called here)
    said = [r.getMessage() for r in caplog.records if r.name == "obby_clients.routing"]
    assert said == [
        "emergency rollback took effect: every call runs on Python",
        "emergency rollback is over: calls go where the flags say",
    ]
    world.close()


def test_a_stream_of_before_a_fork_is_refused(
    tmp_path: Path, root: Path, tracker: ContentTracker
) -> None:
    (root / "a.md").write_text("a\n")
    tracker.track_change(root / "a.md")
    program = """
import os, sys
from datetime import datetime, timezone
import obby_clients as oc
from obby_clients.fallback import QueryService
from obby_clients.routing import Fallbacks, Obby
obby = Obby(fallback=Fallbacks(query=QueryService(sys.argv[1])))
steps = obby.query.diffs_since(datetime(2020, 1, 1, tzinfo=timezone.utc), follow=True)
next(steps)
if not (child := os.fork()):
    try:
        next(steps)
    except oc.ClosedError:
        os._exit(0)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "obby.db")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "0\n", done.stderr
