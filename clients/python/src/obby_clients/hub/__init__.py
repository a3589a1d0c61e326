"""The sse-hub: publications come in, every subscriber of their topic sees them."""

from .client import AsyncSSEHubClient, SSEHubClient
from .values import Event, Published, Reset, ResetReason

__all__ = [
    "AsyncSSEHubClient",
    "Event",
    "Published",
    "Reset",
    "ResetReason",
    "SSEHubClient",
]
