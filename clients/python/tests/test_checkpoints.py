"""One program checkpoints at a time: the one with the lock (docs/database.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

import obby_clients as oc
from obby_clients import fallback
from obby_clients._lock import Lock


def test_forgetting_leaves_the_log_to_the_program_that_checkpoints(
    root: Path, tmp_path: Path
) -> None:
    database = tmp_path / "obby.db"
    log = tmp_path / "obby.db-wal"
    with fallback.ContentTracker(database, [root]) as tracker:
        for name in ("a.md", "b.md"):
            (root / name).write_text(f"the secret of {name}\n")
            tracker.track_change(root / name)
        with Lock(f"{database}-checkpoint") as lock:
            assert lock.taken()
            with pytest.raises(oc.UnavailableError, match="remains of it") as caught:
                tracker.forget(root / "a.md", vacuum=True)
        assert caught.value.reason == "DATABASE_BUSY"
        assert log.stat().st_size > 0
        with pytest.raises(oc.NotFoundError):  # it is gone from the history all the same
            tracker.forget(root / "a.md")
        tracker.forget(root / "b.md", vacuum=True)
        assert log.stat().st_size == 0
    assert b"the secret" not in database.read_bytes()
