"""How every channel is set up."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import grpc

from . import errors
from ._calls import Method, Service
from ._status import from_rpc
from ._version import __version__

__all__ = [
    "MAX_MESSAGE_BYTES",
    "BaseClient",
    "Link",
    "channel_options",
    "metadata",
    "service_config",
]

MAX_MESSAGE_BYTES = 16 << 20
"""Largest message in either direction; the services have the same limit."""

_TARGET = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.%]+)\]|(?P<host>[^\[\]:/\s]+)):(?P<port>[0-9]{1,5})")


class BaseClient:
    """What the two kinds of client share: whom they address, and whether they are closed."""

    service: ClassVar[Service]
    is_async: ClassVar[bool]

    def __init__(
        self, target: str | None = None, *, token: str | Callable[[], str] | None = None
    ) -> None:
        """Address a service at `host:port`; by default at its usual port on this machine.

        A service that asks who is there, as the sse-hub may, gets `token` with every
        call: a JWT, or what returns the present one.
        """
        self._target = _checked(target or self.service.target)
        self._token = token
        self._closed = False

    def _options(self) -> list[tuple[str, int | str]]:
        return channel_options(self._target, self.service.retried)

    def _metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        token = self._token() if callable(self._token) else self._token
        sent = metadata(request_id)
        return (*sent, ("authorization", f"Bearer {token}")) if token else sent

    def _check_open(self) -> None:
        if self._closed:
            raise errors.ClosedError(f"the client of {self._target} is closed")

    def _failed(self, error: grpc.RpcError, request_id: str) -> errors.ObbyError:
        typed = from_rpc(error, request_id)
        if self._closed and isinstance(typed, errors.CancelledError):
            return errors.ClosedError(f"the client of {self._target} was closed during the call")
        return typed


class Link:
    """A channel with the callables made on it; the two kinds of channel make them alike."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self._callables: dict[str, Any] = {}

    def callable(self, method: Method) -> Any:
        """Return what calls the method."""
        made = self._callables.get(method.path)
        if made is None:
            make = self.channel.unary_stream if method.streaming else self.channel.unary_unary
            made = self._callables[method.path] = make(
                method.path,
                request_serializer=method.request.SerializeToString,
                response_deserializer=method.response.FromString,
            )
        return made


def metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call."""
    return (("x-obby-client", f"py/{__version__}"), ("x-request-id", request_id))


def channel_options(target: str, retried: Iterable[str]) -> list[tuple[str, int | str]]:
    """Return the options of a channel on which calls of the paths `retried` may be repeated."""
    options: list[tuple[str, int | str]] = [
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        # Without these two, core stops after two pings on an idle connection.
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
        # A service is back within a second of its restart; core's own back-off
        # grows to two minutes.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        # In spite of its name only the least time that a connection attempt gets:
        # 100 ms are too few on a loaded machine, or for one that is far away.
        ("grpc.min_reconnect_backoff_ms", 2_000),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.service_config", service_config(retried)),
    ]
    if _is_local(target):
        options.append(("grpc.enable_http_proxy", 0))
    return options


def service_config(retried: Iterable[str]) -> str:
    """Return the service config: what is retried, and that not for ever.

    It has no timeout: grpcio 1.51 counts that from the start of the process.
    """
    names = [path.strip("/").split("/") for path in retried]
    return json.dumps(
        {
            "methodConfig": [
                {
                    "name": [{"service": service, "method": method} for service, method in names],
                    "retryPolicy": {
                        "maxAttempts": 3,
                        "initialBackoff": "0.1s",
                        "maxBackoff": "1s",
                        "backoffMultiplier": 2,
                        "retryableStatusCodes": ["UNAVAILABLE"],
                    },
                }
            ],
            "retryThrottling": {"maxTokens": 10, "tokenRatio": 0.1},
        }
    )


def _checked(target: str) -> str:
    """Return the target if it is `host:port`, `[v6]:port` or `unix:path`.

    gRPC takes a port that is no number for port 0, a scheme for a host name, and
    fails at the first call only.
    """
    if target.startswith("unix:"):
        return target
    match = _TARGET.fullmatch(target)
    if match is None or not 1 <= int(match["port"]) <= 65_535:
        raise ValueError(f"{target!r} is not host:port, [IPv6 address]:port or unix:path")
    return target


def _is_local(target: str) -> bool:
    match = _TARGET.fullmatch(target)
    if match is None:
        return True  # unix:
    host: str = match["v6"] or match["host"]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
