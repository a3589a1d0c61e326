"""How every channel is set up."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import grpc

from . import _options, errors
from ._calls import HealthMethod, Method, Service
from ._context import CALL_METADATA
from ._status import from_rpc
from ._target import checked, is_local
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


_CLIENT = ("x-obby-client", f"py/{__version__}")


class BaseClient:
    """What the two kinds of client share: whom they address, and whether they are closed."""

    service: ClassVar[Service]
    is_async: ClassVar[bool]

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | Callable[[], str] | None = None,
        fail_fast: bool = False,
    ) -> None:
        """Address a service at `host:port`; by default at its usual port on this machine.

        A service that asks who is there, as the sse-hub may, gets `token` with every
        call: a JWT, or what returns the present one. `fail_fast` is for whoever has
        another way: nothing is tried twice, and a service that says NOT_SERVING is
        as good as gone.

        Raises TypeError or ValueError for a value that cannot be.
        """
        self._target = checked(_options.instance("target", target or self.service.target, str))
        self._fail_fast = fail_fast
        self._token = token if callable(token) or token is None else _token(token)
        self._closed = False

    def _options(self) -> list[tuple[str, int | str]]:
        if self._fail_fast:
            return channel_options(self._target, health=self.service.name)
        return channel_options(self._target, self.service.retried)

    def _metadata(self, request_id: str) -> tuple[tuple[str, str], ...]:
        token = self._token() if callable(self._token) else self._token
        sent = (*metadata(request_id), *CALL_METADATA.get())
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

    def callable(self, method: Method | HealthMethod) -> Any:
        """Return what calls the method."""
        made = self._callables.get(method.path)
        if made is None:
            make = self.channel.unary_stream if method.streaming else self.channel.unary_unary
            made = self._callables[method.path] = make(
                method.path,
                request_serializer=method.serialize,
                response_deserializer=method.parse,
            )
        return made


def _token(token: object) -> str:
    text = _options.instance("token", token, str)
    if not (text.isascii() and text.isprintable()) or text != text.strip():
        raise ValueError("token has white space at an end, or what no header holds: strip it")
    return text


def metadata(request_id: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata of a call."""
    return (_CLIENT, ("x-request-id", request_id))


def channel_options(
    target: str, retried: Sequence[str] = (), *, health: str = ""
) -> list[tuple[str, int | str]]:
    """Return the options of a channel.

    Calls of the paths `retried` are repeated; with `health`, the name of a service,
    calls fail at once while that says NOT_SERVING.
    """
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
        # grpcio 1.51 crashes when two clients of one target watch different services' health
        # on the connection that they would share.
        ("grpc.use_local_subchannel_pool", int(bool(health))),
        ("grpc.enable_retries", int(bool(retried))),
        ("grpc.service_config", service_config(retried, health)),
    ]
    if is_local(target):
        options.append(("grpc.enable_http_proxy", 0))
    return options


def service_config(retried: Sequence[str], health: str) -> str:
    """Return the service config: what is retried, and that not for ever; whose health counts.

    It has no timeout: grpcio 1.51 counts that from the start of the process.
    """
    config: dict[str, object] = {}
    if health:  # pick_first would not look at it
        config["loadBalancingConfig"] = [{"round_robin": {}}]
        config["healthCheckConfig"] = {"serviceName": health}
    if retried:
        names = [path.strip("/").split("/") for path in retried]
        policy = {
            "maxAttempts": 3,
            "initialBackoff": "0.1s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [
            {"name": [{"service": s, "method": m} for s, m in names], "retryPolicy": policy}
        ]
        config["retryThrottling"] = {"maxTokens": 10, "tokenRatio": 0.1}
    return json.dumps(config)
