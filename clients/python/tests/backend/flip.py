"""The flip test: the kill switch goes on and off while everybody works.

    python -m tests.backend.flip --flips 10 --clients 20 --kill

The four Go services run as processes, files are edited without a pause, clients listen
to the events. Afterwards the database is compared with the disk, every stored diff is
applied, and what each client received is compared with what was committed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

import obby_clients as oc
from obby_clients import hub

from ..conftest import wait_until
from .flip_checks import Report, check_events, check_history, check_same, hash_of
from .world import Backend, GoServices, Listener

_PROGRESS = 5  # changes that everybody receives between two flips
KILLED = ("file-watcher", "content-tracker", "sse-hub", "query-service")


class Editor(threading.Thread):
    """Edits files of its own, without a pause that would let anything settle."""

    def __init__(self, folder: Path, seed: int, files: int) -> None:
        super().__init__(daemon=True)
        self._random = random.Random(seed)
        self._paths = [folder / f"{seed}-{number}.md" for number in range(files)]
        self._stopped = threading.Event()
        self.edits = 0

    def run(self) -> None:
        while not self._stopped.wait(0.01):
            self._edit(self._random.choice(self._paths))
            self.edits += 1

    def stop(self) -> None:
        """Make the last edit."""
        self._stopped.set()
        self.join()

    def _edit(self, path: Path) -> None:
        if not path.exists():
            path.write_text("".join(f"line {n}\n" for n in range(self._random.randrange(1, 20))))
            return
        action = self._random.randrange(12)
        if action == 0:
            path.unlink()
        elif action == 1:
            path.rename(self._random.choice(self._paths))
        elif action == 2:  # never again: what is missed of it stays missed
            path.with_name(f"once-{path.stem}-{self.edits}.md").write_text(f"{self.edits}\n")
        else:
            lines = path.read_bytes().splitlines(keepends=True)
            end = self._random.choice([b"\n", b"\n", b"\r\n", b""])
            lines.insert(self._random.randrange(len(lines) + 1), b"edit %d" % self.edits + end)
            del lines[: max(0, len(lines) - 60)]
            path.write_bytes(b"".join(lines))


@contextmanager
def _editing(root: Path, editors: int, files: int) -> Iterator[list[Editor]]:
    at_work = [Editor(root, seed, files) for seed in range(editors)]
    for editor in at_work:
        editor.start()
    try:
        yield at_work
    finally:
        for editor in at_work:
            editor.stop()


@contextmanager
def _world(folder: Path, clients: int) -> Iterator[tuple[Backend, GoServices, list[Listener]]]:
    root = (folder / "notes").resolve()
    root.mkdir()
    (root / ".obbywatch").write_text("*.md\n")
    go = GoServices(folder / "obby.db", root)
    try:
        backend = Backend(folder, root, flags=go.flags())
        try:
            listeners = [Listener(backend.port, client_id=f"client-{n}") for n in range(clients)]
            for listener in listeners:
                assert listener.ready.wait(60), "a client could not listen"
            yield backend, go, listeners
            for listener in listeners:
                listener.close()
        finally:
            backend.stop()
    finally:
        go.stop()


def run(
    folder: Path, *, flips: int, clients: int, editors: int = 3, files: int = 12, kill: bool = False
) -> Report:
    """Run the test in an empty folder."""
    report = Report(flips=flips, clients=clients)
    with _world(folder, clients) as (backend, go, listeners):
        root = folder.resolve() / "notes"
        direct = _Direct(go["sse-hub"].target)
        with _editing(root, editors, files) as at_work:
            for number in range(flips):
                _flip(backend, listeners, on=True)
                _flip(backend, listeners, on=False)
                listeners[number % clients].hang_up()
                if kill:
                    victim = go[KILLED[number % len(KILLED)]]
                    with _progress(listeners):
                        victim.kill()
                    with _progress(listeners):
                        victim.restart()
                        wait_until(lambda: _watched_by(backend) == "go")
                    report.kills += 1
        report.edits = sum(editor.edits for editor in at_work)
        _settle(backend, root)
        newest = backend.change_ids()[-1]
        for listener in listeners:
            wait_until(partial(_has, listener, newest))
        if not kill:
            wait_until(lambda: newest in direct.changes)
        direct.close()
        report.watcher_handovers = len(backend.handovers()) - 1
        check_history(backend, report)
        check_events(backend, listeners, report)
        report.files = len(list(root.glob("*.md")))
        report.events_on_the_go_hub = len(direct.changes)
        if not kill:
            check_same("the Go hub", backend.change_ids(), direct.changes, report)
    return report


class _Direct(threading.Thread):
    """A subscriber of the Go hub itself, as a browser on its page is."""

    def __init__(self, target: str) -> None:
        super().__init__(daemon=True)
        self._client = oc.SSEHubClient(target)
        self._stream = self._client.subscribe("changes", last_count=1000).connect()
        self.changes: list[int] = []
        self.start()

    def run(self) -> None:
        try:
            for item in self._stream:
                if isinstance(item, hub.Event):
                    self.changes.append(int(json.loads(item.data)["change_id"]))
        except oc.ObbyError:
            pass  # the client is closed, or its hub was killed

    def close(self) -> None:
        self._stream.close()
        self._client.close()
        self.join(60)


def _flip(backend: Backend, listeners: list[Listener], *, on: bool) -> None:
    """Turn the kill switch, and let everybody live with it for some changes."""
    with _progress(listeners):
        backend.rollback(on=on)
        wait_until(lambda: _watched_by(backend) == ("python" if on else "go"))


@contextmanager
def _progress(listeners: list[Listener]) -> Iterator[None]:
    """Do something, and leave when everybody has received some more changes."""
    yield
    before = [len(listener.changes) for listener in listeners]
    for listener, seen in zip(listeners, before, strict=True):
        wait_until(partial(_has_more, listener, seen + _PROGRESS))


def _watched_by(backend: Backend) -> str:
    return backend.handovers()[-1].split()[0]


def _has(listener: Listener, change: int) -> bool:
    return change in listener.changes[-1:]


def _has_more(listener: Listener, least: int) -> bool:
    return len(listener.changes) >= least


def _settle(backend: Backend, root: Path) -> None:
    """Wait until the head of every path is what is on the disk."""

    def settled() -> bool:
        heads = dict(backend.rows("SELECT file_path, content_hash FROM file_states"))
        disk = {str(path): hash_of(path) for path in root.glob("*.md")}
        return {path: head for path, head in heads.items() if head} == disk

    wait_until(settled)


def main() -> int:
    """Run it from the command line; print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=10)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--editors", type=int, default=3)
    parser.add_argument("--kill", action="store_true", help="kill -9 a Go service in each flip")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = run(
            Path(folder),
            flips=given.flips,
            clients=given.clients,
            editors=given.editors,
            kill=given.kill,
        )
    for name, value in asdict(report).items():
        print(f"{name.replace('_', ' '):<22} {value}")
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
