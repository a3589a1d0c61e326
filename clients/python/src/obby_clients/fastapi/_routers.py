"""What a host mounts: one router for each kind of question.

Every operation goes through the router of the flags: which side answers is decided by
the client's id, and what it answers is the same.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Optional

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response
from fastapi.responses import StreamingResponse

from .. import query, tracker
from ..query import BucketSize, SearchMode
from ._dependencies import State, get_state
from ._errors import router_of
from ._models import dumped, model, names, page
from ._parameters import (
    MAX_ID,
    Window,
    aware,
    client_id,
    diff_filter,
    member,
    path_of,
    window,
)

__all__ = [
    "activity_router",
    "diffs_router",
    "events_router",
    "files_router",
    "search_router",
    "versions_router",
]

_PREFIX = Query(None, description="Only paths that are this one or below it.")
_START = Query(None, description="Only from this time on; with a zone.")
_END = Query(None, description="Only before this time; with a zone.")


def files_router() -> APIRouter:
    """Return `GET /files`, what is or was in a folder, and `POST /files/track`."""
    router = router_of("files")

    @router.get("/files", response_model=page(query.Version), summary="List files")
    async def files(
        path: str = Depends(path_of),
        as_of: Optional[datetime] = Query(
            None, description="What was there at this time; default: what is there now."
        ),
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """List the files at or below a path, each with the version that it has."""
        return await part.of(
            obby.router.query.files(
                path,
                as_of=aware("as_of", as_of),
                limit=part.reach,
                subject=client,
            )
        )

    @router.post(
        "/files/track", response_model=model(tracker.TrackResult), summary="Record a file now"
    )
    async def track(
        path: str = Body(embed=True, description="Absolute path, below a watched root."),
        obby: State = Depends(get_state),
    ) -> Any:
        """Record the present state of one file, without waiting for the watcher."""
        return dumped(await obby.router.tracker.track_change(path))

    return router


def diffs_router() -> APIRouter:
    """Return `GET /diffs`, `GET /diffs/since` and `GET /diff`."""
    router = router_of("diffs")

    @router.get("/diffs", response_model=page(query.Diff), summary="List steps, newest first")
    async def diffs(
        only: dict[str, Any] = Depends(diff_filter),
        start_time: Optional[datetime] = _START,
        end_time: Optional[datetime] = _END,
        text: bool = Query(True, description="With the diffs' text."),
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """List the recorded steps, newest first. To follow them, use `/events`."""
        return await part.of(
            obby.router.query.recent_diffs(
                **only,
                start_time=aware("start_time", start_time),
                end_time=aware("end_time", end_time),
                text=text,
                limit=part.reach,
                subject=client,
            )
        )

    @router.get("/diff", response_model=model(query.VersionDiff), summary="Compare two versions")
    async def diff(
        old: int = Query(ge=1, le=MAX_ID, description="Version before."),
        new: int = Query(ge=1, le=MAX_ID, description="Version after."),
        context_lines: int = Query(3, ge=0, le=1_000, description="Unchanged lines around."),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Compute the unified diff between any two versions."""
        return dumped(
            await obby.router.query.diff(old, new, context_lines=context_lines, subject=client)
        )

    return router


def versions_router() -> APIRouter:
    """Return `GET /versions` and `GET /versions/{version_id}`."""
    router = router_of("versions")

    @router.get("/versions", response_model=page(query.Version), summary="List a file's versions")
    async def versions(
        path: str = Depends(path_of),
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """List the versions of a file, newest first."""
        found = obby.router.query.file_versions(path, limit=part.reach, subject=client)
        return await part.of(found)

    @router.get(
        "/versions/{version_id}", response_model=model(query.VersionContent), summary="Read one"
    )
    async def content(
        version_id: int = Path(ge=1, le=MAX_ID, description="Identifier of the version."),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Return a version with its content."""
        return dumped(await obby.router.query.version_content(version_id, subject=client))

    return router


def search_router() -> APIRouter:
    """Return `GET /search`, `GET /search/history` and `GET /topics/{topic}/files`."""
    router = router_of("search")

    @router.get("/search", response_model=page(query.SearchResult), summary="Search contents")
    async def search(
        q: str = Query(description="What to look for."),
        mode: str = Query("plain", description=f"How it is read: {', '.join(names(SearchMode))}."),
        path_prefix: Optional[str] = _PREFIX,
        path_glob: str = Query("", description="Only paths like this pattern: `*.md`."),
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Search the newest content of every file; best match first."""
        return await part.of(
            obby.router.query.search_content(
                q,
                mode=member("mode", SearchMode, mode),
                path_prefix=path_prefix,
                path_glob=path_glob,
                limit=part.reach,
                subject=client,
            )
        )

    @router.get(
        "/search/history", response_model=page(query.HistoryMatch), summary="Search the past"
    )
    async def history(
        text: str = Query(description="A text, exactly so."),
        ignore_case: bool = Query(False, description="Letters of either case are equal."),
        path_prefix: Optional[str] = _PREFIX,
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Find when a text came and went, by path."""
        return await part.of(
            obby.router.query.search_history(
                text,
                ignore_case=ignore_case,
                path_prefix=path_prefix,
                limit=part.reach,
                subject=client,
            )
        )

    @router.get(
        "/topics/{topic:path}/files", response_model=page(query.TopicFile), summary="List a topic"
    )
    async def topic(
        topic: str = Path(description="The topic."),
        part: Window = Depends(window),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """List the files that bear a topic, latest first."""
        return await part.of(obby.router.query.topic_files(topic, limit=part.reach, subject=client))

    return router


def activity_router() -> APIRouter:
    """Return `GET /activity` and `GET /activity/times`."""
    router = router_of("activity")

    @router.get("/activity", response_model=model(query.ActivityStats), summary="Count changes")
    async def activity(
        start_time: Optional[datetime] = _START,
        end_time: Optional[datetime] = _END,
        path_prefix: Optional[str] = _PREFIX,
        list_size: int = Query(10, ge=1, le=100, description="Most items of each list."),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Count what happened, by kind of change, directory, extension and file."""
        return dumped(
            await obby.router.query.activity_stats(
                start_time=aware("start_time", start_time),
                end_time=aware("end_time", end_time),
                path_prefix=path_prefix,
                list_size=list_size,
                subject=client,
            )
        )

    @router.get(
        "/activity/times", response_model=model(query.TimeAnalysis), summary="Count over time"
    )
    async def times(
        start_time: Optional[datetime] = _START,
        end_time: Optional[datetime] = _END,
        time_zone: str = Query("", description="IANA name; default: the server's zone."),
        bucket_size: str = Query("day", description=f"Of {', '.join(names(BucketSize))}."),
        path_prefix: Optional[str] = _PREFIX,
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> Any:
        """Count what happened per hour, day or week of a time zone; default: 7 days."""
        return dumped(
            await obby.router.query.time_analysis(
                start_time=aware("start_time", start_time),
                end_time=aware("end_time", end_time),
                time_zone=time_zone,
                bucket_size=member("bucket_size", BucketSize, bucket_size),
                path_prefix=path_prefix,
                subject=client,
            )
        )

    return router


def events_router() -> APIRouter:
    """Return `GET /events`: every committed change as a Server-Sent Event."""
    router = router_of("events")

    @router.get("/events", summary="Follow the changes", response_class=StreamingResponse)
    async def events(
        response: Response,
        last: int = Query(0, ge=0, le=1_000, description="Begin with so many of the newest."),
        last_event_id: Optional[str] = Query(
            None, description="Begin after this id; the header `Last-Event-ID` wins over it."
        ),
        header: Optional[str] = Header(
            None, alias="Last-Event-ID", description="What a browser sends when it comes back."
        ),
        client: Optional[str] = Depends(client_id),
        obby: State = Depends(get_state),
    ) -> StreamingResponse:
        """Stream the changes, each once and in order; docs/events.md says what they hold.

        An id is `<database id>-<change id>`, the same whichever side serves the stream.
        Where it cannot go on after an id, a `reset` event says so.
        """
        answer = StreamingResponse(
            obby.events.frames(client, header or last_event_id, last),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        for cookie in response.headers.getlist("set-cookie"):
            answer.headers.append("set-cookie", cookie)
        return answer

    return router
