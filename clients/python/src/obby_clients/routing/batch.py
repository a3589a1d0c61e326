"""A batch of files to track: each is answered once, by the side that it belongs to.

Where Go's stream breaks, Python gets the items that have no answer yet, under the
same request ids: an item that Go has recorded without being able to say so is
answered, not recorded again.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import InternalError
from ..flags import Backend, Decision
from .attempt import Attempt, Source, admitted, begin
from .calls import CALLS, Call
from .router import Router
from .steps import END, Item, Step, following

__all__ = ["batch"]


def batch(  # noqa: PLR0917 (one call, as it was made)
    router: Router,
    call: Call,
    subject: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    source: Source,
) -> Generator[Step | Item, Any, None]:
    """Carry out `track_batch`."""
    options = dict(kwargs)
    changes = [_keyed(change) for change in (args[0] if args else options.pop("changes"))]
    one = CALLS[call.service]["track_change"]
    decided = [router.asked(one, subject, (change.path,), {}) for change in changes]
    left = [i for i, decision in enumerate(decided) if decision.backend is Backend.PYTHON]
    gos = [i for i, decision in enumerate(decided) if decision.backend is Backend.GO]
    attempt: Attempt | None = None
    if gos:
        attempt = _attempt(router, call, options, decided[gos[0]], source)
        left = sorted(left + (yield from _on_go(attempt, changes, gos)))
    if left or not changes:
        if attempt is None or attempt.ran.backend is Backend.GO:
            asked = decided[left[0]] if left else router.asked(call, subject, (), {})
            attempt = _attempt(router, call, options, asked, source)
        yield from _on_python(attempt, changes, left)


def _attempt(
    router: Router, call: Call, options: dict[str, Any], asked: Decision, source: Source
) -> Attempt:
    attempt = begin(router, call, None, (), options, asked)
    attempt.source = source
    return attempt


def _keyed(change: Any) -> Any:
    return change if change.request_id else replace(change, request_id=str(uuid.uuid4()))


def _on_go(
    attempt: Attempt, changes: list[Any], indexes: list[int]
) -> Generator[Step | Item, Any, list[int]]:
    """Have Go record some of the changes; return those that have no answer."""
    client = yield from admitted(attempt)
    missing = set(indexes)
    if client is None:
        return indexes
    try:
        yield from _answers(attempt, client, changes, indexes, missing)
        if missing:
            raise InternalError(f"{len(missing)} items of the batch got no answer")
    except GeneratorExit:
        attempt.count(None)
        raise
    except BaseException as error:
        attempt.go_failed(error)  # raises it where Python may not answer
        return sorted(missing)
    attempt.router.judge(attempt.call, None, None)
    attempt.count(None)
    return []


def _on_python(
    attempt: Attempt, changes: list[Any], indexes: list[int]
) -> Generator[Step | Item, Any, None]:
    try:
        python = attempt.router.fallback.of(attempt.call.service)
        yield from _answers(attempt, python, changes, indexes, set(indexes))
    except GeneratorExit:
        attempt.count(None)
        raise
    except BaseException as error:
        raise attempt.python_failed(error)  # noqa: B904 (it has its cause)
    attempt.note_python(None)
    attempt.count(None)


def _answers(
    attempt: Attempt, side: Any, changes: list[Any], indexes: list[int], missing: set[int]
) -> Generator[Step | Item, Any, None]:
    stream = side.track_batch([changes[i] for i in indexes], **attempt.kwargs)
    attempt.source.now = stream
    while (item := (yield from attempt.told(partial(following, stream)))) is not END:
        index = indexes[item.index]
        missing.discard(index)
        yield Item(replace(item, index=index))
