"""Prints the parity report: `python -m tests.parity [--json]` in clients/python."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .suite import run

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        report = run(Path(folder).resolve(), lambda step: print(step, "...", file=sys.stderr))
    print(report.json() if "--json" in sys.argv[1:] else report.table())
    sys.exit(bool(report.unexplained))
