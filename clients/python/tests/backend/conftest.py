"""Backends and services that end with their test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .committing import World
from .world import Backend, GoServices, Listener


@pytest.fixture
def ending() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def go(tmp_path: Path, root: Path, ending: ExitStack) -> GoServices:
    """The four Go services, with the database that a backend in `tmp_path` has."""
    services = GoServices(tmp_path / "obby.db", root)
    ending.callback(services.stop)
    return services


@pytest.fixture
def backend(tmp_path: Path, root: Path, ending: ExitStack) -> Callable[..., Backend]:
    """Starts a backend on the root: backend(flags={…}, workers=2)."""

    def start(*roots: Path, **options: object) -> Backend:
        made = Backend(tmp_path, *(roots or (root,)), **options)  # type: ignore[arg-type]
        ending.callback(made.stop)
        return made

    return start


@pytest.fixture
def listen(ending: ExitStack) -> Callable[..., Listener]:
    """Opens event streams that stand: listen(backend, client_id="a")."""

    def start(backend: Backend, **options: str) -> Listener:
        made = Listener(backend.port, **options)  # type: ignore[arg-type]
        ending.callback(made.close)
        assert made.ready.wait(60), "the stream does not stand"
        return made

    return start


@pytest.fixture
def world(tmp_path: Path, root: Path) -> Iterator[World]:
    made = World(tmp_path, root)
    yield made
    made.changes.close()
    made.tracker.close()
