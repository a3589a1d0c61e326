"""Obby in a FastAPI application (extra `fastapi`).

    from fastapi import Depends, FastAPI
    from obby_clients import fastapi as obby

    app = FastAPI()
    obby.install(app, obby.ObbySettings(database="obby.db", roots=("/home/me/notes",)))
    app.include_router(obby.diffs_router())
    app.include_router(obby.events_router())
    app.include_router(obby.admin_router(dependencies=[Depends(only_operators)]))

    @app.get("/mine")
    async def mine(query: obby.Query) -> int:
        return (await query.activity_stats()).total.changes

Every router's calls go through the flags; errors become HTTP answers with the same
code and details as JSON. Works with FastAPI from 0.92 on; the `Annotated` types, such
as `obby.Query`, from 0.95 on: before that, `= Depends(obby.get_query_client)`.
"""

from ._admin import admin_router
from ._dependencies import (
    ClientId,
    CurrentFlags,
    Hub,
    Query,
    Router,
    State,
    Tracker,
    Watcher,
    get_flags,
    get_hub_client,
    get_query_client,
    get_router,
    get_state,
    get_tracker_client,
    get_watcher_client,
)
from ._errors import handle_errors
from ._lifespan import ObbySettings, install, obby_lifespan
from ._parameters import client_id
from ._routers import (
    activity_router,
    diffs_router,
    events_router,
    files_router,
    search_router,
    versions_router,
)

__all__ = [
    "ClientId",
    "CurrentFlags",
    "Hub",
    "ObbySettings",
    "Query",
    "Router",
    "State",
    "Tracker",
    "Watcher",
    "activity_router",
    "admin_router",
    "client_id",
    "diffs_router",
    "events_router",
    "files_router",
    "get_flags",
    "get_hub_client",
    "get_query_client",
    "get_router",
    "get_state",
    "get_tracker_client",
    "get_watcher_client",
    "handle_errors",
    "install",
    "obby_lifespan",
    "search_router",
    "versions_router",
]
