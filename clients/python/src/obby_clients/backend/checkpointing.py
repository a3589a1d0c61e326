"""Copies the write-ahead log into the database, while no content-tracker does it.

Nobody else would: every connection leaves it alone, so that no two checkpoint at one
instant, which can corrupt the file. Whoever does it has a lock on a file beside the
database; a content-tracker keeps that while it runs.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from contextlib import closing

from .._lock import Lock

__all__ = ["checkpoint", "checkpoint_now"]

_LOG = logging.getLogger("obby_clients.backend")
_EVERY = 1.0  # seconds
_LARGE = 64 << 20  # bytes of the log from which it is truncated, as the content-tracker does


async def checkpoint(database: str) -> None:
    """Checkpoint about once a second while something was written, until cancelled."""
    copied: object = None
    while True:
        await asyncio.sleep(_EVERY)
        state = _state(database)
        if state is None or state == copied:
            continue
        try:
            if await asyncio.to_thread(checkpoint_now, database):
                copied = state  # of before: a write meanwhile shows the next time
        except (OSError, sqlite3.Error) as error:
            _LOG.warning("write-ahead log is not checkpointed: %s", error)


def checkpoint_now(database: str, *, large: int = _LARGE) -> bool:
    """Checkpoint if nobody else is to; return whether the whole log was copied."""
    with Lock(f"{database}-checkpoint") as lock:
        if not lock.taken():
            return False
        # An own connection without patience: while TRUNCATE waits, writers wait for it.
        with closing(sqlite3.connect(database, timeout=0.1, isolation_level=None)) as connection:
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            done = _run(connection, "PASSIVE")
            if os.stat(f"{database}-wal").st_size > large:
                done = _run(connection, "TRUNCATE")
        return done


def _run(connection: sqlite3.Connection, mode: str) -> bool:
    busy, frames, copied = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    return not busy and frames == copied


def _state(database: str) -> object:
    """Return what changes when the log is written to; None: there is nothing to copy."""
    try:
        status = os.stat(f"{database}-wal")
    except FileNotFoundError:
        return None
    return (status.st_size, status.st_mtime_ns) if status.st_size else None
