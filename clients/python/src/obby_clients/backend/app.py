"""The application: the routers of `obby_clients.fastapi`, and the pipeline behind them."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Header

from .. import fastapi as obby
from .._version import __version__
from ..errors import UnauthenticatedError
from . import log
from .errors import answer_errors, misdirected
from .metrics import answer_metrics
from .pipeline import Pipeline
from .settings import Settings, parse

__all__ = ["ARGUMENTS", "create_app"]

_LOG = logging.getLogger("obby_clients.backend")

ARGUMENTS = "OBBY_BACKEND_ARGUMENTS"
"""Variable that hands the command line to the worker processes, as JSON."""

_ROUTERS = (
    obby.files_router,
    obby.diffs_router,
    obby.versions_router,
    obby.search_router,
    obby.activity_router,
    obby.events_router,
)

Asgi = Callable[[Any, Any, Any], Awaitable[None]]


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; settings by default from the environment.

    It works under any ASGI server: `uvicorn --factory obby_clients.backend.app:create_app`.

    Raises SettingsError, which says what to do.
    """
    if settings is None:
        settings = parse(json.loads(os.environ.get(ARGUMENTS, "[]")), os.environ)
    log.configure(settings.log_level, settings.log_format, workers=settings.workers)
    os.environ["OBBY_FLAGS_FILE"] = settings.flags_file
    app = FastAPI(
        title="Obby backend",
        version=__version__,
        description="What changed, when, and how: every version of every file.",
    )
    app.router.lifespan_context = _pipeline(settings)  # FastAPI 0.92 has no `lifespan=`
    obby.install(app, obby.ObbySettings(database=settings.database, roots=settings.roots))
    answer_errors(app)
    for router in _ROUTERS:
        app.include_router(router())
    if settings.admin_token:
        guarded = [Depends(_operator(settings.admin_token))]
        app.include_router(obby.admin_router(dependencies=guarded))
    app.add_middleware(_HostGuard, settings=settings)
    _health(app)
    answer_metrics(app)
    return app


def _pipeline(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        pipeline = Pipeline(
            app.state.obby,
            database=settings.database,
            roots=list(settings.roots),
            debounce=settings.debounce,
        )
        app.state.pipeline = pipeline
        _end_with_parent()
        running = asyncio.ensure_future(pipeline.run())
        running.add_done_callback(_tell)
        try:
            yield
        finally:
            running.cancel()
            await asyncio.wait({running})

    return lifespan


def _end_with_parent() -> None:
    """End this worker, as a signal would, when the process that started it is gone.

    It would keep the address and the pipeline, and nobody would start it again.
    """
    parent = multiprocessing.parent_process()
    if parent is None:  # it is no worker
        return

    def watch() -> None:
        parent.join()
        _LOG.warning("the process that started this worker is gone, so it ends: pid=%d", parent.pid)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="obby-parent", daemon=True).start()


def _tell(pipeline: asyncio.Future[None]) -> None:
    """Say why the pipeline has ended: the lock's file cannot be written, for example."""
    if not pipeline.cancelled() and (error := pipeline.exception()) is not None:
        _LOG.error("this process cannot run the pipeline: %s", error)


def _health(app: FastAPI) -> None:
    @app.get("/healthz", tags=["health"], summary="Tell that this process lives")
    async def healthz() -> dict[str, Any]:
        """Tell that this process lives, and whether it is the one that runs the pipeline."""
        return {"status": "ok", "pid": os.getpid(), "pipeline": app.state.pipeline.running}


def _operator(token: str) -> Callable[..., None]:
    def check(authorization: str = Header("", description="`Bearer TOKEN`.")) -> None:
        given = authorization.removeprefix("Bearer ").encode()
        if not hmac.compare_digest(given, token.encode()):
            raise UnauthenticatedError(
                "an operator's token is needed: send it as `Authorization: Bearer TOKEN`"
            )

    return check


class _HostGuard:
    """Refuses requests for another host: a web page could have its own name lead here."""

    def __init__(self, app: Asgi, settings: Settings) -> None:
        self._app = app
        names = (settings.host, f"[{settings.host}]", *settings.allow_hosts)
        self._allowed = {"localhost", "127.0.0.1", "[::1]", *map(str.lower, names)}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            host = dict(scope["headers"]).get(b"host", b"").decode("latin-1").lower()
            name = host if host.endswith("]") else host.rpartition(":")[0] or host
            if name not in self._allowed:
                return await misdirected(name)(scope, receive, send)
        return await self._app(scope, receive, send)
