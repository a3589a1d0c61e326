"""Carrying the steps of a call out, blocking and in asyncio."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

from .steps import Item, Step

__all__ = ["aiterate", "arun", "iterate", "run"]


def run(steps: Generator[Step, Any, Any]) -> Any:
    """Carry a call out; return its answer."""
    try:
        step = next(steps)
        while True:
            try:
                result = step()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return end.value


async def arun(steps: Generator[Step, Any, Any]) -> Any:
    """Carry a call out in asyncio; return its answer."""
    try:
        step = next(steps)
        while True:
            try:
                result = await step()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration as end:
        return end.value


def iterate(steps: Generator[Step | Item, Any, None]) -> Iterator[Any]:
    """Carry a call out; give its items."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Item):
                yield step.value
                step = next(steps)
                continue
            try:
                result = step()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration:
        return
    finally:
        steps.close()


async def aiterate(steps: Generator[Step | Item, Any, None]) -> AsyncIterator[Any]:
    """Carry a call out in asyncio; give its items."""
    try:
        step = next(steps)
        while True:
            if isinstance(step, Item):
                yield step.value
                step = next(steps)
                continue
            try:
                result = await step()
            except BaseException as error:
                step = steps.throw(error)
            else:
                step = steps.send(result)
    except StopIteration:
        return
    finally:
        steps.close()
