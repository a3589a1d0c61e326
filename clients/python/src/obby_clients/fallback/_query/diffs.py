"""Recorded steps, and the places between them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from ...query.values import Diff
from ...values import ChangeType
from .._paths import decode
from .._problems import field
from .._times import micros_of
from .arguments import STORED_TYPES, Filter, Where
from .reader import Answers, Page, at, time_of, valid

__all__ = ["Position", "Query", "diffs", "last_position"]

_MAX_TEXT = (3 << 20) - (64 << 10)
_TYPES = {text: type_ for type_, text in STORED_TYPES.items()}

# The steps of the page are picked first, so that nothing is sorted with its text, which
# is cut in SQL too. Of an empty blob substr makes NULL.
_SELECT = f"""SELECT d.id, d.file_path, ifnull(o.old_path, ''), d.change_type,
    ifnull(d.old_version_id, 0), ifnull(d.new_version_id, 0),
    CAST(ifnull(d.lines_added, 0) AS INTEGER), CAST(ifnull(d.lines_removed, 0) AS INTEGER),
    {at("d.timestamp")}, ifnull(o.truncated, 0),
    ifnull(substr(CAST(d.diff_content AS BLOB), 1, ?1), x'')
FROM (SELECT id FROM content_diffs{{where}} ORDER BY id{{order}} LIMIT ?) picked
JOIN content_diffs d ON d.id = picked.id
LEFT JOIN obby_diffs o ON o.diff_id = d.id
ORDER BY picked.id{{order}}"""

# AUTOINCREMENT keeps the largest id there ever was, also of a deleted row.
_LAST = """SELECT
    max(ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'content_diffs'), 0),
        ifnull((SELECT max(id) FROM content_diffs), 0)),
    ifnull((SELECT value FROM obby_meta WHERE key = 'database_id'), '')"""

_TIME = f"SELECT {at('timestamp')} FROM content_diffs WHERE id = ?"


@dataclass(frozen=True, slots=True)
class Query:
    """Which steps are wanted. `after` and `before` exclude themselves; 0 is open."""

    filter: Filter
    text: bool
    after: int = 0
    before: int = 0
    oldest_first: bool = False


def diffs(answers: Answers, query: Query, limit: int) -> Page:
    """Return a page of steps."""
    where = Where()
    if query.after:
        where.add("id > ?", query.after)
    if query.before:
        where.add("id < ?", query.before)
    query.filter.apply(answers, where)
    statement = _SELECT.format(where=where, order="" if query.oldest_first else " DESC")
    # Enough that no character is cut in half where the text is longer than what is given.
    text = _MAX_TEXT + 4 if query.text else 0
    return answers.page(statement, [text, *where.args], limit, _diff)


def _diff(row: tuple[Any, ...]) -> Diff:
    text, cut = _cut(row[10])
    return Diff(
        change_id=row[0],
        path=decode(row[1]),
        old_path=decode(row[2]) or None,
        change_type=_TYPES.get(row[3], ChangeType.UNSPECIFIED),
        old_version_id=row[4] or None,
        new_version_id=row[5] or None,
        lines_added=row[6],
        lines_removed=row[7],
        observe_time=time_of(row[8]),
        diff=text,
        truncated=bool(row[9]) or cut,
    )


def _cut(stored: bytes) -> tuple[str, bool]:
    data = valid(stored.decode("utf-8", "surrogateescape")).encode()
    if len(data) <= _MAX_TEXT:
        return data.decode(), False
    return data[:_MAX_TEXT].decode(errors="ignore"), True


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the record of steps: after the one with this id."""

    id: int
    database: str
    """Identity of the database; empty: it bears none yet."""
    time: int = 0
    """Of the step, microseconds since the Unix epoch; 0: not known."""

    @staticmethod
    def behind(diff: Diff, database: str) -> Position:
        """Return the position of a step."""
        when = diff.observe_time
        return Position(diff.change_id, database, micros_of(when) if when else 0)

    # The tokens are the Go service's: a stream can change over from one side to the other.
    def token(self) -> str:
        """Return the cursor for this place."""
        text = json.dumps(
            {"ID": self.id, "Database": self.database, "Time": self.time},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        return base64.urlsafe_b64encode(_METHOD + text.encode()).rstrip(b"=").decode()

    @staticmethod
    def resumed(token: str, last: Position, answers: Answers) -> Position:
        """Read a cursor; refuse one whose step's id was given to another step since.

        A database that was restored from an older copy does that.
        """
        found = Position.of(token, last)
        if found.time and observed(answers, found.id) not in {0, found.time}:
            raise _unknown()
        return found

    @staticmethod
    def of(token: str, last: Position) -> Position:
        """Read a cursor; refuse one that this database never made."""
        try:
            data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            parts = json.loads(data[len(_METHOD) :])
            found = Position(int(parts["ID"]), str(parts["Database"]), int(parts.get("Time", 0)))
        except (ValueError, KeyError, TypeError, binascii.Error):
            raise _unknown() from None
        foreign = found.database not in {"", last.database}
        if data[: len(_METHOD)] != _METHOD or foreign or not 0 <= found.id <= last.id:
            raise _unknown()
        return found


_METHOD = hashlib.sha256(b"obby.query.v1.GetDiffsSinceRequest").digest()[:8]


def _unknown() -> Exception:
    return field("resume_token", "not a token of this database: start again with since_time")


def last_position(answers: Answers) -> Position:
    """Return the position of the last step that was ever recorded."""
    id_, database = answers.row(_LAST)
    return Position(id_, database, observed(answers, id_))


def observed(answers: Answers, step: int) -> int:
    """Return a step's time in microseconds since the Unix epoch; 0: none, or unreadable."""
    found = answers.rows(_TIME, [step]).fetchone()
    when = found and time_of(found[0])
    return micros_of(when) if when else 0
