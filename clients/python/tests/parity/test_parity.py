"""Both sides answer and record the same: over real files, and every difference explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from .queries import ask_all, databases
from .report import Report
from .suite import run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    folder = tmp_path_factory.mktemp("parity").resolve()
    return folder, run(folder)


def test_parity(recorded: tuple[Path, Report]) -> None:
    _, report = recorded
    assert report.files >= 500
    assert not report.unexplained, report.table()


@pytest.mark.parametrize("number", range(3))
def test_parity_of_queries(recorded: tuple[Path, Report], number: int) -> None:
    # Of databases that Go made, that Python made, and in which Go never ran.
    report = Report()
    ask_all(report, databases(recorded[0])[number])
    assert not report.unexplained, report.table()
