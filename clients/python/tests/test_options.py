"""A value that cannot be is refused where it is given, by a sentence, and nothing runs then."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import fallback
from obby_clients.changes import Changes
from obby_clients.fastapi import ObbySettings
from obby_clients.fastapi._streams import EventStreams
from obby_clients.flags import Service
from obby_clients.query import ChangeType
from obby_clients.routing import AsyncObby, Fallbacks, Obby

SPAN = timedelta(seconds=2)
NOW = datetime.now(timezone.utc)
NAIVE, TODAY = NOW.replace(tzinfo=None), NOW.date()
CLIENTS = [oc.FileWatcherClient, oc.AsyncFileWatcherClient, oc.SSEHubClient, oc.QueryClient]
OBBYS = [Obby, AsyncObby]
WATCHERS = [fallback.FileWatcher, fallback.AsyncFileWatcher]
TRACKERS = [fallback.ContentTracker, fallback.AsyncContentTracker]
QUERIES = [fallback.QueryService, fallback.AsyncQueryService]
HUBS = [fallback.SSEHub, fallback.AsyncSSEHub]


def tracker(**options: Any) -> dict[str, Any]:
    return {"database": "/nowhere/o.db", "roots": ["/nowhere"], **options}


@pytest.mark.parametrize(
    ("kinds", "options", "error", "message"),
    [
        (
            WATCHERS,
            {"debounce": SPAN},
            TypeError,
            r"debounce .* its seconds as a number \(2\)",
        ),
        (WATCHERS, {"debounce": "1s"}, TypeError, "debounce is '1s': give its seconds"),
        (WATCHERS, {"debounce": True}, TypeError, "debounce is True"),
        (WATCHERS, {"debounce": -1}, ValueError, "debounce is -1: .* 0 or more"),
        (WATCHERS, {"debounce": math.nan}, ValueError, "debounce is nan"),
        (WATCHERS, {"poll_interval": 0}, ValueError, "poll_interval is 0: .* more than 0"),
        (WATCHERS, {"poll_interval": None}, TypeError, "poll_interval is None"),
        (WATCHERS, {"rescan_interval": math.nan}, ValueError, "rescan_interval is nan"),
        (WATCHERS, {"journal_events": 1.5}, TypeError, "journal_events is 1.5: give a whole"),
        (WATCHERS, {"journal_events": 0}, ValueError, "journal_events is 0: .* 1 or more"),
        (WATCHERS, {"method": "poll"}, ValueError, "give WatchMethod.NOTIFY, WatchMethod.POLL"),
        (WATCHERS, {"roots": "/notes"}, TypeError, "roots is '/notes': give a list of paths"),
        (WATCHERS, {"roots": [7]}, TypeError, "one of roots is 7: give a path"),
        (TRACKERS, tracker(database=None), TypeError, "database is None: give a path"),
        (TRACKERS, tracker(roots=Path("/notes")), TypeError, "roots is .*: give a list of paths"),
        (TRACKERS, tracker(restore_to="/x"), TypeError, "restore_to is '/x': give a list"),
        (TRACKERS, tracker(max_content=-1), ValueError, "max_content is -1"),
        (TRACKERS, tracker(max_content=1e6), TypeError, "max_content is 1000000.0: give a whole"),
        (QUERIES, {"database": 7}, TypeError, "database is 7: give a path"),
        (HUBS, {"history_age": 3600}, TypeError, "history_age is 3600: give a timedelta"),
        (HUBS, {"history_age": -SPAN}, ValueError, "history_age is .*: give a timedelta of 0"),
        (HUBS, {"history_events": "9"}, TypeError, "history_events is '9'"),
        (HUBS, {"history_bytes": -1}, ValueError, "history_bytes is -1"),
        (HUBS, {"max_data": 0}, ValueError, "max_data is 0"),
        (HUBS, {"heartbeat": SPAN}, TypeError, "heartbeat is .*seconds as a number"),
        (HUBS, {"heartbeat": 0}, ValueError, "heartbeat is 0"),
        (HUBS, {"allow_origins": "https://a"}, TypeError, "allow_origins is .*: give a list"),
        (CLIENTS, {"target": 50051}, TypeError, "target is 50051: give a str"),
        (CLIENTS, {"target": "localhost"}, ValueError, "is not host:port"),
        (CLIENTS, {"token": b"secret"}, TypeError, "token is .*: give a str"),
        (CLIENTS, {"token": "secret\n"}, ValueError, "token has white space .*: strip it"),
        (OBBYS, {"fallback": None}, TypeError, "fallback is None: give a Fallbacks"),
        (OBBYS, {"fallback": Fallbacks(), "flags": {}}, TypeError, "flags is {}: give a Flags"),
        (OBBYS, {"fallback": Fallbacks(), "drain": SPAN}, TypeError, "drain is .*as a number"),
        (OBBYS, {"fallback": Fallbacks(), "drain": -1}, ValueError, "drain is -1"),
        (OBBYS, {"fallback": Fallbacks(), "tokens": {"hub": "x"}}, TypeError, "give a Service"),
        ([ObbySettings], {"roots": "/notes"}, TypeError, "roots is '/notes': give a list of paths"),
        ([ObbySettings], {"database": None}, TypeError, "database is None: give a path"),
        ([ObbySettings], {"heartbeat": -1}, ValueError, "heartbeat is -1"),
        ([Changes], {"database": "/nowhere", "roots": "/notes"}, TypeError, "roots is '/notes'"),
        ([EventStreams], {"sides": 0, "changes": 0, "heartbeat": 0}, ValueError, "heartbeat"),
        ([EventStreams], {"sides": 0, "changes": 0, "replay": -1}, ValueError, "replay is -1"),
    ],
)
def test_a_constructor_says_what_to_give_and_leaves_nothing(
    kinds: list[Callable[..., Any]], options: dict[str, Any], error: type[Exception], message: str
) -> None:
    before = set(threading.enumerate())  # those of earlier tests may still be ending
    for kind in kinds:
        with pytest.raises(error, match=message):
            kind(**options)
    assert not set(threading.enumerate()) - before


TIMEOUTS = [
    ({"timeout": SPAN}, TypeError, r"timeout is .*: give its seconds as a number \(2\)"),
    ({"timeout": "5"}, TypeError, "timeout is '5'"),
    ({"timeout": math.nan}, oc.DeadlineError, "no time for .*: the timeout is nan s"),
    ({"timeout": -1}, oc.DeadlineError, "no time for"),  # case 64
]
STREAMED = [
    ({"idle_timeout": SPAN}, TypeError, "idle_timeout is .*: give its seconds"),
    ({"retry_for": "1"}, TypeError, "retry_for is '1'"),
    ({"retry_for": math.nan}, ValueError, "retry_for is nan"),
]


@pytest.mark.parametrize(("given", "error", "message"), [*TIMEOUTS, *STREAMED])
def test_a_call_says_what_to_give_for_a_timeout(
    given: dict[str, Any], error: type[Exception], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(Service.SSE_HUB.switch, "0")
    with (
        fallback.SSEHub() as python,
        oc.SSEHubClient("127.0.0.1:1") as client,
        Obby(fallback=Fallbacks(hub=python)) as routed,
    ):
        hubs: list[Any] = [client, python, routed.hub]
        before = set(threading.enumerate())
        for hub in hubs:
            call = partial(hub.publish, data="x") if "timeout" in given else hub.subscribe
            with pytest.raises(error, match=message):
                call("t", **given)
        assert not set(threading.enumerate()) - before


def test_a_list_says_what_to_give_for_a_timeout(database: Path) -> None:
    with fallback.QueryService(database) as python, oc.QueryClient("127.0.0.1:1") as client:
        queries: list[Any] = [client, python]
        for query in queries:
            with pytest.raises(TypeError, match=r"timeout is .*: give its seconds"):
                query.recent_diffs(timeout=SPAN)


def test_seconds_without_an_end_are_seconds(database: Path) -> None:
    with fallback.SSEHub() as hub:
        assert hub.publish("t", "data", timeout=math.inf).event_id


def test_a_quiet_delay_of_a_watch_is_a_timedelta(tmp_path: Path) -> None:
    with fallback.FileWatcher() as python, oc.FileWatcherClient("127.0.0.1:1") as client:
        watchers: list[Any] = [client, python]
        for watcher in watchers:
            with pytest.raises(TypeError, match=r"0.5: give a timedelta"):
                watcher.start_watching(tmp_path, debounce=0.5)


WRONG_CALLS: list[tuple[str, Callable[[Any], Any], type[Exception], str]] = [
    ("query", lambda s: s.diffs_since(5, follow=True), TypeError, "since is 5: give a datetime"),
    ("query", lambda s: s.diffs_since(TODAY, follow=True), TypeError, "since is datetime.date"),
    ("query", lambda s: s.diffs_since(NAIVE, follow=True), ValueError, "has no time zone"),
    (
        "query",
        lambda s: s.diffs_since(NOW, follow=True, retry_for=None),
        TypeError,
        "retry_for is None: give its seconds",
    ),
    (
        "query",
        lambda s: s.diffs_since(NOW, follow=True, change_types="created"),
        TypeError,
        r"change_types is 'created': give a list, such as \[ChangeType.CREATED\]",
    ),
    ("query", lambda s: list(s.recent_diffs(start_time=TODAY)), TypeError, "is no time: give a"),
    (
        "query",
        lambda s: list(s.recent_diffs(change_types=ChangeType.CREATED)),
        TypeError,
        "change_types is .*: give a list",
    ),
    ("watcher", lambda s: s.events(5), TypeError, "resume_token is 5: give the cursor"),
    ("watcher", lambda s: s.events(watch_ids="nix"), TypeError, "watch_ids is 'nix': give a list"),
    ("watcher", lambda s: s.events(idle_timeout="x"), TypeError, "idle_timeout is 'x'"),
    (
        "watcher",
        lambda s: s.start_watching("/nowhere", patterns="*.md"),
        TypeError,
        r"patterns is '\*.md': give a PatternSet",
    ),
    ("hub", lambda s: s.subscribe(5), TypeError, "topics is 5: give a topic, or a list"),
    ("hub", lambda s: s.subscribe([5]), TypeError, "one of topics is 5: give a str"),
    (
        "tracker",
        lambda s: s.track_change("/tmp/\ud800.md"),
        oc.InvalidArgumentError,
        "path: .* cannot be the path of a file",
    ),
]


@pytest.mark.parametrize("side", ["client", "fallback", "routed"])
@pytest.mark.parametrize(("name", "call", "error", "message"), WRONG_CALLS)
def test_what_no_call_can_mean_is_refused_by_a_sentence(  # noqa: PLR0917 (a table)
    side: str,
    name: str,
    call: Callable[[Any], Any],
    error: type[Exception],
    message: str,
    tmp_path: Path,
) -> None:
    makers: dict[str, Callable[[], Any]] = {
        "query": lambda: fallback.QueryService(tmp_path / "o.db"),
        "watcher": fallback.FileWatcher,
        "hub": fallback.SSEHub,
        "tracker": lambda: fallback.ContentTracker(tmp_path / "o.db", [tmp_path]),
    }
    clients = {
        "query": oc.QueryClient,
        "watcher": oc.FileWatcherClient,
        "hub": oc.SSEHubClient,
        "tracker": oc.ContentTrackerClient,
    }
    with clients[name]() if side == "client" else makers[name]() as made:
        if side != "routed":
            with pytest.raises(error, match=message):
                call(made)
            return
        obby = Obby(fallback=Fallbacks(**{name: made}))
        with obby, pytest.raises(error, match=message):
            call(getattr(obby, name))


def test_a_subscription_needs_topics() -> None:
    with Obby(fallback=Fallbacks()) as obby:
        with pytest.raises(TypeError, match="give a topic, or a list of topics"):
            obby.hub.subscribe()  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="the rest by name"):
            obby.hub.subscribe("a", "b")  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="the rest by name"):
            obby.watcher.events("a", "b")  # type: ignore[call-arg]
