"""Streams and watches of the backend that change sides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from obby_clients.flags import Service, bucket

from ..conftest import wait_until
from .world import Backend, GoServices, Listener, ids_on, put, write


def test_events_are_the_same_on_both_hubs_case_54(
    root: Path, go: GoServices, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    """case 54: at 50 percent, each client hears of each change once, on its hub."""
    running = backend(flags=go.flags(50))
    there = [listen(running, client_id=ids_on(Service.SSE_HUB, 50, inside=True)) for _ in "ab"]
    here = [listen(running, client_id=ids_on(Service.SSE_HUB, 50, inside=False)) for _ in "ab"]
    for number in range(10):
        write(root / "a.md", f"{number}\n", here[0])
    committed = running.change_ids()
    for listener in (*there, *here):
        wait_until(lambda at=listener: len(at.changes) >= len(committed))  # type: ignore[misc]
        assert listener.changes == committed
    assert len(committed) == 10


def test_a_client_that_changes_sides_goes_on_case_55(
    root: Path, go: GoServices, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    """case 55: reconnected on the other side, with replay where the id is held."""
    running = backend(flags=go.flags())
    listener = listen(running, client_id="a")
    write(root / "a.md", "1\n", listener)
    running.rollback(on=True)
    write(root / "a.md", "2\n", listener)
    listener.hang_up()
    write(root / "a.md", "3\n", listener)
    running.rollback(on=False)
    write(root / "a.md", "4\n", listener)
    assert listener.changes == running.change_ids()
    assert listener.resets == []
    assert listener.connections == 2


@pytest.mark.parametrize(
    ("made", "reason"),
    [("another-{}", "epoch"), ("nonsense", "epoch"), ("{database}-99", "future")],
)
def test_an_id_that_cannot_be_continued_is_answered_with_a_reset_case_55(
    made: str,
    reason: str,
    root: Path,
    backend: Callable[..., Backend],
    listen: Callable[..., Listener],
) -> None:
    """case 55: an explicit reset, and then what follows."""
    running = backend()
    known = listen(running)
    write(root / "a.md", "1\n", known)
    database = known.last_id.rpartition("-")[0]
    listener = listen(running, last_id=made.format(1, database=database))
    wait_until(lambda: listener.resets)
    assert listener.resets == [reason]
    assert listener.last_id == known.last_id
    write(root / "a.md", "2\n", listener)
    assert listener.changes == running.change_ids()[1:]


def test_files_written_during_a_handover_are_told_once_case_52(
    root: Path, go: GoServices, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    """case 52: the kill switch during an open watch."""
    running = backend(flags=go.flags())
    listener = listen(running)
    wait_until(lambda: running.handovers() == [f"go {root}"])
    running.rollback(on=True)
    written = 0

    def handed_over() -> bool:
        nonlocal written
        put(root / f"{written}.md", "milk\n")
        written += 1
        return len(running.handovers()) > 1

    wait_until(handed_over)
    assert running.handovers()[1] == f"python {root}"
    wait_until(lambda: len(listener.changes) >= written)
    write(root / "last.md", "honey\n", listener)
    steps = running.rows("SELECT file_path, count(*) FROM content_diffs GROUP BY file_path")
    assert len(steps) == written + 1
    assert {count for _, count in steps} == {1}
    assert listener.changes == running.change_ids()


def test_nested_roots_follow_the_outer_one_case_53(
    root: Path, go: GoServices, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    """case 53: the inner root alone would be on the other side."""
    outside = bucket(Service.FILE_WATCHER.flag, str(root)) < 5_000
    inner = Path(ids_on(Service.FILE_WATCHER, 50, inside=not outside, form=f"{root}/in-{{}}"))
    inner.mkdir()
    (inner / ".obbywatch").write_text("*.md\n")
    running = backend(root, inner, flags=go.flags(50))
    listener = listen(running)
    side = "go" if outside else "python"
    wait_until(lambda: sorted(running.handovers()) == [f"{side} {root}", f"{side} {inner}"])
    write(inner / "a.md", "1\n", listener)
    write(inner / "a.md", "2\n", listener)
    assert listener.changes == running.change_ids() == [1, 2]
