"""The query-service in Python: the same answers from the same database."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

from .. import _options
from .._version import __version__
from ..values import AnyPath, ServerInfo
from ._aio import Asyncio, Blocking, unary
from ._query.findings_calls import FindingCalls
from ._query.history_calls import HistoryCalls

__all__ = ["AsyncQueryService", "QueryService"]


class _Calls(HistoryCalls, FindingCalls):
    """The calls of the query-service: see QueryClient for each."""

    def __init__(self, database: AnyPath) -> None:
        """Answer from a database (see the class). Raises TypeError for what is no path."""
        super().__init__(_options.path("database", database))
        self._info = ServerInfo(
            __version__,
            ("obby.query.v1",),
            ("python",),
            str(uuid.uuid4()),
            datetime.now(timezone.utc),
        )

    @unary
    def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """Describe this fallback."""
        return self._info

    @unary
    def wait_ready(self, timeout: float = 10.0) -> ServerInfo:
        """Describe this fallback, which is ready."""
        return self._info


class QueryService(_Calls, Blocking):
    """Answers from a database as the query-service does; every call blocks.

    The file may come into being later: until then every call raises UnavailableError.
    It is never written. Where the service refuses to search, because the database has
    no index, the contents are read, which takes as long as they are large.
    """


class AsyncQueryService(_Calls, Asyncio):
    """Answers from a database as the query-service does, for asyncio."""
