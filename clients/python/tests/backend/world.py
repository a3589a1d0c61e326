"""A backend as a process, the Go services beside it, and clients that listen."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from obby_clients.flags import Service, bucket

from ..conftest import wait_until
from ..processes import START_LIMIT, Process

TOKEN = "a-token-of-the-operator"
SERVICES = {
    "file-watcher": "FILE_WATCHER",
    "content-tracker": "CONTENT_TRACKER",
    "query-service": "QUERY_SERVICE",
    "sse-hub": "SSE_HUB",
}
SHARES = ("WATCHER", "TRACKER", "QUERY", "SSE")


class Backend:
    """A running `obby-backend` on a free port."""

    def __init__(
        self,
        folder: Path,
        *roots: Path,
        flags: dict[str, str] | None = None,
        workers: int = 1,
        environ: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.database = folder, folder / "obby.db"
        self._roots, self._workers = roots, workers
        self._environ = {**os.environ, **(environ or {})}
        self.flags = folder / "flags"
        self.log: list[str] = []
        (folder / "token").write_text(TOKEN)
        if flags is not None:
            self.write_flags(flags)
        self.start()

    def write_flags(self, values: dict[str, str]) -> None:
        """Write the flags file, as an operator does by hand."""
        new = self.flags.with_suffix(".new")
        new.write_text("".join(f"{name}={value}\n" for name, value in values.items()) or "#\n")
        os.replace(new, self.flags)

    def start(self, port: int = 0) -> None:
        """Start it, on a free port unless one is given."""
        command = [sys.executable, "-m", "obby_clients.backend.main", "--port", str(port)]
        command += ["--database", str(self.database), "--flags-file", str(self.flags)]
        command += ["--admin-token-file", str(self.folder / "token"), "--debounce", "0.05"]
        command += ["--workers", str(self._workers), "--stop-timeout", "30"]
        for root in self._roots:
            command += ["--root", str(root)]
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=self._environ
        )
        lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        started, self.port = 0, 0
        while started < self._workers or not self.port:
            line = lines.get(timeout=START_LIMIT)
            if line is None:
                self.process.wait(START_LIMIT)
                raise AssertionError("".join(self.log))
            started += "Application startup complete" in line
            if found := re.search(r"running on http://[^:]+:(\d+)", line):
                self.port = int(found[1])

    def _read(self, lines: queue.Queue[str | None]) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as log:
            for line in log:
                self.log.append(line)
                lines.put(line)
        lines.put(None)

    def stop(self) -> None:
        """End it with SIGTERM, unless it has ended; it must end well."""
        self.process.terminate()
        self.process.wait(START_LIMIT)
        self._reader.join(START_LIMIT)
        assert self.process.returncode in {0, -signal.SIGTERM}, "".join(self.log)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.process.kill()
        self.process.wait(START_LIMIT)
        self._reader.join(START_LIMIT)

    def get(self, path: str, **headers: str) -> Any:
        """Return the JSON of an operation that must succeed."""
        status, body = self.ask("GET", path, headers=headers)
        assert status == 200, (status, body)
        return body

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Return the status and the JSON of an operation."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json", **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith(("{", "[")) else text

    def admin(self, method: str, path: str, body: Any = None) -> Any:
        """Return the JSON of an operator's operation that must succeed."""
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        status, answer = self.ask(method, f"/go{path}", body, bearer)
        assert status == 200, (status, answer)
        return answer

    def rollback(self, *, on: bool) -> None:
        """Turn the kill switch on or off."""
        self.admin("POST", "/rollback", {"on": on})

    def rows(self, statement: str, *args: Any) -> list[Any]:
        """Return what a query of the database gives."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=30)
        try:
            return connection.execute(statement, args).fetchall()
        finally:
            connection.close()

    def handovers(self) -> list[str]:
        """Return who has watched the roots, one after the other, as `go /path`."""
        found = (re.search(r"root is watched by (go|python): (\S+)", line) for line in self.log)
        return [f"{match[1]} {match[2]}" for match in found if match]

    def change_ids(self) -> list[int]:
        """Return the ids of the committed changes."""
        return [row[0] for row in self.rows("SELECT id FROM content_diffs ORDER BY id")]


class GoServices:
    """The four Go services, on one database and free ports."""

    def __init__(self, database: Path, *roots: Path) -> None:
        tracked = [part for root in roots for part in ("--root", str(root))]
        self.processes = {
            "content-tracker": Process("content-tracker", "--database", str(database), *tracked),
            "query-service": Process("query-service", "--database", str(database)),
            "file-watcher": Process("file-watcher", "--debounce", "50ms"),
            "sse-hub": Process("sse-hub"),
        }

    def __getitem__(self, name: str) -> Process:
        return self.processes[name]

    def flags(self, percentage: int | None = None) -> dict[str, str]:
        """Return the flags that turn them all on, for so many percent."""
        flags = {}
        for name, variable in SERVICES.items():
            flags[f"USE_GO_{variable}"] = "on"
            flags[f"GO_{variable}_TARGET"] = self[name].target
        if percentage is not None:
            flags |= {f"GO_{share}_ROLLOUT_PERCENTAGE": str(percentage) for share in SHARES}
        return flags

    def stop(self) -> None:
        """End them well."""
        for process in reversed(self.processes.values()):
            process.stop()


@dataclass
class Frame:
    """One Server-Sent Event, or an id alone."""

    event: str = ""
    data: str = ""
    id: str = ""


@dataclass
class Listener:
    """An EventSource: it comes back with its last id until it is closed."""

    port: int
    path: str = "/events"
    client_id: str = ""
    last_id: str = ""
    changes: list[int] = field(default_factory=list)
    resets: list[str] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.began = ""  # the id after which it listens
        self.ready = threading.Event()
        self._closed = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up for good."""
        self._closed.set()
        self.hang_up()
        self._thread.join(START_LIMIT)
        assert not self._thread.is_alive(), "the listener did not end"

    def hang_up(self) -> None:
        """Lose the connection."""
        connection = self._connection
        if connection is not None and connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                for frame in self._frames():
                    self._take(frame)
            except (OSError, http.client.HTTPException, ValueError):
                self._closed.wait(0.05)  # as an EventSource does

    def _take(self, frame: Frame) -> None:
        if frame.id:
            self.last_id = frame.id
            self.began = self.began or frame.id
            self.ready.set()
        if frame.event == "reset":
            self.resets.append(json.loads(frame.data)["reason"])
        elif frame.event:
            self.changes.append(int(json.loads(frame.data)["change_id"]))

    def _frames(self) -> Iterator[Frame]:
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        if self.client_id:
            headers["Cookie"] = f"obby_client={self.client_id}"
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        ) as self._connection:
            self._connection.request("GET", self.path, headers=headers)
            with self._connection.getresponse() as answer:
                assert answer.status == 200, answer.status
                self.connections += 1
                yield from _parsed(answer)


def _parsed(lines: http.client.HTTPResponse) -> Iterator[Frame]:
    """Read the stream's format; what is not complete does not count."""
    frame = Frame()
    for raw in iter(lines.readline, b""):
        line = raw.decode().rstrip("\n")
        if not line:
            yield frame
            frame = Frame()
        name, _, value = line.partition(": ")
        if name in {"event", "data", "id"}:
            setattr(frame, name, value)


def ids_on(service: Service, percentage: int, *, inside: bool, form: str = "client-{}") -> str:
    """Return a subject that is, or is not, among a percentage."""
    for number in range(1_000):
        subject = form.format(number)
        if (bucket(service.flag, subject) < percentage * 100) is inside:
            return subject
    raise AssertionError("no such subject")


def write(path: Path, text: str, listener: Listener) -> None:
    """Change a file, and wait until the change has been told."""
    seen = len(listener.changes)
    put(path, text)
    wait_until(lambda: len(listener.changes) > seen)


def put(path: Path, text: str) -> None:
    """Write a file whole: an empty one is a state of its own, for whoever looks just then."""
    new = path.with_suffix(".new")  # matches no pattern
    new.write_text(text)
    new.replace(path)
