"""Both sides answer and record the same: over real files, and every difference explained."""

from __future__ import annotations

from pathlib import Path

from .suite import run


def test_parity(tmp_path: Path) -> None:
    report = run(tmp_path.resolve())
    assert report.files >= 500
    assert not report.unexplained, report.table()
