"""What was compared, what differed, and why that is as it should be."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Report"]

_SHOWN = 20  # unexplained differences that are shown of an operation


@dataclass
class Line:
    """What came of an operation, or of a table."""

    compared: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    unexplained: list[str] = field(default_factory=list)


@dataclass
class Report:
    """Counts by operation and by table."""

    files: int = 0
    lines: dict[str, Line] = field(default_factory=dict)

    def count(self, name: str, n: int = 1) -> None:
        """Note that answers or rows were compared."""
        self._line(name).compared += n

    def explained(self, name: str, why: str) -> None:
        """Note a difference that is as it should be."""
        self._line(name).explained[why] += 1

    def differs(self, name: str, what: str) -> None:
        """Note a difference that nobody can explain."""
        self._line(name).unexplained.append(what)

    def _line(self, name: str) -> Line:
        return self.lines.setdefault(name, Line())

    @property
    def unexplained(self) -> list[str]:
        """Every difference without an explanation."""
        return [f"{name}: {what}" for name, line in self.lines.items() for what in line.unexplained]

    def json(self) -> str:
        """Return all of it for a program."""
        return json.dumps(
            {
                "files": self.files,
                "compared": sum(line.compared for line in self.lines.values()),
                "explained": sum(sum(line.explained.values()) for line in self.lines.values()),
                "unexplained": len(self.unexplained),
                "operations": {
                    name: {
                        "compared": line.compared,
                        "explained": dict(line.explained),
                        "unexplained": line.unexplained[:_SHOWN],
                    }
                    for name, line in self.lines.items()
                },
            },
            indent=1,
            ensure_ascii=False,
        )

    def table(self) -> str:
        """Return all of it for a person."""
        rows = [f"{'operation or table':34} {'compared':>9} {'explained':>9} {'unexplained':>11}"]
        for name, line in self.lines.items():
            explained = sum(line.explained.values())
            rows.append(f"{name:34} {line.compared:9} {explained:9} {len(line.unexplained):11}")
            rows += [f"    {n} explained: {why}" for why, n in line.explained.items()]
            rows += [f"    DIFFERS {what}" for what in line.unexplained[:_SHOWN]]
        return "\n".join([f"{self.files} files", *rows])
