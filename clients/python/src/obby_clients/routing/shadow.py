"""Shadow mode: the other side answers too, in the background, and is compared.

For reads alone, and for the share of subjects that OBBY_SHADOW_PERCENTAGE names,
of services whose switch is on: a service at 0 percent is compared before anybody
depends on it. The caller never waits: when too much is waiting already, a
comparison is dropped and counted. Where the answers differ, both sides are asked once
more, for one range of time, and again until nothing was recorded in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import _options
from ..errors import ObbyError
from ..flags import Backend, bucket
from ..metrics import COUNTERS
from .calls import CALLS, Call, Effect, Shape
from .drive import arun, run
from .steps import END, following
from .verdict import is_answer

if TYPE_CHECKING:
    from .router import Router

__all__ = ["Difference", "Shadow", "differences"]

_LOG = logging.getLogger("obby_clients.routing")
_WAITING = 100  # comparisons that may wait
_KEPT = 100  # differences that are kept, the newest
_TRIES = 5  # to find the database at rest
_WEEK = timedelta(days=7)  # what time_analysis is about where nothing is said
_SHOWN = 200  # characters of a value in a report


@dataclass(frozen=True, slots=True)
class Difference:
    """Two answers to one call that are not the same."""

    time: datetime
    """When they were compared."""
    call: str
    """The call, such as `query-service.recent_diffs`."""
    arguments: str
    """Its arguments."""
    lines: tuple[str, ...]
    """What differs: `[3].lines_added: go 5, python 6`."""

    def __str__(self) -> str:
        head = f"{self.time:%Y-%m-%d %H:%M:%S} {self.call}({self.arguments})"
        return "\n  ".join((head, *self.lines))


@dataclass(frozen=True, slots=True)
class _Job:
    call: Call
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    served: Backend
    answer: Any  # a value, a list of items, or an ObbyError
    count: int | None  # items to ask for; None: not a list


class Shadow:
    """Compares, of one `Obby`."""

    def __init__(self, router: Router, methods: Iterable[str] | None = None) -> None:
        """Compare the calls that `methods` name (`query.recent_diffs`), by default every read.

        Raises TypeError for a call that writes: it would be carried out twice.
        """
        self._router = router
        self._calls = _calls(methods)
        self._kept: deque[Difference] = deque(maxlen=_KEPT)
        self.after_fork()

    def after_fork(self) -> None:
        """Begin anew: the worker is the parent's."""
        self._jobs: queue.Queue[_Job | None] = queue.Queue(_WAITING)  # None: no more
        self._worker: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def differences(self) -> list[Difference]:
        """Return the newest differences, oldest first."""
        return list(self._kept)

    def wanted(self, call: Call, share: int, subject: str | bytes | None) -> bool:
        """Tell whether a call is to be compared, where `share` of 10,000 are."""
        if (call.service, call.name) not in self._calls:
            return False
        return bucket(f"shadow.{call.service.flag}", subject or os.urandom(8)) < share

    def offer(  # noqa: PLR0917 (one call, as it was made)
        self,
        call: Call,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        served: Backend,
        answer: Any,
        count: int | None = None,
    ) -> None:
        """Compare an answer in the background, or drop it where too much waits."""
        job = _Job(call, args, kwargs, served, answer, count)
        if self._router.asynchronous:
            if len(self._tasks) >= _WAITING:
                _count(call, "dropped")
                return
            task = asyncio.get_running_loop().create_task(self._acompare(job))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            _count(call, "dropped")
            return
        if self._worker is None:
            self._worker = threading.Thread(target=self._work, name="obby-shadow", daemon=True)
            self._worker.start()

    def stop(self) -> None:
        """Compare nothing more; what has begun may end."""
        for task in list(self._tasks):
            task.get_loop().call_soon_threadsafe(task.cancel)
        with contextlib.suppress(queue.Full):  # then the worker looks at the router next
            self._jobs.put_nowait(None)

    def _work(self) -> None:
        while not self._router.closed:
            job = self._jobs.get()
            if job is None:
                return
            try:
                run(self._compare(job))
            except Exception:
                self._failed(job)

    async def _acompare(self, job: _Job) -> None:
        try:
            await arun(self._compare(job))
        except Exception:
            self._failed(job)

    def _failed(self, job: _Job) -> None:
        _LOG.exception("comparison failed: %s.%s", job.call.service.label, job.call.name)
        _count(job.call, "failed")

    def _compare(self, job: _Job) -> Generator[Any, Any, None]:
        other = Backend.PYTHON if job.served is Backend.GO else Backend.GO
        theirs = yield from self._ask(job, other)
        if theirs is None:
            _count(job.call, "unavailable")
            return
        lines = _lines(job.served, job.answer, theirs[0])
        if not lines:
            _count(job.call, "same")
            return
        lines = yield from self._at_rest(_dated(job), other)
        if not lines:
            _count(job.call, "moving")
            return
        name = f"{job.call.service.label}.{job.call.name}"
        self._kept.append(
            Difference(datetime.now(timezone.utc), name, _arguments(job), tuple(lines))
        )
        # Where they differ, not what it says: logs have neither contents nor subjects.
        _LOG.warning("answers of Go and Python differ: %s: %s", name, lines[0].partition(":")[0])
        _count(job.call, "different")

    def _at_rest(self, job: _Job, other: Backend) -> Generator[Any, Any, list[str]]:
        """Return what differs while nothing is recorded; nothing where that cannot be told."""
        for _ in range(_TRIES):
            before = yield from self._newest(job)
            ours = yield from self._ask(job, job.served)
            theirs = yield from self._ask(job, other)
            if ours is None or theirs is None:
                return []
            lines = _lines(job.served, ours[0], theirs[0])
            if not lines or before == (yield from self._newest(job)):
                return lines
        return []

    def _newest(self, job: _Job) -> Generator[Any, Any, Any]:
        """Return the newest step; None where the call is not about steps."""
        call = CALLS[job.call.service].get("recent_diffs")
        if call is None:
            return None
        ask = replace(job, call=call, args=(), kwargs={"limit": 1, "text": False}, count=1)
        return (yield from self._ask(ask, Backend.PYTHON))

    def _ask(self, job: _Job, side: Backend) -> Generator[Any, Any, tuple[Any] | None]:
        """Return a side's answer, or None where it is not available."""
        client = self._client(job.call, side)
        if client is None:
            return None
        method = getattr(client, job.call.name, None)
        if method is None:
            return None
        try:
            if job.count is None:
                return ((yield partial(method, *job.args, **job.kwargs)),)
            source = method(*job.args, **job.kwargs)
            found: list[Any] = []
            while len(found) < job.count:
                if (item := (yield partial(following, source))) is END:
                    break
                found.append(item)
            return (found,)
        except ObbyError as error:
            return (error,) if is_answer(error) else None

    def _client(self, call: Call, side: Backend) -> Any:
        if side is Backend.PYTHON:
            has = self._router.fallback.has(call.service)
            return self._router.fallback.of(call.service) if has else None
        setting = self._router.flags.setting(call.service)
        if setting.killed or not setting.on or setting.target is None:
            return None
        go = self._router.side(call.service)
        return None if go.breaker.state == "open" else go.client(setting.target)


def _calls(methods: Iterable[str] | None) -> set[tuple[Any, str]]:
    short = {"watcher": "file-watcher", "tracker": "content-tracker"}
    short |= {"query": "query-service", "hub": "sse-hub"}
    every = {f"{c.service.label}.{c.name}": c for table in CALLS.values() for c in table.values()}
    if methods is None:
        left_out = ("server_info", "wait_ready")
        names = [n for n, c in every.items() if _comparable(c) and c.name not in left_out]
    else:
        named = {m: m.partition(".") for m in _options.texts("shadow", methods)}
        names = [f"{short.get(service, service)}.{name}" for service, _, name in named.values()]
        if unknown := [m for m, name in zip(named, names, strict=True) if name not in every]:
            raise ValueError(f"shadow: there is no call {unknown[0]}: give such as query.files")
    for name in names:
        if not _comparable(every[name]):
            raise TypeError(f"{name} cannot be compared: it writes, or does not end")
    return {(every[name].service, name.split(".", 1)[1]) for name in names}


def _dated(job: _Job) -> _Job:
    """Say what `now` is, which is each side's own otherwise."""
    if job.call.name not in {"time_analysis", "activity_stats"}:
        return job
    end = job.kwargs.get("end_time") or datetime.now(timezone.utc)
    kwargs = {**job.kwargs, "end_time": end}
    if job.call.name == "time_analysis" and kwargs.get("start_time") is None:
        kwargs["start_time"] = end - _WEEK
    return replace(job, kwargs=kwargs)


def _comparable(call: Call) -> bool:
    return call.effect is Effect.READ and call.shape in (Shape.UNARY, Shape.LIST)


def _arguments(job: _Job) -> str:
    shown = [*map(repr, job.args), *(f"{k}={v!r}" for k, v in job.kwargs.items())]
    return ", ".join(shown)[: 2 * _SHOWN]


def _count(call: Call, outcome: str) -> None:
    labels = (("service", call.service.label), ("method", call.name), ("outcome", outcome))
    COUNTERS.add("obby_shadow_total", labels)


def _lines(served: Backend, ours: Any, theirs: Any) -> list[str]:
    go, python = (ours, theirs) if served is Backend.GO else (theirs, ours)
    return list(differences(go, python))[:20]


def differences(go: Any, python: Any, where: str = "") -> Iterable[str]:
    """Yield what differs between two answers, a line each."""
    if isinstance(go, ObbyError) and isinstance(python, ObbyError):
        go, python = go.code.name, python.code.name
    if type(go) is type(python) and is_dataclass(go) and not isinstance(go, type):
        for field in fields(go):
            name = f"{where}.{field.name}" if where else field.name
            yield from differences(getattr(go, field.name), getattr(python, field.name), name)
    elif isinstance(go, (list, tuple)) and isinstance(python, (list, tuple)):
        if len(go) != len(python):
            yield f"{where or 'list'}: go has {len(go)} items, python {len(python)}"
        for index, (one, two) in enumerate(zip(go, python)):  # noqa: B905 (said above)
            yield from differences(one, two, f"{where}[{index}]")
    elif go != python:
        yield f"{where or 'answer'}: go {_short(go)}, python {_short(python)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
