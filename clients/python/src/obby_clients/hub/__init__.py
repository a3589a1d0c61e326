"""The sse-hub: publications come in, every subscriber of their topic sees them."""

from typing import TYPE_CHECKING

from .._lazy import lazy
from .values import Event, Published, Reset, ResetReason

if TYPE_CHECKING:
    from .client import AsyncSSEHubClient, SSEHubClient
else:
    __getattr__ = lazy(__name__, client=["AsyncSSEHubClient", "SSEHubClient"])

__all__ = [
    "AsyncSSEHubClient",
    "Event",
    "Published",
    "Reset",
    "ResetReason",
    "SSEHubClient",
]
