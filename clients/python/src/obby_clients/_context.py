"""What calls carry along from the context that they are made in."""

from __future__ import annotations

from contextvars import ContextVar

__all__ = ["CALL_METADATA"]

CALL_METADATA: ContextVar[tuple[tuple[str, str], ...]] = ContextVar("metadata", default=())
"""More metadata for the calls that are made in this context."""
