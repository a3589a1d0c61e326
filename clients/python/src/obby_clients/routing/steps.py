"""What a call that is being carried out asks for, one step at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["END", "Item", "Step", "following"]

Step = Callable[[], Any]
"""What is to be done next; its result, awaited in asyncio, is sent back in."""

END = object()
"""What comes after the last item."""


@dataclass(frozen=True, slots=True)
class Item:
    """What a list or stream gives to the caller."""

    value: Any


def following(source: Any) -> Any:
    """Return the next item of an iterator, or what awaits it; `END` after the last."""
    if hasattr(source, "__anext__"):
        return anext(source, END)
    return next(source, END)
