"""What an operator reads in the backend's log at three in the morning."""

from __future__ import annotations

import re
from collections.abc import Callable

from obby_clients.flags import Service

from ..conftest import wait_until
from .world import SERVICES, Backend, GoServices

LABELS = [service.label for service in Service]


def lines(running: Backend, label: str) -> list[str]:
    """Return what the log has said of a service so far, and how gravely."""
    found = (
        re.search(rf"(INFO|WARNING) +backend(?:\[\d+\])?: {label}: (.*)", line)
        for line in running.log
    )
    return [f"{match[1]} {match[2]}" for match in found if match]


def test_the_log_says_who_does_what_and_why(
    go: GoServices, backend: Callable[..., Backend]
) -> None:
    running = backend()
    switches = {label: f"USE_GO_{variable}" for label, variable in SERVICES.items()}
    wait_until(lambda: all(lines(running, label) for label in LABELS))
    for label, switch in switches.items():
        (line,) = lines(running, label)
        assert line.startswith(f"INFO python: {switch} is off, or not set")
        assert f"service={label} reason=FLAG_OFF" in line

    running.write_flags(go.flags())
    wait_until(lambda: all(len(lines(running, label)) == 2 for label in LABELS))
    for label, switch in switches.items():
        line = lines(running, label)[1]
        assert line.startswith(f"INFO go: {switch} is on, for everybody; target {go[label].target}")

    running.write_flags({**go.flags(), "GO_QUERY_ROLLOUT_PERCENTAGE": "30"})
    wait_until(lambda: len(lines(running, "query-service")) == 3)
    assert lines(running, "query-service")[2].startswith(
        "INFO go for 30 %, else python: GO_QUERY_ROLLOUT_PERCENTAGE is 30; target 127.0.0.1:"
    )

    go["query-service"].kill()  # nobody asks anything
    wait_until(lambda: len(lines(running, "query-service")) == 4)
    assert lines(running, "query-service")[3].startswith(
        f"WARNING python instead of go for 30 %: {go['query-service'].target} does not serve ("
    )
    go["query-service"].restart()
    wait_until(lambda: len(lines(running, "query-service")) == 5)
    assert lines(running, "query-service")[4] == lines(running, "query-service")[2]

    running.rollback(on=True)
    wait_until(lambda: all("KILL_SWITCH" in lines(running, label)[-1] for label in LABELS))
    for label in LABELS:
        assert lines(running, label)[-1].startswith("INFO python: EMERGENCY_ROLLBACK is on")
    assert [len(lines(running, label)) for label in LABELS] == [3, 3, 6, 3]  # nothing twice


def test_of_many_workers_one_says_it(backend: Callable[..., Backend]) -> None:
    running = backend(workers=2)
    wait_until(lambda: all(lines(running, label) for label in LABELS))
    running.stop()  # while one of them stops, the other one may take over, and says so
    found = [re.search(r"backend\[(\d+)\]: (.*)", line) for line in running.log]
    said = [(match[1], match[2]) for match in found if match]
    running_it = [pid for pid, text in said if text.startswith("this process runs the pipeline")]
    for label in LABELS:
        found_in = [pid for pid, text in said if text.startswith(f"{label}: ")]
        # Once each, and the second may be ended before it has said everything.
        assert found_in in (running_it, running_it[:1])


def test_of_several_workers_each_line_tells_its_process(backend: Callable[..., Backend]) -> None:
    running = backend(workers=2)
    ours = re.compile(r"(?:INFO|WARNING) +[a-z_.]+\[(\d+)\]: ")
    assert all(ours.search(line) for line in running.log)
    assert str(running.process.pid) in {
        match[1] for line in running.log for match in [ours.search(line)] if match
    }


def test_workers_end_with_the_process_that_started_them(backend: Callable[..., Backend]) -> None:
    running = backend(workers=2)
    assert running.get("/healthz")["status"] == "ok"
    running.kill()  # which waits until nobody has its log any more
    del running.log[:]
    running.start(running.port)  # nobody has the address, or the lock
    wait_until(lambda: any("runs the pipeline" in line for line in running.log))
