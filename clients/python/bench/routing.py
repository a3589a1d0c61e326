"""What routing costs: JSON on standard output.

    python bench/routing.py PATH/TO/content-tracker

Calls to a real service are made by turns, in random order, by the generated stub
(messages in and out), the client (values, errors, a request id) and the router, so
that the machine's moods meet all three; `overhead` compares the medians: what routing
adds is `routed_over_client`. `without_network` is the same with a channel that answers
at once: what the code costs while the CPU's caches hold it, as they do not after the
wait for an answer.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import grpc

import obby_clients._contract  # noqa: F401 (google.rpc for the generated code)
from obby.tracker.v1 import tracker_pb2, tracker_pb2_grpc
from obby_clients import ContentTrackerClient
from obby_clients.flags import Flags, Service
from obby_clients.routing import Fallbacks, Obby
from obby_clients.tracker import ContentHash, ContentKind, LineEnding

SERVICE = Service.CONTENT_TRACKER
ANSWER = ContentHash("0" * 64, 1, 1, ContentKind.TEXT, LineEnding.UNSPECIFIED)


class Python:
    """Answers at once."""

    def content_hash(self, path: Any = None, *, content: Any = None, timeout: Any = None) -> Any:
        """Return the same as ever."""
        return ANSWER


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Measure what routing costs; prints JSON.")
    parser.add_argument("service", help="the content-tracker's program")
    parser.add_argument("--rounds", type=int, default=3_000, help="calls of each kind")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    found = {
        "python": platform.python_version(),
        "grpcio": grpc.__version__,
        "rounds": options.rounds,
        "unit": "microseconds",
        "served_by_go": _served(options.service, options.rounds),
        "without_network": _without_network(options.rounds),
        "dead_service": _dead(options.rounds),
    }
    print(json.dumps(found, indent=2))


def _served(program: str, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--database", f"{folder}/o.db", "--root", folder, "--log-format", "json"]
        ports = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
        service = subprocess.Popen([program, *flags, *ports], stderr=subprocess.PIPE, text=True)
        try:
            return _compared(_listening(service), rounds)
        finally:
            service.terminate()
            service.communicate()


def _compared(target: str, rounds: int) -> dict[str, Any]:
    with (
        grpc.insecure_channel(target) as channel,
        ContentTrackerClient(target) as client,
        _obby(target) as obby,
    ):
        stub = tracker_pb2_grpc.ContentTrackerServiceStub(channel)
        request = tracker_pb2.GetContentHashRequest
        return _turns(
            {
                "stub": lambda: stub.GetContentHash(request(content=b"x"), timeout=2.0),
                "client": lambda: client.content_hash(content=b"x"),
                "routed": lambda: obby.tracker.content_hash(content=b"x"),
            },
            rounds,
        )


def _without_network(rounds: int) -> dict[str, Any]:
    answer = tracker_pb2.GetContentHashResponse(content_hash="0" * 64, line_count=1)

    def call(request: Any, **_: Any) -> Any:
        return answer

    with ContentTrackerClient("127.0.0.1:1") as client, _obby("127.0.0.1:1") as obby:
        side = obby.router.side(SERVICE)
        side.breaker.admit()
        side.breaker.probed(well=True)
        inner = side.client("127.0.0.1:1")
        for one in (client, inner):
            one._link().callable = lambda method: call
        request = tracker_pb2.GetContentHashRequest
        return _turns(
            {
                "stub": lambda: call(request(content=b"x"), timeout=2.0),
                "client": lambda: client.content_hash(content=b"x"),
                "routed": lambda: obby.tracker.content_hash(content=b"x"),
            },
            10 * rounds,
        )


def _dead(rounds: int) -> dict[str, Any]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        target = f"127.0.0.1:{free.getsockname()[1]}"
    first = []
    for _ in range(30):
        with _obby(target) as obby:
            first.append(_timed(lambda: obby.tracker.content_hash(content=b"x")))
    with _obby(target) as obby:
        obby.tracker.content_hash(content=b"x")
        side = obby.router.side(SERVICE)
        side.breaker._until = float("inf")  # no probe among the calls that are timed
        later = [_timed(lambda: obby.tracker.content_hash(content=b"x")) for _ in range(rounds)]
    return {"first_call": _summary(first), "breaker_open": _summary(later)}


def _obby(target: str) -> Obby:
    environ = {SERVICE.switch: "1", SERVICE.target: target}
    return Obby(fallback=Fallbacks(tracker=Python()), flags=Flags(environ))


def _turns(calls: dict[str, Callable[[], Any]], rounds: int) -> dict[str, Any]:
    times: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    order = list(calls.items())
    for _ in range(rounds):
        random.shuffle(order)  # a call finds in the CPU's caches what the one before it left
        for name, call in order:
            times[name].append(_timed(call))
    medians = {name: statistics.median(found) for name, found in times.items()}
    overhead = {
        f"routed_over_{name}": round(medians["routed"] - medians[name], 1)
        for name in calls
        if name != "routed"
    }
    return {**{name: _summary(found) for name, found in times.items()}, "overhead": overhead}


def _timed(call: Callable[[], Any]) -> float:
    begin = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begin) / 1_000


def _summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    found = {name: round(ordered[int(s * (len(ordered) - 1))], 1) for name, s in shares.items()}
    return {**found, "max": round(ordered[-1], 1)}


def _listening(service: subprocess.Popen[str]) -> str:
    assert service.stderr is not None
    for line in service.stderr:
        entry = json.loads(line) if line.startswith("{") else {}
        if entry.get("msg") == "listening":
            return str(entry["grpc"])
    sys.exit("the content-tracker did not start")


if __name__ == "__main__":
    main()
