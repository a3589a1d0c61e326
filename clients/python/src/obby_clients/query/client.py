"""The clients of the query-service."""

from __future__ import annotations

from typing import ClassVar

from .._aio import AsyncClient
from .._calls import Service
from .._contract import query_pb2 as pb
from .._sync import Client
from ._findings import FindingCalls
from ._history import HistoryCalls

__all__ = ["AsyncQueryClient", "QueryClient"]


class _Calls(HistoryCalls, FindingCalls):
    service: ClassVar[Service] = Service(pb, "127.0.0.1:50053")


class QueryClient(_Calls, Client):
    """Talks to the query-service; every call blocks."""


class AsyncQueryClient(_Calls, AsyncClient):
    """Talks to the query-service from asyncio: await calls, `async for` lists and streams."""
