"""Changes while everything runs: the flags file is written, and every process follows.

Nothing is kept in memory alone: a change that only one of four workers knows
would be worse than none. Readers see the old file or the new one.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from .check import near
from .kill import kills, without
from .parse import trimmed
from .source import DamagedError, parse_file
from .variables import KILL_SWITCHES, VARIABLES

try:
    import fcntl
except ImportError:  # not on Windows, where the last of two writers wins
    fcntl = None  # type: ignore[assignment]

__all__ = ["FlagsAdmin"]


class FlagsAdmin:
    """Changes the flags file; every process that reads it follows within a second."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Change the file at `path`, by default that of OBBY_FLAGS_FILE.

        Raises ValueError if there is neither.
        """
        given = os.fspath(path) if path is not None else trimmed(os.environ.get("OBBY_FLAGS_FILE"))
        if not given:
            raise ValueError("no flags file: set OBBY_FLAGS_FILE, for the services' processes too")
        self.path = Path(given)
        """The file; it need not exist yet."""

    def set(self, values: Mapping[str, str | None]) -> None:
        """Set some variables at once; None takes one out of the file.

        Changes nothing where it raises: ValueError for a name or value that nothing
        could read, DamagedError if no process would follow because the file is damaged
        (the kill switch alone can be turned on all the same), OSError if it cannot be
        written.
        """
        for name, value in values.items():
            _check(name, value)
        with self._locked():
            added = [f"{name}={value.strip()}\n" for name, value in values.items() if value]
            kill = 0 < len(added) == len(values) and all(map(kills, added))
            self._write([*self._without(values, kill=kill), *added])

    def rollback(self, on: bool = True) -> None:
        """Turn everything to Python, or take that back; percentages stay as they are.

        Taking it back removes it from the file alone: the environment of a
        process may still have it on.

        Works with a damaged file too; taking it back does not.

        Raises OSError if the file cannot be written, DamagedError if it is damaged and
        `on` is false: whether the last good state has it on, nobody can tell.
        """
        with self._locked():
            lines = self._without(KILL_SWITCHES, kill=on)
            self._write([*lines, f"{KILL_SWITCHES[0]}=on\n"] if on else lines)

    def _without(self, names: Collection[str], *, kill: bool) -> list[str]:
        """Return the lines of the file, as they are without some variables.

        `kill`: the kill switch alone is turned on, which counts in a damaged file too.
        """
        try:
            text = self.path.read_text("utf-8-sig", "surrogateescape")
        except FileNotFoundError:
            return []
        lines = [without(line, names) for line in text.splitlines(keepends=True)]
        if not kill:
            self._refuse_damaged(lines)
        elif lines and lines[-1] and not lines[-1].endswith("\n"):
            lines[-1] += "\n"  # what is appended must be a line of its own
        return lines

    def _refuse_damaged(self, lines: Sequence[str]) -> None:
        """Raise DamagedError where processes would not follow what these lines are part of."""
        text = "".join(line or "\n" for line in lines)  # each line keeps its number
        try:
            text.encode()
            if text:
                parse_file(str(self.path), text)
        except ValueError as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeEncodeError) else error
            raise DamagedError(
                f"nothing is changed: {self.path} is damaged, so running processes keep what"
                f" they last read: {why}; mend it first (`obby-flags rollback` works all the same)"
            ) from error

    def _write(self, lines: list[str]) -> None:
        # Never an empty file: that is what a half written one looks like.
        text = "".join(lines) or "# no overrides\n"
        descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
                file.flush()
                os.fchmod(file.fileno(), self._mode())
                os.fsync(file.fileno())
            os.replace(name, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _mode(self) -> int:
        try:
            return self.path.stat().st_mode & 0o777
        except FileNotFoundError:
            return 0o644  # every process that follows it must be able to read it

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out; readers need no lock, the file is replaced whole.

        What goes wrong meanwhile names the file.
        """
        lock = None
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        except OSError as error:  # of a full disk it names no file, else a temporary one
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        finally:
            if lock is not None:
                os.close(lock)


def _check(name: str, value: str | None) -> None:
    variable = VARIABLES.get(name)
    if variable is None:
        meant = near(name)
        raise ValueError(f"nothing reads {name}" + (f"; is {meant} meant?" if meant else ""))
    if not variable.in_file:
        raise ValueError(f"{name} is read from the environment alone")
    if value is None:
        return
    if (text := trimmed(value)) is None:
        raise ValueError(f"{name} has no value; to take it out of the file, unset it")
    if len(text.splitlines()) > 1:  # the next would set another variable
        raise ValueError(f"{name}: {text!r} has more than one line")
    try:
        variable.parse(text)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
