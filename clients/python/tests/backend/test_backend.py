"""The backend as a process: on either side, on both, in several workers."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from obby_clients.flags import Service

from ..conftest import wait_until
from .world import Backend, GoServices, Listener, ids_on, write

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")


class Script:
    """Asks a backend everything; what it answers, without what differs between two runs."""

    def __init__(self, backend: Backend, root: Path, client: str) -> None:
        self._backend, self._root, self._client = backend, root, client

    def answers(self, names: list[str]) -> dict[str, Any]:
        root = self._root
        paths = [
            f"/files?path={root}",
            "/diffs",
            "/diffs?change_type=created&limit=2",
            f"/diffs?path_prefix={root}&text=false&offset=1",
            "/diff?old=1&new=2",
            *(f"/versions?path={root / name}" for name in names),
            "/versions?path=/never/recorded",
            "/versions/1",
            "/versions/9999",
            "/search?q=milk",
            "/search?q=il&mode=substring",
            "/topics/milk/files",
            "/search/history?text=milk",
            "/activity",
            "/activity/times?bucket_size=day&time_zone=UTC",
            "/activity?start_time=2026-01-01T00:00:00",
            "/events?last=x",
        ]
        return {path.replace(str(root), "/root"): self._ask(path) for path in paths}

    def _ask(self, path: str) -> Any:
        status, body = self._backend.ask(
            "GET", path, headers={"Cookie": f"obby_client={self._client}"}
        )
        if isinstance(body, dict):
            body.pop("request_id", None)
        text = json.dumps(body).replace(str(self._root), "/root")
        return status, json.loads(STAMP.sub("T", text))


def story(backend: Backend, root: Path, names: list[str], listener: Listener) -> None:
    """Make some changes, one after the other."""
    for name in names:
        write(root / name, f"{name}\nmilk\n", listener)
    write(root / names[0], "milk and honey\n", listener)
    seen = len(listener.changes)
    (root / names[1]).unlink()
    wait_until(lambda: len(listener.changes) > seen)


def _folder(parent: Path) -> Path:
    folder = parent.resolve() / "notes"
    folder.mkdir(parents=True)
    (folder / ".obbywatch").write_text("*.md\n")
    return folder


@pytest.mark.parametrize("percentage", [None, 30], ids=["all on", "30 percent"])
def test_the_same_script_has_the_same_answers_on_either_side(
    percentage: int | None,
    tmp_path: Path,
    listen: Callable[..., Listener],
    ending: ExitStack,
) -> None:
    share = 100 if percentage is None else percentage
    # Folders of equal depth: the words of a path count in a search's scores.
    root, other = (_folder(tmp_path / side) for side in ("mixed", "alone"))
    path = f"{root}/{{}}.md"
    names = [
        Path(ids_on(Service.CONTENT_TRACKER, share, inside=inside, form=path)).name
        for inside in ([True, False] if percentage else [True])
    ]
    names = sorted({*names, "c-1.md", "c-2.md", "c-3.md"})
    go = GoServices(root.parent / "obby.db", root)
    ending.callback(go.stop)
    mixed = Backend(root.parent, root, flags=go.flags(percentage))
    ending.callback(mixed.stop)
    alone = Backend(other.parent, other, flags={})
    ending.callback(alone.stop)
    clients = [ids_on(Service.QUERY_SERVICE, share, inside=True)]
    if percentage:
        clients.append(ids_on(Service.QUERY_SERVICE, share, inside=False))

    story(mixed, root, names, listen(mixed, client_id=clients[0]))
    story(alone, other, names, listen(alone))

    expected = Script(alone, other, "anybody").answers(names)
    for client in clients:
        found = Script(mixed, root, client).answers(names)
        for question, answer in expected.items():
            assert found[question] == answer, question
    failed = {question: answer for question, answer in expected.items() if answer[0] >= 500}
    assert failed == {}
    assert len(expected["/files?path=/root"][1]["items"]) == len(names) - 1


def test_every_worker_obeys_case_26(
    root: Path,
    go: GoServices,
    backend: Callable[..., Backend],
    listen: Callable[..., Listener],
    ending: ExitStack,
) -> None:
    """case 26: four workers, a flag set through one of them; one runs the pipeline."""
    running = backend(flags=go.flags(), workers=4)
    workers = _connections(running, 4, ending)
    assert {_explained(worker) for worker in workers.values()} == {"go"}
    running.admin("PUT", "/flags/EMERGENCY_ROLLBACK", {"value": "on"})
    for worker in workers.values():
        wait_until(lambda at=worker: _explained(at) == "python")  # type: ignore[misc]
    running.admin("PUT", "/flags/EMERGENCY_ROLLBACK", {"value": None})
    for worker in workers.values():
        wait_until(lambda at=worker: _explained(at) == "go")  # type: ignore[misc]

    listeners = [listen(running, client_id=f"client-{number}") for number in range(12)]
    write(root / "a.md", "1\n", listeners[0])
    (runner,) = _runners(running)
    os.kill(runner, signal.SIGKILL)
    wait_until(lambda: len(_runners(running)) == 2)
    write(root / "a.md", "2\n", listeners[0])
    for listener in listeners:
        wait_until(lambda at=listener: len(at.changes) == 2)  # type: ignore[misc]
        assert listener.changes == running.change_ids()


def _connections(
    running: Backend, count: int, ending: ExitStack
) -> dict[int, http.client.HTTPConnection]:
    """Return a connection to each worker."""
    found: dict[int, http.client.HTTPConnection] = {}

    def another() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        ending.callback(connection.close)
        connection.request("GET", "/healthz")
        found.setdefault(json.load(connection.getresponse())["pid"], connection)
        return len(found) == count

    wait_until(another)
    return found


def _explained(worker: http.client.HTTPConnection) -> str:
    from .world import TOKEN

    worker.request(
        "GET",
        "/go/flags/explain?service=query&subject=a",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    return str(json.load(worker.getresponse())["backend"])


def _runners(running: Backend) -> list[int]:
    """Return the processes that have run the pipeline, one after the other."""
    lines = (re.search(r"runs the pipeline: pid=(\d+)", line) for line in running.log)
    return [int(match[1]) for match in lines if match]


def test_strangers_are_kept_out(root: Path, backend: Callable[..., Backend]) -> None:
    """Of the flags by the token, of the rest, in a browser, by the name of the host."""
    running = backend()
    assert running.ask("GET", "/go/flags")[0] == 401
    wrong = {"Authorization": "Bearer not-the-token-of-the-operator"}
    assert running.ask("POST", "/go/rollback", {}, wrong)[0] == 401
    assert not running.flags.exists()
    status, body = running.ask("GET", "/diffs", headers={"Host": "evil.example"})
    assert (status, "--allow-host evil.example" in body["message"]) == (421, True)
    for host in ("localhost", f"127.0.0.1:{running.port}", f"[::1]:{running.port}"):
        assert running.ask("GET", "/diffs", headers={"Host": host})[0] == 200


def test_it_starts_when_every_service_is_down(
    root: Path, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    flags = {f"USE_GO_{service.name}": "on" for service in Service}
    flags |= {f"GO_{service.name}_TARGET": "127.0.0.1:1" for service in Service}
    running = backend(flags=flags)
    listener = listen(running)
    write(root / "a.md", "milk\n", listener)
    assert running.get("/files?path=" + str(root))["items"][0]["path"] == str(root / "a.md")


def test_it_starts_without_grpcio_case_60(
    tmp_path: Path, root: Path, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    """case 60: everything is Python's, with one warning."""
    (tmp_path / "without" / "grpc").mkdir(parents=True)
    (tmp_path / "without" / "grpc" / "__init__.py").write_text(
        'raise ModuleNotFoundError("No module named \'grpc\'", name="grpc")\n'
    )
    flags = {f"USE_GO_{service.name}": "on" for service in Service}
    paths = filter(None, (str(tmp_path / "without"), os.environ.get("PYTHONPATH")))
    running = backend(flags=flags, environ={"PYTHONPATH": os.pathsep.join(paths)})
    listener = listen(running)
    write(root / "a.md", "milk\n", listener)
    assert running.get("/diffs")["items"][0]["path"] == str(root / "a.md")
    running.stop()
    assert sum("grpc" in line and "WARNING" in line for line in running.log) == 1


def test_it_stops_with_open_streams_and_clients_go_on(
    root: Path, backend: Callable[..., Backend], listen: Callable[..., Listener]
) -> None:
    running = backend()
    listeners = [listen(running) for _ in range(5)]
    write(root / "a.md", "1\n", listeners[0])
    running.stop()
    assert any("Application shutdown complete" in line for line in running.log)
    (root / "a.md").write_text("2\n")  # while nobody looks
    running.start(running.port)
    for listener in listeners:
        wait_until(lambda at=listener: len(at.changes) == 2)  # type: ignore[misc]
        assert listener.changes == running.change_ids()
