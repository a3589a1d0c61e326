"""Routing where two things happen at once, or nobody can answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import obby_clients as oc
from obby_clients.flags import Backend, Flags
from obby_clients.routing import Fallbacks, Obby
from obby_clients.routing.livestreams import _read

from .conftest import Server
from .routed import Routed

Serve = Callable[..., Server]
Route = Callable[..., Routed]


@pytest.fixture(params=["sync", "asyncio"])
def route(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, serve: object
) -> Iterator[Route]:
    """Makes an Obby, blocking and asyncio in turn; closed before the servers."""
    made: list[Routed] = []

    def route(environ: dict[str, str], **python: Any) -> Routed:
        made.append(Routed(loop if request.param == "asyncio" else None, environ, **python))
        return made[-1]

    yield route
    for one in made:
        one.close()


def opened(obby: Routed, name: str) -> Any:
    """Return a stream without end; in asyncio its queue belongs to the loop."""
    return obby.watcher.events() if name == "watcher" else obby.hub.subscribe("notes")


@pytest.mark.parametrize("name", ["watcher", "hub"])
def test_a_stream_that_nobody_can_serve_says_so(route: Route, name: str) -> None:
    """It waited for ever."""
    obby = route({})
    with pytest.raises(oc.FailedPreconditionError, match="no Python implementation"):
        opened(obby, name).connect()
    with pytest.raises(oc.FailedPreconditionError, match="no Python implementation"):
        next(opened(obby, name))


def test_the_end_of_a_source_that_was_replaced_ends_nothing() -> None:
    """The new one was given up without being closed: everything came twice."""
    with Obby(fallback=Fallbacks(), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        old: Iterator[Any] = iter(())
        stream._live.sources[Backend.GO] = new = _Source()
        _read(lambda: stream, Backend.GO, old)  # type: ignore[arg-type]
        assert stream._live.failed == set()
        _read(lambda: stream, Backend.GO, new)  # type: ignore[arg-type]
        assert stream._live.failed == {Backend.GO}


class _Source:
    def __init__(self) -> None:
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def close(self) -> None:
        self.closed.set()


def test_a_stream_that_is_closed_while_it_opens_keeps_nothing_open() -> None:
    source, opening, go_on = _Source(), threading.Event(), threading.Event()

    class Hub:
        def subscribe(self, **_: Any) -> _Source:
            opening.set()
            assert go_on.wait(60)
            return source

    with Obby(fallback=Fallbacks(hub=Hub()), flags=Flags({})) as obby:
        stream = obby.hub.subscribe("notes")
        connecting = threading.Thread(target=stream.connect)
        connecting.start()
        assert opening.wait(60)
        stream.close()
        go_on.set()
        connecting.join()
        assert source.closed.wait(60)
