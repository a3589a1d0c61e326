"""How channels are set up."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc._cython import cygrpc  # type: ignore[attr-defined]

import obby_clients as oc
from obby_clients import _channel, _contract
from obby_clients._calls import Method

CLIENTS: list[Any] = [
    oc.FileWatcherClient,
    oc.ContentTrackerClient,
    oc.QueryClient,
    oc.SSEHubClient,
]


@pytest.mark.parametrize(
    "target",
    ["localhost:50051", "127.0.0.1:1", "[::1]:65535", "watcher.internal:50051", "unix:/run/w.sock"],
)
def test_targets(target: str) -> None:
    oc.QueryClient(target).close()


@pytest.mark.parametrize(
    "target",
    ["localhost", "localhost:abc", "localhost:0", "h:70000", "http://h:1", "::1:50051", "h:1/x"],
)
def test_bad_targets_are_refused_at_once(target: str) -> None:
    # gRPC itself takes `localhost:abc` for port 0.
    for client in (oc.QueryClient, oc.AsyncQueryClient):
        with pytest.raises(ValueError, match="is not host:port"):
            client(target)


@pytest.mark.parametrize(
    ("target", "local"),
    [
        ("localhost:1", True),
        ("127.8.0.1:1", True),
        ("[::1]:1", True),
        ("unix:/x", True),
        ("10.0.0.1:1", False),
        ("query.internal:1", False),
    ],
)
def test_no_proxy_stands_before_this_machine(target: str, local: bool) -> None:
    options = dict(_channel.channel_options(target))
    assert options.get("grpc.enable_http_proxy") == (0 if local else None)


def test_options() -> None:
    options = dict(_channel.channel_options("h:1"))
    assert options["grpc.keepalive_time_ms"] == 30_000
    assert options["grpc.keepalive_timeout_ms"] == 10_000
    assert options["grpc.max_receive_message_length"] == 16 << 20
    assert options["grpc.max_send_message_length"] == 16 << 20
    assert options["grpc.initial_reconnect_backoff_ms"] == 100
    assert options["grpc.max_reconnect_backoff_ms"] == 1_000


def test_case_62_option_names() -> None:
    # Core ignores an option that it does not know, so a typo is silent.
    library = Path(cygrpc.__file__).read_bytes()
    for name, _ in _channel.channel_options("localhost:1", ["/x.Y/Z"], health="x.Y"):
        assert name.encode() + b"\0" in library


@pytest.mark.parametrize("client", CLIENTS)
def test_case_62_service_config_is_accepted(client: Any) -> None:
    # With a bad config every call fails, as if the caller were at fault.
    config = _channel.service_config(client.service.retried, client.service.name)
    assert attempt(config) is grpc.StatusCode.UNAVAILABLE
    assert attempt(config.replace('"0.1s"', '"0.1"')) is grpc.StatusCode.INVALID_ARGUMENT


def attempt(config: str) -> grpc.StatusCode:
    """Call nobody, and return the code of the failure."""
    with grpc.insecure_channel("127.0.0.1:1", [("grpc.service_config", config)]) as channel:
        try:
            channel.unary_unary("/x.Y/Z", bytes, bytes)(b"", timeout=5)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    raise AssertionError("somebody listens on port 1")


@pytest.mark.parametrize("client", CLIENTS)
def test_case_63_service_config_has_no_timeout(client: Any) -> None:
    # Grpcio 1.51 would count it from the start of the process.
    (method,) = json.loads(_channel.service_config(client.service.retried, client.service.name))[
        "methodConfig"
    ]
    assert "timeout" not in method
    assert method["retryPolicy"]["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_only_what_changes_nothing_twice_is_retried() -> None:
    names = {path.rsplit("/", 1)[1] for client in CLIENTS for path in client.service.retried}
    assert names == {
        *("GetServerInfo", "ListWatches", "GetContentHash", "GenerateDiff"),
        *("GetRecentDiffs", "GetFileVersions", "GetVersionContent", "SearchContent"),
        *("GetTopicFiles", "GetTimeAnalysis", "GetActivityStats", "ListFiles", "ListLabels"),
        *("GetDiff", "SearchHistory"),
        "SetVersionLabel",  # the second time changes nothing
    }


@pytest.mark.parametrize("client", CLIENTS)
def test_the_table_has_every_method_of_the_contract(client: Any) -> None:
    modules = [vars(sys.modules[base.__module__]).values() for base in client.__mro__]
    table = {value.path for values in modules for value in values if isinstance(value, Method)}
    table.add(client.service.info.path)
    contract = set()
    for name in _contract.__all__:
        for service in getattr(_contract, name).DESCRIPTOR.services_by_name.values():
            contract |= {f"/{service.full_name}/{method.name}" for method in service.methods}
    service = client.service.info.path.rsplit("/", 1)[0]
    assert table == {path for path in contract if path.startswith(service)}
