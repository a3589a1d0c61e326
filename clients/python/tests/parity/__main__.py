"""Prints the parity report: `python -m tests.parity [--json]` in clients/python."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from .queries import ask_all, prepared
from .suite import run

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        report = run(place, lambda step: print(step, "...", file=sys.stderr))
        for database in prepared(place):
            print("questions about", database.relative_to(place), "...", file=sys.stderr)
            ask_all(report, database)
    print(report.json() if "--json" in sys.argv[1:] else report.table())
    sys.exit(bool(report.unexplained))
