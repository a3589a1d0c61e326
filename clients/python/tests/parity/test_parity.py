"""Both sides answer and record the same: over real files, and every difference explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from .queries import QUESTIONS, ask_all, prepared
from .report import Report
from .suite import run


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Report, list[Path]]:
    folder = tmp_path_factory.mktemp("parity").resolve()
    return run(folder), prepared(folder)


def test_parity(recorded: tuple[Report, list[Path]]) -> None:
    report, _ = recorded
    assert report.files >= 500
    assert not report.unexplained, report.table()


# Of databases that Go made, that Python made, and in which Go never ran. Every question is
# asked by `make parity`.
@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize(("number", "every"), [(0, 2), (1, 5), (2, 1)])
def test_parity_of_queries(
    recorded: tuple[Report, list[Path]], number: int, every: int, name: str
) -> None:
    report = Report()
    ask_all(report, recorded[1][number], [name], every=every)
    assert report.lines[name].compared
    assert not report.unexplained, report.table()
