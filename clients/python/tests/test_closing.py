"""How streams end: closed, cancelled, dropped; never with a warning."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

import obby_clients as oc

from .conftest import Server
from .test_streams import event, ready

Serve = Callable[..., Server]


class Endless:
    """A file-watcher that sends an event on every stream and waits to be hung up on."""

    def __init__(self, serve: Serve) -> None:
        self.opened = 0
        self.ended = threading.Semaphore(0)
        self.more = threading.Event()
        self.target = serve(oc.FileWatcherClient, StreamEvents=self.answer).target

    def answer(self, request: Any, context: grpc.ServicerContext) -> Any:
        self.opened += 1
        assert context.add_callback(self.ended.release)
        yield ready()
        yield event(1)
        while context.is_active():
            if self.more.wait(0.01):
                self.more.clear()
                yield event(99)

    def has_ended(self) -> bool:
        return self.ended.acquire(timeout=60)


@pytest.fixture
def endless(serve: Serve) -> Endless:
    return Endless(serve)


def read_in_thread(stream: Any) -> tuple[threading.Thread, list[Any]]:
    """Read a stream to its end; the list gets its items and what it raised."""
    outcome: list[Any] = []
    begun = threading.Event()

    def read() -> None:
        try:
            for item in stream:
                outcome.append(item.path)
                begun.set()
        except oc.ObbyError as error:
            outcome.append(type(error))

    thread = threading.Thread(target=read)
    thread.start()
    assert begun.wait(60)
    return thread, outcome


def test_case_59_leaving_the_client_while_a_stream_runs(endless: Endless) -> None:
    # The reader gets CANCELLED, and nothing is left behind.
    with oc.FileWatcherClient(endless.target) as client:
        thread, outcome = read_in_thread(client.events())
    thread.join(60)
    assert outcome == ["/1", oc.ClosedError]
    assert oc.ClosedError("").code is oc.StatusCode.CANCELLED
    assert endless.has_ended()
    gc.collect()


def test_leaving_the_stream_while_it_is_read(endless: Endless) -> None:
    with oc.FileWatcherClient(endless.target) as client:
        with client.events() as stream:
            thread, outcome = read_in_thread(stream)
        thread.join(60)
        assert outcome == ["/1"]  # the reader's loop just ends
        assert endless.has_ended()


def test_leaving_the_stream_while_it_is_opened(
    endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    with oc.FileWatcherClient(endless.target) as client:
        stream = client.events()
        really_open = stream._open

        def open_too_late() -> Any:
            reading = really_open()
            stream.close()  # as another thread may do right now
            return reading

        monkeypatch.setattr(stream, "_open", open_too_late)
        assert list(stream) == []
        assert stream._reading is None


def test_a_dropped_stream_is_cancelled(endless: Endless) -> None:
    with oc.FileWatcherClient(endless.target) as client:
        for item in client.events():
            assert item.path == "/1"
            break
        gc.collect()
        assert endless.has_ended()


def test_no_thread_is_left(endless: Endless) -> None:
    before = set(threading.enumerate())  # those of earlier tests may still be ending
    with oc.FileWatcherClient(endless.target) as client:
        stream = client.events().connect()
        begun = set(threading.enumerate()) - before
        (watchdog,) = (t for t in begun if t.name == "obby-stream-watchdog")
        stream.close()
        watchdog.join(60)
        assert not watchdog.is_alive()


def test_a_stream_does_not_survive_a_fork(endless: Endless, monkeypatch: Any) -> None:
    with oc.FileWatcherClient(endless.target) as client:
        stream = client.events().connect()
        here = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: here + 1)
        with pytest.raises(oc.ClosedError, match="forked"):
            next(stream)
        stream.close()  # does not touch the call of the other process
        monkeypatch.undo()


def test_case_59_async_leaving_the_client_while_a_stream_runs(
    endless: Endless, loop: asyncio.AbstractEventLoop
) -> None:
    # The reading task is not cancelled, it gets an error.
    async def scenario() -> None:
        begun = asyncio.Event()

        async def read(stream: Any) -> None:
            async for _ in stream:
                begun.set()

        async with oc.AsyncFileWatcherClient(endless.target) as client:
            reader = asyncio.create_task(read(client.events()))
            await begun.wait()
        with pytest.raises(oc.ClosedError):
            await reader

    loop.run_until_complete(scenario())
    assert endless.has_ended()
    gc.collect()


def test_async_leaving_the_stream_while_it_is_read(
    endless: Endless, loop: asyncio.AbstractEventLoop
) -> None:
    async def scenario() -> list[str]:
        async with oc.AsyncFileWatcherClient(endless.target) as client:
            async with client.events() as stream:
                reader = asyncio.create_task(collect(stream))
                await stream_has_begun(stream)
            return await reader

    async def collect(stream: Any) -> list[str]:
        return [item.path async for item in stream]

    async def stream_has_begun(stream: Any) -> None:
        while stream.cursor != "1":
            await asyncio.sleep(0)

    assert loop.run_until_complete(scenario()) == ["/1"]
    assert endless.has_ended()


def test_async_cancelling_a_reader_loses_nothing(
    endless: Endless, loop: asyncio.AbstractEventLoop
) -> None:
    async def scenario() -> list[str]:
        async with oc.AsyncFileWatcherClient(endless.target) as client:
            stream: Any = client.events()
            found = [(await stream.__anext__()).path]
            for _ in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(stream.__anext__(), 0.02)
                endless.more.set()
                found.append((await stream.__anext__()).path)
            return found

    assert loop.run_until_complete(scenario()) == ["/1", "/99", "/99", "/99"]
    assert endless.opened == 1


def test_async_cancelled_and_dropped(endless: Endless, loop: asyncio.AbstractEventLoop) -> None:
    async def scenario() -> None:
        async with oc.AsyncFileWatcherClient(endless.target) as client:

            async def read() -> None:
                async for _ in client.events():
                    begun.set()

            begun = asyncio.Event()
            reader = asyncio.create_task(read())
            await begun.wait()
            reader.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reader
            del reader
            gc.collect()
            assert await asyncio.to_thread(endless.has_ended)  # while the client is open

    loop.run_until_complete(scenario())


def test_async_stream_left_to_the_end_of_its_loop(endless: Endless) -> None:
    async def scenario() -> Any:
        stream = oc.AsyncFileWatcherClient(endless.target).events()
        await stream.__anext__()
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(stream.__anext__(), 0.02)
        return stream

    stream = asyncio.run(scenario())
    del stream
    gc.collect()
    assert endless.has_ended()


def test_back_off_ends_with_the_stream(serve: Serve) -> None:
    interrupted = threading.Event()

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        yield event(1)
        interrupted.set()
        context.abort(grpc.StatusCode.UNAVAILABLE, "shutting down")

    server = serve(oc.FileWatcherClient, StreamEvents=answer)
    with oc.FileWatcherClient(server.target) as client:
        stream = client.events(retry_for=3_600)
        thread, outcome = read_in_thread(stream)
        server.stop()
        stream.close()
        thread.join(60)
        assert not thread.is_alive()
        assert set(outcome) == {"/1"}
