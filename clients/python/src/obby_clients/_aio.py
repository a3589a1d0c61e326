"""The client for asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, ClassVar, Generic, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from ._calls import Pages, Unary, new_request_id, seconds_left
from ._channel import BaseClient, Link
from ._closing import AsyncClosing
from ._streams import Course
from .errors import CancelledError, ObbyError

__all__ = ["AsyncClient", "AsyncStream"]

T = TypeVar("T")
Home = tuple[int, asyncio.AbstractEventLoop]


class AsyncClient(BaseClient, AsyncClosing):
    """What the four asyncio clients share: a channel, and its end.

    The channel is made at the first call, once in each process and event loop,
    because grpc.aio objects belong to the loop that they were made in. The
    client may be built anywhere, also where no loop runs.
    """

    is_async: ClassVar[bool] = True

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | Callable[[], str] | None = None,
        fail_fast: bool = False,
    ) -> None:
        super().__init__(target, token=token, fail_fast=fail_fast)
        self._links: dict[Home, Link] = {}

    async def close(self) -> None:
        """Close the channel. Running calls and streams end with ClosedError."""
        link = self._links.pop((os.getpid(), asyncio.get_running_loop()), None)
        self._abandon()
        if link is not None:
            await link.channel.close()

    def _abandon(self) -> None:
        """Close from any thread, without waiting for it."""
        self._closed = True
        for home, link in list(self._links.items()):
            pid, loop = home
            if pid != os.getpid():
                continue  # the channel of a forked process cannot be touched
            self._links.pop(home, None)
            if loop.is_running():
                asyncio.run_coroutine_threadsafe(link.channel.close(), loop)

    def _link(self) -> Link:
        self._check_open()
        here = os.getpid()
        home = here, asyncio.get_running_loop()
        link = self._links.get(home)
        if link is None:
            for pid, loop in list(self._links):
                if pid == here and loop.is_closed():
                    self._links.pop((pid, loop), None)
            channel = grpc.aio.insecure_channel(self._target, self._options())
            link = self._links[home] = Link(channel)
            if self._closed:  # close came too early to see it
                self._abandon()
                self._check_open()
        return link

    def _start(self, plan: Unary[Any] | Course[Any], timeout: float | None, request_id: str) -> Any:
        call = self._link().callable(plan.method)
        return call(
            plan.request,
            timeout=timeout,
            metadata=self._metadata(request_id),
            wait_for_ready=plan.wait_for_ready,
        )

    async def _unary(self, plan: Unary[T]) -> T:
        timeout, request_id = seconds_left(plan.method, plan.timeout), new_request_id()
        call = _task(self._start(plan, timeout, request_id))
        try:
            await asyncio.wait({call})
        finally:
            call.cancel()  # no harm if it has ended
        return plan.convert(self._result(call, request_id))

    def _result(self, call: asyncio.Future[Any], request_id: str) -> Any:
        """Return the result of a call that has ended, or raise its error."""
        if call.cancelled():
            self._check_open()
            raise CancelledError("the call was cancelled")
        try:
            return call.result()
        except grpc.RpcError as error:
            raise self._failed(error, request_id) from error
        except grpc.aio.UsageError:
            self._check_open()  # grpcio's word for a channel that was closed meanwhile
            raise

    async def _paged(self, pages: Pages[T]) -> AsyncIterator[T]:
        while (plan := pages.next()) is not None:
            for item in await self._unary(plan):
                yield item

    def _stream(self, course: Course[T]) -> AsyncStream[T]:
        return AsyncStream(self, course)


class AsyncStream(AsyncClosing, Generic[T]):
    """Iterates over the items of a stream, which is opened when it is first needed.

    Leaving an `async with` block, `close` and garbage collection cancel it.
    Cancelling a read does not: the next read goes on where it was. One task
    reads; any task of the same loop may close, which ends the iteration.
    """

    def __init__(self, client: AsyncClient, course: Course[T]) -> None:
        self._client, self._course = client, course
        self._early: list[T] = []  # what connect read ahead: at most one item
        self._call: Any = None
        self._reading: asyncio.Future[Any] | None = None
        self._request_id = ""
        self._closed = asyncio.Event()

    @property
    def cursor(self) -> str:
        """What continues after the last item: in another stream, also in another process."""
        return self._course.cursor

    async def connect(self) -> AsyncStream[T]:
        """Wait until the server has answered: what happens from now on is not missed."""
        while not (self._course.connected or self._over()):
            item = await self._step()
            if item is not None:
                self._early.append(item)
        return self

    async def close(self) -> None:
        """End the stream."""
        self._closed.set()
        self._hang_up()

    def __del__(self) -> None:
        # The running read keeps the call alive. Garbage may be collected in any thread.
        if self._reading is not None and not (loop := self._reading.get_loop()).is_closed():
            loop.call_soon_threadsafe(self._call.cancel)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        if self._early:
            return self._early.pop()
        while not self._over():
            item = await self._step()
            if item is not None:
                return item
        raise StopAsyncIteration

    def _over(self) -> bool:
        return self._course.over or self._closed.is_set()

    async def _step(self) -> T | None:
        """Read one answer, or deal with a break."""
        try:
            return self._course.accept(await self._receive())
        except ObbyError as error:
            self._hang_up()
            if not self._closed.is_set():
                pause = self._course.interrupted(error)
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._closed.wait(), pause)
            return None

    async def _receive(self) -> Any:
        if self._call is None:
            self._request_id = new_request_id()
            timeout = self._course.timeout()
            self._call = self._client._start(self._course, timeout, self._request_id)
        if self._reading is None:
            self._reading = _task(self._call.read())
        answer, request_id = self._reading, self._request_id
        # Cancelling the caller leaves the read to the next one: an answer that
        # comes at that very moment is not lost.
        await asyncio.wait({answer}, timeout=self._course.patience())
        if not answer.done():
            raise self._course.silence()
        self._reading = None
        response = self._client._result(answer, request_id)
        return response if isinstance(response, Message) else None  # it is EOF

    def _hang_up(self) -> None:
        if self._call is not None:
            self._call.cancel()
        self._call = self._reading = None


def _task(work: Awaitable[Any]) -> asyncio.Future[Any]:
    """Await a call in a task of its own.

    A call whose channel is closed raises asyncio.CancelledError, as if the
    caller's own task had been cancelled; only the latter may be passed on.
    """
    task = asyncio.ensure_future(work)
    # Looking at the error here keeps asyncio from complaining that nobody did,
    # where the caller has been cancelled.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
