"""The file-watcher in Python: it passes the scripts of the service's own tests."""

from __future__ import annotations

import ast
import os
import shutil
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from obby_clients import fallback, watcher
from obby_clients.fallback._notify import WHY_NOT
from obby_clients.watcher import ChangeType, EntryKind, WatchMethod

from .processes import REPOSITORY

SCRIPTS = sorted((REPOSITORY / "file-watcher/internal/watch/testdata/script").glob("*.txt"))
NEVER = 86_400.0

# Scripts whose events differ where the root is polled, and why; the state is right.
POLLED = {
    "file-attributes.txt": "a change of mode shows in nothing but the time that a write changes",
    "rename-chain.txt": "a file that was away and came back has another time of change",
}
# Without watchdog every root is polled.
METHODS = (WatchMethod.POLL,) if WHY_NOT else (WatchMethod.NOTIFY, WatchMethod.POLL)
UNSUPPORTED = {"rest", "overflow", "lose"}  # they reach into the service


class Script:
    """Runs one script: see script_test.go for the commands."""

    def __init__(self, path: Path, folder: Path, method: WatchMethod) -> None:
        self.lines = path.read_text("utf-8").split("\n")
        self.folder, self.method = folder, method
        self.watcher = fallback.FileWatcher(
            debounce=NEVER, method=method, poll_interval=NEVER, rescan_interval=NEVER
        )
        self.stream = self.watcher.events()
        self.ids: dict[str, str] = {}
        self.roots: dict[str, str] = {}
        self.noticed: set[str] = set()
        self.barriers = 0
        self.state: dict[str, bool] = {}

    def run(self) -> None:
        with self.watcher:
            at = 0
            while at < len(self.lines):
                line, at = self.lines[at], at + 1
                words = line.split(" ")
                if not line or words[0] == "#":
                    continue
                expected = []
                while at < len(self.lines) and self.lines[at].startswith("> "):
                    expected.append(self.lines[at][2:])
                    at += 1
                self.command(line, words[0], words[1:], sorted(expected))

    def command(self, line: str, name: str, args: list[str], expected: list[str]) -> None:
        if hasattr(self, f"do_{name}"):
            getattr(self, f"do_{name}")(*args)
        elif name == "settle":
            self.sync()
            self.watcher._watcher.flush()
            got = sorted(self.events())
            assert got == expected, f"{line}: {got}, not {expected}"
        elif name not in {"freeze", "watches"}:
            self.disk(name, args)

    def path(self, text: str) -> Path:
        return self.folder / os.fsdecode(unescaped(text))

    def disk(self, name: str, args: list[str]) -> None:
        path = self.path(args[-1] if name in {"symlink", "chmod"} else args[0])
        text = unescaped(" ".join(args[1:]))
        match name:
            case "write":
                path.write_bytes(text)
            case "append":
                with path.open("ab") as file:
                    file.write(text)
            case "mkdir":
                path.mkdir(parents=True, exist_ok=True)
            case "rmdir":
                path.rmdir()
            case "rm":
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
            case "mv":
                path.rename(self.path(args[1]))
            case "link":
                os.link(path, self.path(args[1]))
            case "symlink":
                path.symlink_to(args[0])
            case "mkfifo":
                os.mkfifo(path)
            case _:
                self.attributes(name, path, args)

    def attributes(self, name: str, path: Path, args: list[str]) -> None:
        match name:
            case "chmod":
                path.chmod(int(args[0], 8))
            case "touch":
                os.utime(path, (1e9, 1e9))
            case "grow":
                os.truncate(path, int(args[1]))
            case _:
                raise AssertionError(f"no such command: {name}")

    def do_watch(self, root: str) -> None:
        self.ids[root] = self.watcher.start_watching(self.path(root)).watch.watch_id
        self.roots[self.ids[root]] = root
        for path in self.path(root).rglob("*"):
            self.state[str(path)] = True

    def do_unwatch(self, root: str) -> None:
        self.watcher.stop_watching(self.ids.pop(root))

    def do_patterns(self, root: str, *patterns: str) -> None:
        given = watcher.PatternSet(patterns) if patterns else None
        self.watcher.update_patterns(self.ids[root], given)

    def do_status(self, root: str, state: str, *text: str) -> None:
        (found,) = (w for w in self.watcher.list_watches() if w.watch_id == self.ids[root])
        assert found.state.name.lower() == state
        assert " ".join(text) in found.status_message

    def do_directories(self, root: str, number: str) -> None:
        (found,) = (w for w in self.watcher.list_watches() if w.watch_id == self.ids[root])
        assert found.directory_count == int(number)

    def do_state(self) -> None:
        """What the events say is what is on disk, for the files that are watched."""
        for root in self.watcher._watcher._roots:
            if root.tree.top is None:
                continue
            told = {root.tree.full(rel) for rel in root.tree.files}
            there = {
                str(path)
                for path in Path(root.tree.path).rglob("*")
                if stat.S_ISREG(path.lstat().st_mode)
                and root.tree.patterns.match(root.tree.rel(str(path)))
                and os.path.realpath(path) == str(path)
            }
            assert told == there

    def sync(self) -> None:
        """Wait until everything that was done has been notified."""
        if self.method is WatchMethod.POLL:
            return
        for root in self.watcher._watcher._roots:
            with self.watcher._watcher._lock:
                self.watcher._watcher._look(root)
            if root.notifier is None:
                continue
            self.barriers += 1
            barrier = f"{root.tree.path}/.barrier-{self.barriers}"
            seen = threading.Event()
            notifier, before = root.notifier, root.notifier._touched

            def touched(
                path: str, *what: bool, b: str = barrier, t: Any = before, s: Any = seen
            ) -> None:
                if path == b:
                    s.set()
                t(path, *what)

            notifier._touched = touched
            Path(barrier).touch()
            assert seen.wait(60)
            notifier._touched = before
            Path(barrier).unlink()

    def events(self) -> Iterator[str]:
        assert self.stream._source is not None
        while (event := self.stream._source.take()) is not None:
            assert isinstance(event, watcher.Event)
            yield self.written(event)

    def by(self, event: watcher.Event) -> str:
        """Name the root where several are watched."""
        return f" by {self.roots[event.watch_id]}" if len(self.roots) > 1 else ""

    def written(self, event: watcher.Event) -> str:
        slash = "/" if event.kind is EntryKind.DIRECTORY else ""
        name = self.escaped(event.path) + slash
        if event.change_type is ChangeType.RENAMED:
            assert event.old_path is not None
            name = f"{self.escaped(event.old_path)}{slash} -> {name}"
        return (
            f"{event.change_type.name.lower()} {name}{' initial' * event.initial}{self.by(event)}"
        )

    def escaped(self, path: str) -> str:
        name = os.fsencode(os.path.relpath(path, self.folder))
        return name.decode("utf-8", "backslashreplace").replace("\n", "\\n")


def unescaped(text: str) -> bytes:
    if "\\" not in text:
        return text.encode()
    made = ast.literal_eval(f"b'{text}'" if "\\u" not in text else f"'{text}'")
    return made if isinstance(made, bytes) else made.encode()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Any, Future[None]]]:
    """Run every script at once: each waits for the kernel most of the time."""
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(16) as pool:
        # A missing root is looked for by `sync` alone, not between two lines of a script.
        patch.setattr("obby_clients.fallback._watching._BACK_EVERY", NEVER)
        started = {}
        for path in SCRIPTS:
            for method in METHODS:
                folder = tmp_path_factory.mktemp(path.stem).resolve()
                script = Script(path, folder, method)
                started[path.name, method] = pool.submit(script.run)
        yield started


def scripts() -> Iterator[Any]:
    for path in SCRIPTS:
        title = path.read_text("utf-8").partition("\n")[0].removeprefix("# ")
        words = {line.split(" ")[0] for line in path.read_text("utf-8").split("\n")}
        if words & UNSUPPORTED:
            continue
        for method in METHODS:
            if method is WatchMethod.NOTIFY or path.name not in POLLED:
                yield pytest.param(path.name, method, id=f"{title}, {method.name.lower()}")


@pytest.mark.parametrize(("name", "method"), list(scripts()))
def test_script(runs: dict[Any, Future[None]], name: str, method: WatchMethod) -> None:
    runs[name, method].result()
