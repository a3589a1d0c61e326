"""Routing: one call, answered by Go or by Python.

    from obby_clients.routing import Fallbacks, Obby

    with Obby(fallback=Fallbacks(tracker=tracker, query=query)) as obby:
        obby.tracker.track_change("/home/me/notes/a.md")
        for diff in obby.query.recent_diffs(limit=10, subject="session-1"):
            print(diff.path)

The flags say who is to answer (`obby_clients.flags`); where that is Go and Go
cannot, Python does, but never what may have happened already. `calls` has every
call, `verdict` what each status means, `carry` how a call is carried out,
`breaker` and `guard` when Go is left alone.
"""

from .breaker import Breaker
from .changes import Change
from .facade import AsyncObby, Obby
from .guard import Guard
from .live_aio import AsyncLiveStream
from .live_sync import LiveStream
from .router import Fallbacks, Outcome, Router, forced
from .shadow import Difference, Shadow
from .streams import AsyncRoutedStream, RoutedStream

__all__ = [
    "AsyncLiveStream",
    "AsyncObby",
    "AsyncRoutedStream",
    "Breaker",
    "Change",
    "Difference",
    "Fallbacks",
    "Guard",
    "LiveStream",
    "Obby",
    "Outcome",
    "RoutedStream",
    "Router",
    "Shadow",
    "forced",
]
