"""What two threads do at once, in every order of their lines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from obby_clients.fallback import QueryService
from obby_clients.flags import Flags, Reason, Service, source
from obby_clients.flags.source import FlagsFile
from obby_clients.routing import Fallbacks, Obby

from .rows import Rows
from .stepped import Stepped

WATCHER = Service.FILE_WATCHER
T = TypeVar("T")


def stopped_everywhere(begin: Callable[[], tuple[T, Stepped]]) -> Iterator[tuple[T, Stepped]]:
    """Give the same work before its first line, before its second one, and so on."""
    for lines in itertools.count():
        subject, work = begin()
        for _ in range(lines):
            work.step()
        if work.ended:
            return
        yield subject, work


def test_two_threads_that_look_at_the_file_leave_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "EVERY", 0.0)
    monkeypatch.setattr(source, "_SETTLED", -(1 << 62))  # each write has another inode here
    path = tmp_path / "flags.conf"

    def look(file: FlagsFile) -> Stepped:
        return Stepped(lambda: file.look(str(path)), FlagsFile.look, source._looked)

    def write(percentage: int) -> None:
        other = path.with_suffix(".new")
        other.write_text(f"GO_WATCHER_ROLLOUT_PERCENTAGE={percentage}\n")
        other.replace(path)

    def begin() -> tuple[FlagsFile, Stepped]:
        file = FlagsFile()
        write(10)
        file.look(str(path))
        write(20)
        return file, look(file)

    tried = 0
    for lines in itertools.count():  # that the second one runs before the first one goes on
        more = False
        for file, first in stopped_everywhere(begin):
            write(30)
            second = look(file)
            more |= all(second.step() for _ in range(lines))
            first.finish()
            second.finish()
            tried += 1
            assert file.look(str(path)).values == {"GO_WATCHER_ROLLOUT_PERCENTAGE": "30"}
        if not more:
            break
    assert tried > 100


@pytest.mark.parametrize("switched", [False, True], ids=["on", "off and on again"])
def test_a_trip_while_the_settings_are_read_is_not_lost(switched: bool) -> None:
    def begin() -> tuple[tuple[Flags, dict[str, str]], Stepped]:
        environ = {WATCHER.switch: "1"}
        flags = Flags(environ)
        if switched:
            flags.trip(WATCHER, "it failed before")
            environ[WATCHER.switch] = "0"
        else:
            environ[WATCHER.percentage] = "100.0"  # so that everything is read anew
        work = Stepped(lambda: flags.decide(WATCHER, "/notes"), Flags._current)
        return (flags, environ), work

    tried = 0
    for (flags, environ), reading in stopped_everywhere(begin):
        environ[WATCHER.switch] = "1"
        flags.trip(WATCHER, "it fails")
        reading.finish()
        tried += 1
        assert flags.decide(WATCHER, "/notes").reason is Reason.GUARD_TRIPPED
        assert flags.tripped == {WATCHER: "it fails"}
    assert tried > 10


class Opened:
    """Something that is open."""


def test_a_stream_may_be_opened_while_all_are_told(rows: Rows, database: Path) -> None:
    with Obby(fallback=Fallbacks()) as obby, QueryService(database) as query:
        watcher: Any = obby.watcher
        known: list[Any] = [obby.router.live, watcher._watching.streams, query._streams]
        for streams in known:
            opened = [Opened() for _ in range(3)]
            for one in opened:
                streams.add(one)
            told = []
            for one in streams:
                opened.append(Opened())  # by another thread, say
                streams.add(opened[-1])
                streams.discard(opened[0])
                told.append(one)
            assert {*told} <= {*opened[:3]}
            assert len(told) >= 2
            assert {*streams} == {*opened[1:]}
            del told, one, opened
            assert not [*streams]  # nobody else had them
