"""Kernel notifications, by watchdog where it is installed. They only make paths dirty."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Callable
from typing import Any

__all__ = ["WHY_NOT", "Notifier"]

Touched = Callable[[str, bool, bool], None]
"""Called with a path, whether its content was written, and whether it was moved there."""

_LEAST = (7, 1)  # before, what lies below a directory that was moved in is not watched


def _why_not() -> str:
    try:
        found = importlib.metadata.version("watchdog")
    except importlib.metadata.PackageNotFoundError:
        return "watchdog is not installed: pip install 'obby-clients[watchdog]'"
    if tuple(int(part) for part in found.split(".")[:2]) < _LEAST:
        return f"watchdog {found} is too old: 7.1 or later is needed, for Python 3.11 or later"
    return ""


WHY_NOT = _why_not()
"""Why there are no notifications; empty: there are."""

# What says nothing of names or contents. A directory is modified with every entry.
_SILENT = {"opened", "closed_no_write"}


class Notifier:
    """Tells what is touched below one root. Raises OSError where it cannot."""

    def __init__(self, root: str, touched: Touched) -> None:
        from watchdog.observers import Observer  # noqa: PLC0415 (an extra)

        self._touched, self._stopped = touched, False
        self._observer: Any = Observer()
        handler: Any = self
        self._observer.schedule(handler, root, recursive=True)
        self._observer.start()

    def dispatch(self, event: Any) -> None:
        """Take an event, in watchdog's thread."""
        if (
            self._stopped
            or event.event_type in _SILENT
            or (event.is_directory and event.event_type == "modified")
        ):
            return
        self._touched(os.fsdecode(event.src_path), event.event_type == "closed", False)
        if getattr(event, "dest_path", ""):
            self._touched(os.fsdecode(event.dest_path), False, True)

    @property
    def alive(self) -> bool:
        """Whether none of watchdog's threads has died, as by a warning that is an error."""
        threads = [self._observer, *self._observer.emitters]
        threads.append(getattr(self._observer, "_inotify_fd", self._observer))
        return all(thread.is_alive() for thread in threads)

    def stop(self) -> None:
        """Tell nothing any more; `join` waits until the thread has ended."""
        self._stopped = True
        try:
            self._observer.stop()
        except AttributeError:
            # watchdog 7 ends by itself when the root vanishes; at that moment its own
            # attributes are missing.
            self._observer.stop()

    def join(self) -> None:
        """Wait for the end, without any lock that `touched` takes."""
        self._observer.join()
