"""When channels are made and closed: threads, event loops, processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

import obby_clients as oc
from obby_clients._contract import query_pb2

from .conftest import Server

Connect = Callable[..., Any]
Serve = Callable[..., Server]


def content(*_: Any) -> query_pb2.GetVersionContentResponse:
    return query_pb2.GetVersionContentResponse(content=b"text")


def test_case_58_close_twice_and_use_after_close(connect: Connect, serve: Serve) -> None:
    # A no-op, and a typed error.
    server = serve(oc.QueryClient, GetVersionContent=content)
    for used in (False, True):
        client = connect(oc.QueryClient, server.target)
        if used:
            client.version_content(1)
        client.close()
        client.close()
        with pytest.raises(oc.ClosedError):
            client.version_content(1)
        with pytest.raises(oc.ClosedError):
            next(iter(client.recent_diffs()))
        with pytest.raises(oc.ClosedError):
            client.diffs_since("token").connect()


def test_close_during_a_call(serve: Serve) -> None:
    entered, release = threading.Event(), threading.Event()

    def answer(*_: Any) -> Any:
        entered.set()
        release.wait(60)
        return content()

    server = serve(oc.QueryClient, GetVersionContent=answer)
    client = oc.QueryClient(server.target)
    outcome: list[Exception] = []

    def call() -> None:
        try:
            client.version_content(1, timeout=60)
        except oc.ObbyError as error:
            outcome.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert entered.wait(60)
    client.close()
    thread.join(60)
    release.set()
    assert [type(error) for error in outcome] == [oc.ClosedError]


def test_async_close_and_cancellation_are_told_apart(
    serve: Serve, loop: asyncio.AbstractEventLoop
) -> None:
    release = threading.Event()
    running = threading.Semaphore(0)
    cancelled = threading.Semaphore(0)

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        context.add_callback(cancelled.release)
        running.release()
        release.wait(60)
        return content()

    server = serve(oc.QueryClient, GetVersionContent=answer)

    async def scenario() -> None:
        client = oc.AsyncQueryClient(server.target)
        one, two = (asyncio.create_task(client.version_content(n, timeout=60)) for n in range(2))
        for _ in range(2):
            await asyncio.to_thread(running.acquire, timeout=60)
        one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await one
        assert await asyncio.to_thread(cancelled.acquire, timeout=60)  # the server knows
        await client.close()
        with pytest.raises(oc.ClosedError):
            await two

    loop.run_until_complete(scenario())
    release.set()


def test_case_57_a_second_event_loop(serve: Serve) -> None:
    # A channel of its own, and no "Event loop is closed".
    server = serve(oc.QueryClient, GetVersionContent=content)
    client = oc.AsyncQueryClient(server.target)  # no loop runs here

    async def ask() -> int:
        for _ in range(2):
            await client.version_content(1)
        return len(client._links)

    assert [asyncio.run(ask()) for _ in range(3)] == [1, 1, 1]
    asyncio.run(client.close())


def test_two_event_loops_at_once(serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content)
    client = oc.AsyncQueryClient(server.target)
    barrier = threading.Barrier(2, timeout=60)
    counts: list[int] = []

    async def ask() -> None:
        await client.version_content(1)
        barrier.wait()
        counts.append(len(client._links))
        barrier.wait()

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert counts == [2, 2]
    asyncio.run(client.close())


def test_closing_in_another_loop(serve: Serve) -> None:
    running, release = threading.Event(), threading.Event()
    outcome: list[Any] = []

    def answer(*_: Any) -> Any:
        running.set()
        release.wait(60)
        return content()

    client = oc.AsyncQueryClient(serve(oc.QueryClient, GetVersionContent=answer).target)

    async def ask() -> None:
        try:
            await client.version_content(1, timeout=60)
        except oc.ObbyError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=asyncio.run, args=(ask(),))
    thread.start()
    assert running.wait(60)
    asyncio.run(client.close())
    thread.join(60)
    release.set()
    assert outcome == [oc.ClosedError]


def test_case_56_a_client_built_before_a_fork(serve: Serve) -> None:
    # Gunicorn's preload: built at import, used in the forked workers.
    server = serve(oc.QueryClient, GetVersionContent=content)
    program = """
import os, sys
sys.path.insert(0, sys.argv[2])
from obby_clients import QueryClient
client = QueryClient(sys.argv[1])
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        text = client.version_content(1).content
        client.close()
        os._exit(0 if text == b"text" else 1)
    children.append(child)
print([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children])
print(client.version_content(1).content)
"""
    source = str(Path(oc.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, server.target, source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "[0, 0, 0]\nb'text'\n", done.stderr


def test_case_56_each_process_has_its_channel(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content)
    with oc.QueryClient(server.target) as client:
        client.version_content(1)
        (here,) = client._links
        monkeypatch.setattr(os, "getpid", lambda: here + 1)
        client.version_content(1)
        assert list(client._links) == [here, here + 1]
        assert client._links[here].channel is not client._links[here + 1].channel
        client._links.pop(here + 1).channel.close()
        monkeypatch.undo()


def test_many_threads_share_one_channel(serve: Serve) -> None:
    server = serve(oc.QueryClient, GetVersionContent=content)
    with oc.QueryClient(server.target) as client:
        barrier = threading.Barrier(8, timeout=60)
        texts: list[bytes] = []

        def ask() -> None:
            barrier.wait()
            texts.append(client.version_content(1).content)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert texts == [b"text"] * 8
        assert len(client._links) == 1
