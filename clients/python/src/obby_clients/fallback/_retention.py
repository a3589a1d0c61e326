"""Thinning out the history: what rules keep, and how what they keep is joined."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ..errors import ObbyError
from ..tracker.values import RetentionRule, Thinned
from . import _past
from ._past import Join, PastStep, Thinning
from ._paths import decode, encode, quote
from ._patterns import Patterns
from ._problems import Stale, field
from ._steps import CREATED, MOVED
from ._times import datetime_of
from ._tracking import Tracker

__all__ = ["check_rule", "name_in_diff", "retain"]

_LOG = logging.getLogger("obby_clients.fallback")
_TRIES = 5

# What tells the periods of a rule apart, by the local time of a step.
_PERIODS: dict[str, Callable[[datetime], str]] = {
    "hourly": lambda when: when.strftime("%Y-%m-%d %H %z"),
    "daily": lambda when: when.strftime("%Y-%m-%d"),
    "weekly": lambda when: when.strftime("%G %V"),
    "monthly": lambda when: when.strftime("%Y-%m"),
}


class _UndoneError(Exception):
    """Takes back a transaction that was only to count."""


@dataclass(slots=True)
class _History:
    """A path's steps, oldest first, and which of them are kept."""

    steps: list[PastStep]
    kept: list[bool]

    def still(self, now: list[PastStep]) -> list[bool]:
        """Return which of the present steps are kept: all but those that were given up."""
        given = {step.id: not kept for step, kept in zip(self.steps, self.kept, strict=True)}
        last = len(now) - 1
        return [
            step.fixed or not given.get(step.id, False) or i == last for i, step in enumerate(now)
        ]


def check_rule(rule: RetentionRule) -> None:
    """Raise InvalidArgumentError for a rule that cannot be meant."""
    numbers = (rule.last, rule.hourly, rule.daily, rule.weekly, rule.monthly)
    name, why = quote(rule.pattern), ""
    if min(numbers) < 0:
        why = f"{name}: a number is negative"
    elif max(numbers) == 0:
        why = f"{name} keeps nothing: give last=1 at least"
    else:
        made = Patterns([rule.pattern], [])
        if made.problems or made.empty:
            why = f"{name} is not a pattern"
    if why:
        raise field("rules", f"not a retention rule: {why}")


def retain(
    tracker: Tracker, rules: list[RetentionRule], max_bytes: int, *, dry: bool
) -> Iterator[Thinned]:
    """Apply rules: per path the first that matches, everything where none does.

    Then the oldest steps go while contents and diffs take more than `max_bytes`; 0: no
    cap. The last item has the totals.
    """
    histories = _histories(tracker, rules, max_bytes)
    totals = [0, 0, 0]
    for path in sorted(histories, key=os.fsencode):
        if all(histories[path].kept):
            continue
        try:
            lost = _thin(tracker, path, histories[path], dry=dry)
        except (Stale, ObbyError) as error:
            if isinstance(error, ObbyError) and error.reason != "VERSION_NOT_FOUND":
                raise
            _LOG.warning("history of a path not thinned out: %s: %r", quote(path), error)
            continue  # another program removes or adds rows beside this
        if lost[0]:
            yield Thinned(path, *lost)
        totals = [total + n for total, n in zip(totals, lost, strict=True)]
    yield Thinned(None, *totals)


def _histories(tracker: Tracker, rules: list[RetentionRule], max_bytes: int) -> dict[str, _History]:
    """Return the histories that may lose something."""
    matchers = [(Patterns([rule.pattern], []), rule) for rule in rules]
    found = {}
    with tracker.db.reading() as connection:
        for text in _past.paths(connection):
            steps = _past.past(connection, text, publish=tracker.publish)
            rel = name_in_diff(tracker, decode(text))
            rule = next((rule for matcher, rule in matchers if matcher.match(rel)), None)
            if rule is None or any(step.incomplete for step in steps):
                kept = [True] * len(steps)
            else:
                kept = _kept(rule, steps)
            if max_bytes or not all(kept):
                found[decode(text)] = _History(steps, kept)
        if max_bytes:
            _shrink(found, _past.bytes_of(connection) - max_bytes)
    return found


def name_in_diff(tracker: Tracker, path: str) -> str:
    """Return a path as its root's patterns see it."""
    return os.path.relpath(path, tracker.roots.of(path) or os.path.dirname(path))


def _kept(rule: RetentionRule, steps: list[PastStep]) -> list[bool]:
    """Return which steps a rule keeps."""
    newest = len(steps) - max(rule.last, 1)
    kept = [step.fixed or i >= newest for i, step in enumerate(steps)]
    for period, name_of in _PERIODS.items():
        left, last = getattr(rule, period), ""
        for i in reversed(range(len(steps))):
            name = name_of(datetime_of(steps[i].at).astimezone())
            if left and name != last:
                kept[i], last, left = True, name, left - 1
    return kept


def _shrink(histories: dict[str, _History], excess: int) -> None:
    """Give up the oldest steps of all until about so many bytes are free."""
    candidates = []
    for history in histories.values():
        complete = not any(step.incomplete for step in history.steps)
        for i, step in enumerate(history.steps):
            if not history.kept[i]:
                excess -= step.bytes
            elif complete and not step.fixed and i < len(history.steps) - 1:
                candidates.append((step.id, i, history))
    for _, i, history in sorted(candidates, key=lambda candidate: candidate[0]):
        if excess <= 0:
            return
        history.kept[i] = False
        excess -= history.steps[i].bytes


def _thin(tracker: Tracker, path: str, history: _History, *, dry: bool) -> tuple[int, int, int]:
    """Remove what a path does not keep.

    What it was weighed with may have changed since: a version may be pinned now.
    """
    with tracker.locked(path):
        for _ in range(_TRIES):
            with tracker.db.reading() as connection:
                now = _past.past(connection, encode(path), publish=tracker.publish)
            plan = _plan(tracker, path, now, history.still(now))
            if not plan.gone:
                return 0, 0, 0
            lost = (0, 0, 0)
            try:
                with tracker.db.writing() as connection:
                    lost = _past.thin(connection, plan, publish=tracker.publish)
                    if dry:
                        raise _UndoneError
            except _UndoneError:
                pass
            except Stale:
                continue
            return lost
    raise Stale


def _plan(tracker: Tracker, path: str, steps: list[PastStep], kept: list[bool]) -> Thinning:
    name = name_in_diff(tracker, path)
    joined = [
        Join(
            step.id,
            _past.type_of(old, step.new),
            old,
            step.new,
            _past.diff_of(tracker.db, name, old, step.new),
        )
        for step, old in _joins(steps, kept)
    ]
    gone = [step.id for step, keeps in zip(steps, kept, strict=True) if not keeps]
    return Thinning(path, steps, joined, gone)


def _joins(steps: list[PastStep], kept: list[bool]) -> list[tuple[PastStep, int]]:
    """Return the kept steps that begin elsewhere without the others, and where.

    The step before a kept one is kept, too, where else nothing would have changed from
    one to the next: a deletion would be one of nothing, and the last content lost.
    """
    version = 0  # that the step kept before leads to
    for i, step in enumerate(steps):
        if _moved_away(steps, i):
            version = 0
        if not kept[i]:
            continue
        if i and not kept[i - 1] and version == step.new and step.type != MOVED:
            kept[i - 1] = True
        version = step.new
    version, gap, joined = 0, False, []
    for i, step in enumerate(steps):
        if _moved_away(steps, i):
            version = 0
        if not kept[i]:
            gap = True
            continue
        if gap and step.type != MOVED and step.old != version:
            joined.append((step, version))
        version, gap = step.new, False
    return joined


def _moved_away(steps: list[PastStep], i: int) -> bool:
    """Tell whether the path's file went elsewhere before a step: it creates what was there."""
    return i > 0 and steps[i].type == CREATED and steps[i].old == 0 and steps[i - 1].new != 0
