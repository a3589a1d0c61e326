"""Obbys of both kinds that end with their test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import small
from .operated import Drive, World
from .routed import Route, Routed, Start


@pytest.fixture(params=["sync", "asyncio"])
def route(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, start: object, serve: object
) -> Iterator[Route]:
    """Makes an Obby, blocking and asyncio in turn; closed before the servers."""
    made: list[Routed] = []

    def route(environ: dict[str, str], **python: Any) -> Routed:
        made.append(Routed(loop if request.param == "asyncio" else None, environ, **python))
        return made[-1]

    yield route
    for one in made:
        one.close()


@pytest.fixture(params=["sync", "asyncio"])
def world(request: pytest.FixtureRequest, tmp_path: Path, start: Start) -> Iterator[Any]:
    worlds: list[World] = []

    def make(environ: dict[str, str]) -> World:
        drive = Drive(request.param == "asyncio")
        prefix = "Async" if drive.loop else ""
        python = {name.lower(): getattr(small, prefix + name)() for name in ("Watcher", "Hub")}
        worlds.append(World(drive, tmp_path, environ, **python))
        return worlds[-1]

    yield make
    for one in worlds:
        one.close()
