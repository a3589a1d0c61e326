"""The table of calls, and what type checkers know of them."""

from __future__ import annotations

import importlib.util
import inspect
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.flags import Service
from obby_clients.routing import AsyncObby, Fallbacks, Obby, services
from obby_clients.routing.calls import CALLS, Effect, Shape

ROOT = Path(__file__).parents[2]
CLIENTS: dict[Service, Any] = {
    Service.FILE_WATCHER: oc.FileWatcherClient,
    Service.CONTENT_TRACKER: oc.ContentTrackerClient,
    Service.QUERY_SERVICE: oc.QueryClient,
    Service.SSE_HUB: oc.SSEHubClient,
}
NOT_CALLS = {"close", "service", "is_async"}


def methods(service: Service) -> dict[str, Any]:
    client = CLIENTS[service]
    names = {name for name in dir(client) if not name.startswith("_")} - NOT_CALLS
    return {name: inspect.getattr_static(client, name) for name in names}


@pytest.mark.parametrize("service", Service)
def test_every_method_is_routed(service: Service) -> None:
    assert methods(service).keys() <= CALLS[service].keys()


@pytest.mark.parametrize("service", Service)
def test_shapes_are_those_of_the_clients(service: Service) -> None:
    for name, method in methods(service).items():
        plan = inspect.signature(method.__wrapped__).return_annotation.split("[")[0]
        shape = CALLS[service][name].shape
        known = {Shape.UNARY: "Unary", Shape.LIST: "Paged"}
        assert plan == known.get(shape, "Streaming"), name


@pytest.mark.parametrize("service", Service)
def test_reads_are_those_of_the_contract(service: Service) -> None:
    # What the contract lets the channel repeat is read, or changes nothing twice.
    repeated = {path.rsplit("/", 1)[1].lower() for path in CLIENTS[service].service.retried}
    for name, call in CALLS[service].items():
        if name not in methods(service) or call.shape not in (Shape.UNARY, Shape.LIST):
            continue
        rpc = name.replace("_", "")
        named = {rpc, f"get{rpc}", f"list{rpc}", "getserverinfo" if "ready" in name else rpc}
        safe = call.effect in (Effect.READ, Effect.REPEATABLE)
        assert not (named & repeated) or safe, name


def test_the_key_of_a_keyed_call_is_its_argument() -> None:
    for service, table in CALLS.items():
        for name, call in table.items():
            if call.key:
                parameters = inspect.signature(methods(service)[name].__wrapped__).parameters
                assert call.key in parameters


def stub_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("routed_stub", ROOT / "tools/routed_stub.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stub_is_fresh() -> None:
    tool = stub_tool()
    written = Path(inspect.getfile(services)).with_suffix(".pyi").read_text()
    assert written == tool.stub(), "run: python tools/routed_stub.py"


def test_both_kinds_have_the_same_methods() -> None:
    with Obby(fallback=Fallbacks()) as blocking:
        asynchronous = AsyncObby(fallback=Fallbacks())
        for name in ("watcher", "tracker", "query", "hub"):
            one, two = (dir(getattr(obby, name)) for obby in (blocking, asynchronous))
            assert [n for n in one if n[0] != "_"] == [n for n in two if n[0] != "_"]


PROGRAM = """
from collections.abc import AsyncIterator

from obby_clients import NotFoundError, QueryClient, query, watcher
from obby_clients.fallback import AsyncContentTracker, ContentTracker
from obby_clients.flags import Decision, Flags, Service
from obby_clients.routing import AsyncObby, Fallbacks, LiveStream, Obby
from obby_clients.tracker import TrackResult


def direct(client: QueryClient) -> bytes | None:
    try:
        return client.version_content(1).content
    except NotFoundError:
        return None


def blocking(tracker: ContentTracker) -> None:
    with Obby(fallback=Fallbacks(tracker=tracker), flags=Flags()) as obby:
        result: TrackResult = obby.tracker.track_change("/notes/a.md", subject="s")
        for diff in obby.query.recent_diffs(limit=10, subject="session"):
            path: str = diff.path
        stream: LiveStream[watcher.Event | watcher.Resync] = obby.watcher.events()
        decision: Decision = obby.decide(Service.SSE_HUB, "client")
        print(result.outcome, path, stream.cursor, str(decision))
        obby.query.version_content("1")  # type: ignore[arg-type]
        obby.query.version_content(1, subjekt="s")  # type: ignore[call-arg]


async def asynchronous(tracker: AsyncContentTracker) -> list[query.Diff]:
    async with AsyncObby(fallback=Fallbacks(tracker=tracker)) as obby:
        await obby.tracker.track_change("/notes/a.md")
        diffs: AsyncIterator[query.Diff] = obby.query.recent_diffs()
        return [diff async for diff in diffs]
"""


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_a_program_of_a_user_is_checked(tmp_path: Path) -> None:
    """Against the wheel, as a user has it: py.typed, stubs and data are in it."""
    source = tmp_path / "source"  # setuptools leaves its traces where it builds
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path)]
    build = [sys.executable, "-m", "pip", "wheel", *options, str(source)]
    subprocess.run(build, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    for name in ("py.typed", "routing/services.pyi", "flags/buckets.json"):
        assert (site / "obby_clients" / name).exists()
    assert (site / "obby/tracker/v1/tracker_pb2.pyi").exists()
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        # Silent about the package itself, as mypy is about what is installed.
        [
            *(sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent"),
            *("--cache-dir", str(tmp_path / "cache"), str(program)),
        ],
        env={"MYPYPATH": str(site), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
