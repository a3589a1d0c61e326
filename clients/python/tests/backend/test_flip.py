"""The flip test, small; `make flip` runs it in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from .flip import run


@pytest.mark.parametrize("kill", [False, True], ids=["all alive", "kill -9"])
def test_flips_lose_and_repeat_nothing(kill: bool, tmp_path: Path) -> None:
    report = run(tmp_path, flips=4, clients=20, kill=kill)
    print(report)
    assert report.problems == []
    assert report.events_received == report.changes * report.clients
