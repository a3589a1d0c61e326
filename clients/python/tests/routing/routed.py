"""Obby and its Python side in tests, blocking and asyncio in one way."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc

from obby.query.v1 import query_pb2
from obby_clients.errors import ObbyError
from obby_clients.flags import Backend, Flags, Service
from obby_clients.metrics import COUNTERS
from obby_clients.routing import AsyncObby, Fallbacks, Obby
from obby_clients.routing.calls import CALLS, Shape

from ..conftest import Blocking, Server, abort

WORDS = {
    "watcher": Service.FILE_WATCHER,
    "tracker": Service.CONTENT_TRACKER,
    "query": Service.QUERY_SERVICE,
    "hub": Service.SSE_HUB,
}


Start = Callable[..., Any]
Serve = Callable[..., Server]
Route = Callable[..., "Routed"]
QUERY = Service.QUERY_SERVICE


class Python:
    """A small Python side: functions, the names of the calls it got, and their arguments."""

    def __init__(self, service: Service, methods: dict[str, Any], asynchronous: bool) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self._service, self._methods, self._async = service, methods, asynchronous

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._methods:
            raise AttributeError(name)
        shape = CALLS[self._service][name].shape
        return lambda *args, **kwargs: self._call(name, shape, args, kwargs)

    def _call(self, name: str, shape: Shape, args: Any, kwargs: Any) -> Any:
        self.calls.append((name, args, kwargs))
        result = self._methods[name]
        if self._async:
            if shape is Shape.UNARY:
                return self._awaited(result, args, kwargs)
            return self._iterated(result, args, kwargs)
        answer = result(*args, **kwargs) if callable(result) else result
        return answer if shape is Shape.UNARY else iter(answer)

    async def _awaited(self, result: Any, args: Any, kwargs: Any) -> Any:
        return result(*args, **kwargs) if callable(result) else result

    async def _iterated(self, result: Any, args: Any, kwargs: Any) -> Any:
        for item in result(*args, **kwargs) if callable(result) else result:
            yield item


class Routed:
    """An Obby of either kind, with its Python side, in blocking calls."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop | None, environ: dict[str, str], **python: Any
    ) -> None:
        options = python.pop("options", {})
        self.python = {
            name: methods
            if not isinstance(methods, dict)
            else Python(WORDS[name], methods, loop is not None)
            for name, methods in python.items()
        }
        self.flags = Flags(environ, allow_forced=True)
        fallback = Fallbacks(**self.python)
        kind: Any = Obby if loop is None else AsyncObby
        self.obby = kind(fallback=fallback, flags=self.flags, **options)
        self.router = self.obby.router
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.obby, name)
        return found if self._loop is None else Blocking(found, self._loop)

    def close(self) -> None:
        if self._loop is None:
            self.obby.close()
        else:
            self._loop.run_until_complete(self.obby.close())


def ran(service: str, **labels: str) -> int:
    """Return how many calls of a service ended so, in this process until now."""
    return COUNTERS.value("obby_calls_total", service=service, **labels)


Health = Callable[[], bytes]
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


class HealthServer:
    """A server of the standard health check alone, whose answer a test gives."""

    def __init__(self, check: Health, *others: Any) -> None:
        self.checks = 0
        self._check = check
        self._stopping = threading.Event()
        self._server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
        handlers = {
            "Check": grpc.unary_unary_rpc_method_handler(self._answer),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }
        health = grpc.method_handlers_generic_handler("grpc.health.v1.Health", handlers)
        self._server.add_generic_rpc_handlers((health, *others))
        self.target = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()

    def _answer(self, _: Any, context: Any) -> bytes:
        self.checks += 1
        return self._check()

    def _watch(self, _: Any, context: Any) -> Any:
        yield self._check()
        context.add_callback(self._stopping.set)
        self._stopping.wait(60)

    def stop(self) -> None:
        self._server.stop(None).wait()


def error_of(work: Callable[[], Any]) -> BaseException:
    """Return what a call raises."""
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def on(service: Service, target: str, **more: str) -> dict[str, str]:
    return {service.switch: "1", service.target: target, **more}


def content(text: str) -> Callable[..., Any]:
    """Return a GetVersionContent that answers with a text."""
    return lambda *_: query_pb2.GetVersionContentResponse(content=text.encode())


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def fail(code: grpc.StatusCode) -> Callable[..., Any]:
    return lambda _, context: abort(context, code)


def side_of(service: Service, percentage: str, subject: str) -> Backend:
    environ = {service.switch: "1", service.percentage: percentage}
    return Flags(environ).decide(service, subject).backend


__all__ = [
    "HealthServer",
    "ObbyError",
    "Python",
    "Routed",
    "closed_port",
    "content",
    "error_of",
    "fail",
    "on",
    "ran",
    "side_of",
]
