"""What a host's own operations can ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

from fastapi import Depends, Request

from ..changes import Changes
from ..flags import Flags
from ..routing import AsyncObby
from ..routing.services import AsyncHub, AsyncQuery, AsyncTracker, AsyncWatcher
from ._parameters import client_id
from ._sides import Sides
from ._streams import EventStreams

__all__ = [
    "ABOVE",
    "ClientId",
    "CurrentFlags",
    "Hub",
    "Query",
    "Router",
    "State",
    "Tracker",
    "Watcher",
    "get_flags",
    "get_hub_client",
    "get_query_client",
    "get_router",
    "get_state",
    "get_tracker_client",
    "get_watcher_client",
]


ABOVE = "obby_above"
"""Where a mounted application's state has what the one around it has as `obby`."""


@dataclass(frozen=True)
class State:
    """What `app.state.obby` is while the application runs."""

    router: AsyncObby
    """The four services, each call decided by the flags."""
    flags: Flags
    """The flags themselves."""
    changes: Changes
    """The committed changes, from the database."""
    events: EventStreams
    """The event streams of this process."""
    sides: Sides
    """The sides of what lasts longer than a call."""


def get_state(request: Request) -> State:
    """Return what the lifespan has made, of this application or of one that it is mounted in.

    Raises RuntimeError where that has not run, as in a TestClient without `with`.
    """
    found = request.app.state
    state = getattr(found, "obby", None) or getattr(found, ABOVE, None)
    if not isinstance(state, State):
        raise RuntimeError(
            "obby has not started: call obby_clients.fastapi.install(app, …) before the"
            " application starts, with the one that the server runs: of one that is mounted"
            " in it no lifespan is run; in a test, `with TestClient(app) as client:`"
        )
    return state


def get_router(state: State = Depends(get_state)) -> AsyncObby:
    """Return the four services behind the flags."""
    return state.router


def get_flags(state: State = Depends(get_state)) -> Flags:
    """Return the flags."""
    return state.flags


def get_watcher_client(router: AsyncObby = Depends(get_router)) -> AsyncWatcher:
    """Return the file-watcher, on whichever side."""
    return router.watcher


def get_tracker_client(router: AsyncObby = Depends(get_router)) -> AsyncTracker:
    """Return the content-tracker, on whichever side."""
    return router.tracker


def get_query_client(router: AsyncObby = Depends(get_router)) -> AsyncQuery:
    """Return the query-service, on whichever side."""
    return router.query


def get_hub_client(router: AsyncObby = Depends(get_router)) -> AsyncHub:
    """Return the sse-hub, on whichever side."""
    return router.hub


Router = Annotated[AsyncObby, Depends(get_router)]
"""The four services, each call decided by the flags."""
CurrentFlags = Annotated[Flags, Depends(get_flags)]
"""The flags."""
Watcher = Annotated[AsyncWatcher, Depends(get_watcher_client)]
"""The file-watcher, on whichever side."""
Tracker = Annotated[AsyncTracker, Depends(get_tracker_client)]
"""The content-tracker, on whichever side."""
Query = Annotated[AsyncQuery, Depends(get_query_client)]
"""The query-service, on whichever side."""
Hub = Annotated[AsyncHub, Depends(get_hub_client)]
"""The sse-hub, on whichever side."""
ClientId = Annotated[Optional[str], Depends(client_id)]
"""What decides about a client's side of a partial rollout: `subject=` of a query."""
