"""The built services as processes."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import threading
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
START_LIMIT = 60.0  # far beyond what a loaded machine needs


def binary(name: str) -> Path:
    """Return a service's program; skip the test where nobody said that it is built."""
    given = os.environ.get("OBBY_BIN_DIR")
    path = Path(given or REPOSITORY / "bin") / name
    if not path.exists() and given is None:
        pytest.skip(f"{name} is not built: run `make build`, or set OBBY_BIN_DIR")
    return path


class Process:
    """A running service, on free ports."""

    def __init__(self, name: str, *flags: str) -> None:
        self._name, self._flags = name, flags
        self._log: list[str] = []
        self._start("127.0.0.1:0")

    def restart(self) -> None:
        """Start it again, on the same gRPC port, after `kill` or `stop`."""
        self._start(self.target)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self._process.kill()
        self._ended()

    def stop(self) -> None:
        """End it with SIGTERM; it must end well, or have been killed."""
        self._process.terminate()
        self._ended()
        assert self._process.returncode in {0, -signal.SIGKILL}, "".join(self._log)

    def said(self, text: str) -> bool:
        """Tell whether its log has a text."""
        return any(text in line for line in self._log)

    def _start(self, listen: str) -> None:
        hub = self._name == "sse-hub"
        http = ["--http", "127.0.0.1:0", "--history-in-memory"] if hub else []
        self._process = subprocess.Popen(
            [
                *(str(binary(self._name)), *http, *self._flags, "--log-format", "json"),
                *("--listen", listen, "--admin", "127.0.0.1:0"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._reader.start()
        entry = self._logged(lines, "listening")
        self.target, self.http = str(entry["grpc"]), str(entry.get("http", ""))
        if self._name == "content-tracker" and "--watcher" not in self._flags:
            # Else it may record a file that the test has only half written.
            self._logged(lines, "compared with the disk")

    def _read(self, lines: queue.Queue[str | None]) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as log:
            for line in log:
                self._log.append(line)
                lines.put(line)
        lines.put(None)

    def _logged(self, lines: queue.Queue[str | None], text: str) -> dict[str, object]:
        while (line := lines.get(timeout=START_LIMIT)) is not None:
            entry = json.loads(line) if line.startswith("{") else {}
            if text in entry.get("msg", ""):
                return dict(entry)
        raise AssertionError(f"{self._name} did not start: {''.join(self._log)}")

    def _ended(self) -> None:
        self._process.wait(START_LIMIT)
        self._reader.join(START_LIMIT)
