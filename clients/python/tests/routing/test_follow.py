"""Following the record of steps, while an operator changes his mind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import obby_clients as oc
from obby_clients import query
from obby_clients.fallback import AsyncQueryService, QueryService
from obby_clients.flags import Backend, Service

from ..conftest import wait_until
from .operated import Drive, World

Start = Callable[..., Any]


class Recorded(World):
    """A World whose steps a content-tracker records."""

    def __init__(self, drive: Drive, root: Path, start: Start) -> None:
        database = root.parent / "obby.db"
        tracking = start("content-tracker", "--database", str(database), "--root", str(root))
        self.process = start("query-service", "--database", str(database))
        environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": self.process.target}
        python = (AsyncQueryService if drive.loop else QueryService)(database)
        super().__init__(drive, root.parent, environ, query=python)
        wait_until(lambda: self.process.said("database opened"))
        self.made: list[int | None] = []
        self._root, self._track = root, oc.ContentTrackerClient(tracking.target)

    def write(self) -> int | None:
        """Change a file; return the step."""
        path = self._root / f"{len(self.made) % 7}.md"
        path.write_text(f"{len(self.made)}\n")
        self.made.append(self._track.track_change(path).change_id)
        return self.made[-1]

    def sides(self, stream: Any) -> set[Backend]:
        """Return who gives a stream its steps."""
        return set(stream._live.sources)

    def close(self) -> None:
        self._track.close()
        super().close()


@pytest.fixture(params=["sync", "asyncio"])
def world(request: pytest.FixtureRequest, root: Path, start: Start) -> Iterator[Recorded]:
    world = Recorded(Drive(request.param == "asyncio"), root, start)
    yield world
    world.close()


def begin() -> datetime:
    return datetime.now(timezone.utc) - timedelta(hours=1)


def test_the_kill_switch_loses_and_repeats_no_step(world: Recorded) -> None:
    world.write()
    steps = world.listen(world.obby.query.diffs_since, begin(), follow=True, text=False)
    ended = threading.Event()

    def edit() -> None:
        while not ended.is_set():
            world.write()

    editing = threading.Thread(target=edit)
    editing.start()
    try:
        for on in (True, False, True, False):
            side = Backend.PYTHON if on else Backend.GO
            world.admin.rollback(on=on)
            wait_until(lambda: world.sides(steps.stream) == {side})  # noqa: B023 (called here)
            more = len(world.made) + 20
            wait_until(lambda: len(world.made) > more)  # noqa: B023
    finally:
        ended.set()
        editing.join()
    last = world.write()
    heard = steps.until(lambda item: item.change_id == last)
    assert [item.change_id for item in heard] == world.made


def test_a_service_that_is_gone_is_replaced(world: Recorded) -> None:
    first = world.write()
    python, asked = world.python["query"], []
    answer = python.diffs_since

    def answered(**kwargs: Any) -> Any:
        asked.append(kwargs["since"])
        return answer(**kwargs)

    python.diffs_since = answered
    steps = world.listen(world.obby.query.diffs_since, begin(), follow=True)
    steps.until(lambda item: item.change_id == first)
    cursor = steps.stream.cursor
    world.process.kill()
    second = world.write()
    (item,) = steps.until(lambda item: item.change_id == second)
    assert world.sides(steps.stream) == {Backend.PYTHON}
    assert isinstance(item, query.Diff)
    assert asked == [cursor]  # what was given is not read again
    world.process.restart()
    wait_until(lambda: world.sides(steps.stream) == {Backend.GO})
    third = world.write()
    assert [item.change_id for item in steps.until(lambda item: True)] == [third]
    steps.close()
    more = world.listen(world.obby.query.diffs_since, steps.stream.cursor, follow=True)
    fourth = world.write()
    assert [item.change_id for item in more.until(lambda item: True)] == [fourth]


def test_what_the_caller_asks_is_the_callers(world: Recorded) -> None:
    first = world.write()
    steps = world.listen(world.obby.query.diffs_since, begin(), follow=True, timeout=5)
    assert steps.heard.get(timeout=60).change_id == first
    assert isinstance(steps.heard.get(timeout=60), oc.DeadlineError)
    _, failed = world.obby.router.side(Service.QUERY_SERVICE).guard._of(Backend.GO)
    assert failed == 0  # the end of the caller's time is no failure of the service
    with pytest.raises(oc.InvalidArgumentError) as error:
        world.listen(world.obby.query.diffs_since, "no cursor", follow=True)
    assert [violation.field for violation in error.value.field_violations] == ["resume_token"]
