"""Servers to talk to, and clients of both kinds that a test drives in one way."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import pytest

import obby_clients as oc
import obby_clients._contract  # puts google.api and google.rpc where the generated code finds them
from obby.query.v1 import query_pb2_grpc
from obby.sse.v1 import sse_pb2_grpc
from obby.tracker.v1 import tracker_pb2_grpc
from obby.watcher.v1 import watcher_pb2_grpc
from obby_clients.fallback import AsyncQueryService, QueryService
from obby_clients.flags import Flags, Reason, Service, source

from .processes import Process
from .rows import Rows, make

NOT_UTF8 = os.fsdecode(b"caf\xe9.md")

ASYNC: dict[type, type] = {
    oc.FileWatcherClient: oc.AsyncFileWatcherClient,
    oc.ContentTrackerClient: oc.AsyncContentTrackerClient,
    oc.QueryClient: oc.AsyncQueryClient,
    oc.SSEHubClient: oc.AsyncSSEHubClient,
    QueryService: AsyncQueryService,
}
SERVICERS: dict[type, tuple[Any, Callable[[Any, grpc.Server], None]]] = {
    oc.FileWatcherClient: (
        watcher_pb2_grpc.FileWatcherServiceServicer,
        watcher_pb2_grpc.add_FileWatcherServiceServicer_to_server,
    ),
    oc.ContentTrackerClient: (
        tracker_pb2_grpc.ContentTrackerServiceServicer,
        tracker_pb2_grpc.add_ContentTrackerServiceServicer_to_server,
    ),
    oc.QueryClient: (
        query_pb2_grpc.QueryServiceServicer,
        query_pb2_grpc.add_QueryServiceServicer_to_server,
    ),
    oc.SSEHubClient: (
        sse_pb2_grpc.SSEHubServiceServicer,
        sse_pb2_grpc.add_SSEHubServiceServicer_to_server,
    ),
}


class Blocking:
    """An asyncio client or stream that can be used like its blocking counterpart."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._inner, self._loop = inner, loop

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute
        return lambda *args, **kwargs: self._wait(attribute(*args, **kwargs))

    def __iter__(self) -> Blocking:
        return self

    def __next__(self) -> Any:
        try:
            return self._loop.run_until_complete(self._inner.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def _wait(self, result: Any) -> Any:
        if inspect.isawaitable(result):
            result = self._loop.run_until_complete(result)
        if result is self._inner:
            return self
        return Blocking(result, self._loop) if hasattr(result, "__anext__") else result


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(params=["sync", "asyncio"])
def connect(
    request: pytest.FixtureRequest,
    loop: asyncio.AbstractEventLoop,
    start: object,
    serve: object,
) -> Iterator[Callable[..., Any]]:
    """Makes clients, blocking and asyncio in turn; the test is the same for both.

    They are closed before the servers, which would wait for them.
    """
    clients: list[Any] = []

    def connect(kind: type, target: str | None = None, **options: Any) -> Any:
        if request.param == "asyncio":
            clients.append(Blocking(ASYNC[kind](target, **options), loop))
        else:
            clients.append(kind(target, **options))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


class Server:
    """A server in this process whose methods are functions of the test."""

    def __init__(self, kind: type, methods: dict[str, Any], address: str) -> None:
        servicer, add = SERVICERS[kind]
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
        members = {name: staticmethod(method) for name, method in methods.items()}
        add(type("Servicer", (servicer,), members)(), self._server)
        port = self._server.add_insecure_port(address)
        self.target = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self) -> None:
        """Stop at once: what runs is cancelled."""
        self._server.stop(None).wait()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers: serve(QueryClient, GetVersionContent=function)."""
    servers: list[Server] = []

    def serve(kind: type, *, address: str = "127.0.0.1:0", **methods: Any) -> Server:
        servers.append(Server(kind, methods, address))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


def abort(context: grpc.ServicerContext, code: Any = grpc.StatusCode.UNAVAILABLE) -> None:
    """End the call with an error."""
    context.abort(code, "said the server")


def until_cancelled(context: grpc.ServicerContext) -> None:
    """Wait until the client hangs up."""
    gone = threading.Event()
    if context.add_callback(gone.set):
        assert gone.wait(60), "the client did not hang up"


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts built services: start("file-watcher", "--debounce", "50ms")."""
    processes: list[Process] = []

    def start(name: str, *flags: str) -> Process:
        processes.append(Process(name, *flags))
        return processes[-1]

    yield start
    for process in reversed(processes):
        process.stop()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a watched folder, with the name that the kernel has for it."""
    folder = (tmp_path / "notes").resolve()
    folder.mkdir()
    (folder / ".obbywatch").write_text("*.md\n")
    return folder


def wait_until(happened: Callable[[], Any]) -> Any:
    """Poll for what comes by itself; the limit is met only by what never comes."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if result := happened():
            return result
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Name a flags file, which is not there yet."""
    return tmp_path / "flags.conf"


@pytest.fixture
def flags(file: Path, monkeypatch: pytest.MonkeyPatch) -> Flags:
    """Give flags of a process that looks at that file for every decision."""
    monkeypatch.setattr(source, "EVERY", 0.0)
    return Flags({"OBBY_FLAGS_FILE": str(file), "USE_GO_FILE_WATCHER": "1"})


def reason(flags: Flags) -> Reason:
    """Return why a path is on the side where it is."""
    return flags.decide(Service.FILE_WATCHER, "/notes").reason


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Give a database in which no Go service ever ran."""
    make(tmp_path / "obby.db")
    return tmp_path / "obby.db"


@pytest.fixture
def rows(database: Path) -> Iterator[Rows]:
    """Writes into that database what the Python backend would."""
    with closing(Rows(database)) as rows:
        yield rows


@pytest.fixture
def ask(database: Path) -> Iterator[QueryService]:
    """Answers from that database."""
    with QueryService(database) as service:
        yield service
