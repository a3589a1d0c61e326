"""The rest of the pipeline: nested roots, the write-ahead log, the lock, and a fork."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

from obby_clients._lock import Lock
from obby_clients.backend.checkpointing import checkpoint, checkpoint_now
from obby_clients.backend.watching import outermost
from obby_clients.fallback import ContentTracker
from obby_clients.tracker import ChangeType as Step

from ..conftest import wait_until
from ..processes import Process
from .committing import World


def test_nested_roots_have_the_outermost_as_subject_case_53() -> None:
    """case 53."""
    roots = ["/a/b", "/a", "/a/b/c", "/ab", "/"]
    assert outermost("/a/b/c", roots[:4]) == "/a"
    assert outermost("/ab", roots[:4]) == "/ab"
    assert outermost("/ab", roots) == "/"


def test_the_log_is_copied_while_no_content_tracker_does_it(
    tmp_path: Path, root: Path, world: World, start: Callable[..., Process]
) -> None:
    database = str(tmp_path / "obby.db")
    log = tmp_path / "obby.db-wal"
    world.change(3)
    assert checkpoint_now(database)
    world.change(3)
    assert checkpoint_now(database, large=0)
    assert log.stat().st_size == 0
    process = start("content-tracker", "--database", database, "--root", str(root))
    world.change()
    # It takes the lock with the first thing that it copies, and keeps it.
    wait_until(lambda: not _free(f"{database}-checkpoint"))
    assert not checkpoint_now(database)
    process.kill()
    world.change()
    assert checkpoint_now(database)


def _free(path: str) -> bool:
    with Lock(path) as lock:
        return lock.taken()


def test_the_backend_checkpoints_by_itself(tmp_path: Path, world: World) -> None:
    """What was copied stands in the file itself."""
    file = tmp_path / "obby.db"
    copied = file.stat().st_mtime_ns

    async def run() -> None:
        running = asyncio.ensure_future(checkpoint(str(file)))
        world.change()
        await asyncio.to_thread(wait_until, lambda: file.stat().st_mtime_ns > copied)
        running.cancel()
        await asyncio.wait({running})

    asyncio.run(run())


def test_one_process_at_a_time_has_the_lock(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    other = subprocess.Popen(
        [
            *(sys.executable, "-c"),
            "import sys; from obby_clients._lock import Lock\n"
            f"lock = Lock({path!r}); print(lock.taken(), flush=True); sys.stdin.read()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other, Lock(path) as lock:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        assert not lock.taken()
        other.kill()
        other.wait()
        wait_until(lock.taken)


def test_an_application_made_before_a_fork_works_after_it_case_56(
    tmp_path: Path, root: Path, start: Callable[..., Process]
) -> None:
    """case 56: gunicorn's preload_app makes the application in the parent."""
    (root / "a.md").write_text("milk\n")
    with ContentTracker(tmp_path / "obby.db", [root]) as tracker:
        assert tracker.track_change(root / "a.md").change_type is Step.CREATED
    process = start("query-service", "--database", str(tmp_path / "obby.db"))
    program = """
        import os, sys
        from fastapi import FastAPI
        from fastapi.testclient import TestClient
        from obby_clients import fastapi as obby
        from obby_clients.metrics import COUNTERS

        app = FastAPI()
        obby.install(app, obby.ObbySettings(database=sys.argv[1]))
        app.include_router(obby.diffs_router())

        def work():
            with TestClient(app) as client:
                items = client.get("/diffs").json()["items"]
            assert [item["change_type"] for item in items] == ["created"], items
            assert COUNTERS.value("obby_calls_total", backend="go", outcome="ok") == 1
            return 0

        children = []
        for _ in range(2):
            if (child := os.fork()) == 0:
                os._exit(work())
            children.append(child)
        statuses = [os.waitpid(child, 0)[1] for child in children]
        sys.exit(max(statuses) or work())
    """
    environ = {
        **os.environ,
        "USE_GO_QUERY_SERVICE": "on",
        "GO_QUERY_SERVICE_TARGET": process.target,
    }
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "obby.db")]
    subprocess.run(command, check=True, timeout=120, env=environ)
