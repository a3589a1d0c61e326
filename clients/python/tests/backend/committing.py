"""A database in which changes are committed, without a backend."""

from __future__ import annotations

from pathlib import Path

from obby_clients.changes import Change, Changes
from obby_clients.fallback import ContentTracker

__all__ = ["World"]


class World:
    """A database with some changes."""

    def __init__(self, folder: Path, root: Path) -> None:
        self._file = root / "a.md"
        self._count = 0
        self.tracker = ContentTracker(folder / "obby.db", [root])
        self.changes = Changes(folder / "obby.db", [root])

    def change(self, times: int = 1) -> list[Change]:
        """Commit some changes; return them."""
        before = self.changes.newest()
        for _ in range(times):
            self._count += 1
            self._file.write_text(f"{self._count}\n")
            self.tracker.track_change(self._file)
        return self.changes.after(before)
