"""The client that blocks."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

import grpc

from ._calls import Pages, Unary, new_request_id, seconds_left
from ._channel import BaseClient, Link
from ._closing import Closing
from ._streams import Course
from .errors import ClosedError, ObbyError

__all__ = ["Client", "Stream"]

T = TypeVar("T")


class Client(BaseClient, Closing):
    """What the four blocking clients share: a channel, and its end.

    The channel is made at the first call, once in each process: a client that
    was built before a fork works after it, if gRPC was not used before. Many
    threads may use one client.
    """

    is_async: ClassVar[bool] = False

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | Callable[[], str] | None = None,
        fail_fast: bool = False,
    ) -> None:
        super().__init__(target, token=token, fail_fast=fail_fast)
        # By process id. No lock: one that is held during a fork stays held.
        self._links: dict[int, Link] = {}

    def close(self) -> None:
        """Close the channel. Running calls and streams end with ClosedError."""
        self._closed = True
        link = self._links.pop(os.getpid(), None)
        if link is not None:
            link.channel.close()

    def _abandon(self) -> None:
        """Close from any thread."""
        self.close()

    def _link(self) -> Link:
        self._check_open()
        pid = os.getpid()
        link = self._links.get(pid)
        if link is None:
            made = Link(grpc.insecure_channel(self._target, self._options()))
            link = self._links.setdefault(pid, made)
            if link is not made:  # another thread was faster
                made.channel.close()
            if self._closed:  # close came too early to see it
                self.close()
                self._check_open()
        return link

    def _start(self, plan: Unary[Any] | Course[Any], timeout: float | None, request_id: str) -> Any:
        call = self._link().callable(plan.method)
        try:
            return call(
                plan.request,
                timeout=timeout,
                metadata=self._metadata(request_id),
                wait_for_ready=plan.wait_for_ready,
            )
        except ValueError:
            self._check_open()  # grpcio's word for a channel that was closed meanwhile
            raise

    def _unary(self, plan: Unary[T]) -> T:
        timeout, request_id = seconds_left(plan.method, plan.timeout), new_request_id()
        try:
            response = self._start(plan, timeout, request_id)
        except grpc.RpcError as error:
            raise self._failed(error, request_id) from error
        return plan.convert(response)

    def _paged(self, pages: Pages[T]) -> Iterator[T]:
        while (plan := pages.next()) is not None:
            yield from self._unary(plan)

    def _stream(self, course: Course[T]) -> Stream[T]:
        return Stream(self, course)


class Stream(Closing, Generic[T]):
    """Iterates over the items of a stream, which is opened when it is first needed.

    Leaving a `with` block, `close` and garbage collection cancel it. One thread
    reads; any thread may close, which ends the iteration.
    """

    def __init__(self, client: Client, course: Course[T]) -> None:
        self._client, self._course = client, course
        self._early: list[T] = []  # what connect read ahead: at most one item
        self._reading: _Reading | None = None
        self._closed = threading.Event()
        self._pid = os.getpid()

    @property
    def cursor(self) -> str:
        """What continues after the last item: in another stream, also in another process."""
        return self._course.cursor

    def connect(self) -> Stream[T]:
        """Wait until the server has answered: what happens from now on is not missed."""
        while not (self._course.connected or self._over()):
            item = self._step()
            if item is not None:
                self._early.append(item)
        return self

    def close(self) -> None:
        """End the stream."""
        self._closed.set()
        self._hang_up()

    def __del__(self) -> None:
        self._hang_up()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        if self._early:
            return self._early.pop()
        while not self._over():
            item = self._step()
            if item is not None:
                return item
        raise StopIteration

    def _over(self) -> bool:
        return self._course.over or self._closed.is_set()

    def _step(self) -> T | None:
        """Read one answer, or deal with a break."""
        try:
            return self._course.accept(self._receive())
        except ObbyError as error:
            self._hang_up()
            self._reading = None
            if not self._closed.is_set():
                self._closed.wait(self._course.interrupted(error))
            return None

    def _receive(self) -> Any:
        if self._pid != os.getpid():  # the call cannot be used, not even be cancelled
            raise ClosedError("the stream belongs to the process that this one was forked from")
        if self._reading is None:
            self._reading = self._open()
            if self._closed.is_set():  # close came too early to see it
                self._hang_up()
        reading = self._reading
        try:
            return reading.next(self._course.patience())
        except StopIteration:
            return None
        except grpc.RpcError as error:
            if reading.silent:
                raise self._course.silence() from error
            raise self._client._failed(error, reading.request_id) from error

    def _open(self) -> _Reading:
        request_id = new_request_id()
        return _Reading(
            self._client._start(self._course, self._course.timeout(), request_id), request_id
        )

    def _hang_up(self) -> None:
        if self._reading is not None and self._pid == os.getpid():
            self._reading.call.cancel()


class _Reading:
    """A call that is being read, under a watchdog: grpcio cannot wait with a limit.

    The watchdog's thread ends with the call. The time between two reads is the
    reader's own and does not count.
    """

    def __init__(self, call: Any, request_id: str) -> None:
        self.call, self.request_id = call, request_id
        self.silent = False
        self._changed = threading.Condition()  # guards what follows
        self._due = math.inf  # when the watchdog cancels the call
        self._wakes = 0.0  # when it looks again
        self._ended = not call.add_callback(self._end)
        threading.Thread(target=self._watch, name="obby-stream-watchdog", daemon=True).start()

    def next(self, patience: float) -> Any:
        """Return the next answer. Cancel the call if it takes longer than so many seconds."""
        with self._changed:
            self._due = time.monotonic() + patience
            if self._due < self._wakes:
                self._changed.notify()
        try:
            return next(self.call)
        finally:
            self._due = math.inf

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._ended:
                left = self._due - time.monotonic()
                if left <= 0:
                    self.silent = True
                    break
                self._wakes = self._due
                self._changed.wait(None if left == math.inf else left)
        self.call.cancel()  # no harm if it has ended
