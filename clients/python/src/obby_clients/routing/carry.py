"""Carrying a call out: Go, then Python where Go cannot, never twice what may have happened.

Each generator yields steps: functions without arguments whose result, awaited in
asyncio, is sent back in, or whose error is raised in it. Lists and streams yield
`Item`s too, which are the caller's.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import Any

from ..flags import Backend
from .attempt import Attempt, Source, admitted, begin
from .calls import Call, Effect
from .router import Router
from .steps import END, Item, Step, following

__all__ = ["answer", "carried", "go_failed", "items"]


def answer(
    router: Router, call: Call, subject: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Step, Any, Any]:
    """Carry out a call with one answer."""
    return (yield from carried(begin(router, call, subject, args, kwargs)))


def carried(attempt: Attempt) -> Generator[Step, Any, Any]:
    """Carry out a call with one answer that has been begun."""
    router, call, args = attempt.router, attempt.call, attempt.args
    if attempt.asked.backend is Backend.GO:
        client = yield from admitted(attempt)
        if client is not None:
            try:
                result = yield from attempt.told(
                    partial(getattr(client, call.name), *args, **attempt.kwargs)
                )
            except BaseException as error:
                attempt.go_failed(error)
            else:
                router.judge(call, None, None)
                attempt.count(None)
                attempt.compare(result)
                return result
    return (yield from _on_python(attempt))


def go_failed(attempt: Attempt, error: BaseException) -> Generator[Step, Any, Any]:
    """Go on with a call that Go has failed."""
    attempt.go_failed(error)  # raises it where Python may not answer
    return (yield from _on_python(attempt))


def _on_python(attempt: Attempt) -> Generator[Step, Any, Any]:
    try:
        python = getattr(attempt.router.fallback.of(attempt.call.service), attempt.call.name)
        result = yield partial(python, *attempt.args, **attempt.kwargs)
    except BaseException as error:
        raise attempt.python_failed(error)  # noqa: B904 (it has its cause)
    attempt.note_python(None)
    attempt.count(None)
    attempt.compare(result)
    return result


def items(  # noqa: PLR0917 (one call, as it was made)
    router: Router,
    call: Call,
    subject: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    source: Source | None = None,
) -> Generator[Step | Item, Any, None]:
    """Carry out a call that gives items.

    Python goes on after the last item that Go gave, where it finds that one.
    """
    attempt = begin(router, call, subject, args, kwargs)
    attempt.source = source or attempt.source
    given: list[Any] = []  # at most one, the last
    if attempt.asked.backend is Backend.GO:
        client = yield from admitted(attempt)
        if client is not None and (yield from _from_go(attempt, client, given)):
            return
    yield from _from_python(attempt, given)


def _from_go(attempt: Attempt, client: Any, given: list[Any]) -> Generator[Step | Item, Any, bool]:
    try:
        source = getattr(client, attempt.call.name)(*attempt.args, **attempt.kwargs)
        attempt.source.now = source
        while (item := (yield from attempt.told(partial(following, source)))) is not END:
            given[:] = [item]
            attempt.keep(item)
            yield Item(item)
    except GeneratorExit:  # the caller wants no more
        attempt.router.judge(attempt.call, None, None)
        attempt.count(None)
        attempt.compare_items(ended=False)
        raise
    except BaseException as error:
        attempt.go_failed(error)  # raises it where Python may not answer
        if given and attempt.call.effect is not Effect.READ:
            if attempt.call.effect is not Effect.REPEATABLE:
                attempt.count(error)
                raise
            given.clear()  # Python begins anew
        return False
    attempt.router.judge(attempt.call, None, None)
    attempt.count(None)
    attempt.compare_items(ended=True)
    return True


def _from_python(attempt: Attempt, given: list[Any]) -> Generator[Step | Item, Any, None]:
    call = attempt.call
    skipping = bool(given)
    try:
        source = getattr(attempt.router.fallback.of(call.service), call.name)(
            *attempt.args, **attempt.kwargs
        )
        attempt.source.now = source
        while (item := (yield partial(following, source))) is not END:
            if not skipping:
                attempt.keep(item)
                yield Item(item)
            skipping = skipping and item != given[0]
    except GeneratorExit:
        attempt.note_python(None)
        attempt.count(None)
        attempt.compare_items(ended=False)
        raise
    except BaseException as error:
        raise attempt.python_failed(error)  # noqa: B904 (it has its cause)
    attempt.note_python(None)
    attempt.count(attempt.failed if skipping else None)
    if skipping and attempt.failed is not None:
        raise attempt.failed  # Python does not know where Go was
    attempt.compare_items(ended=True)
