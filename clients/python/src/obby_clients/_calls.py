"""What a call is, said once for both kinds of client.

A service's module begins with a table of its methods: messages, conversion,
deadline. Below it each call is written once, as a function from its arguments to
a plan; `rpc` makes of it a method that a Client carries out at once and an
AsyncClient when it is awaited. Nothing here waits or sends.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from types import MethodType, ModuleType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    ParamSpec,
    Protocol,
    TypeVar,
    overload,
)

from google.protobuf.descriptor_pb2 import MethodOptions, ServiceDescriptorProto
from google.protobuf.message import Message

from ._options import timeout as checked
from ._wire import decode
from .errors import DeadlineError
from .values import ServerInfo

if TYPE_CHECKING:
    from ._aio import AsyncClient
    from ._sync import Client

__all__ = [
    "HealthMethod",
    "Method",
    "Paged",
    "PagedMethod",
    "Pages",
    "Service",
    "ServiceCalls",
    "Unary",
    "UnaryMethod",
    "new_request_id",
    "rpc",
    "seconds_left",
]

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
Now_co = TypeVar("Now_co", covariant=True)
Later_co = TypeVar("Later_co", covariant=True)


class Plan(Protocol[Now_co, Later_co]):
    """A call ready to be made, and what it gives in either kind of client."""

    def sync(self, client: Client, /) -> Now_co: ...
    def aio(self, client: AsyncClient, /) -> Later_co: ...


class rpc(Generic[P, Now_co, Later_co]):  # noqa: N801
    """Make the description of a call a method of both kinds of client."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Plan[Now_co, Later_co]]) -> None:
        wrapper: Any = self
        functools.update_wrapper(wrapper, describe)

        @functools.wraps(describe)
        def sync(client: Client, *args: P.args, **kwargs: P.kwargs) -> Now_co:
            return describe(client, *args, **kwargs).sync(client)

        @functools.wraps(describe)
        def aio(client: AsyncClient, *args: P.args, **kwargs: P.kwargs) -> Later_co:
            return describe(client, *args, **kwargs).aio(client)

        self._sync, self._aio = sync, aio

    @overload
    def __get__(self, client: None, owner: object) -> rpc[P, Now_co, Later_co]: ...
    @overload
    def __get__(self, client: Client, owner: object) -> Callable[P, Now_co]: ...
    @overload
    def __get__(self, client: AsyncClient, owner: object) -> Callable[P, Later_co]: ...
    def __get__(self, client: Client | AsyncClient | None, owner: object) -> Any:
        if client is None:
            return self
        return MethodType(self._aio if client.is_async else self._sync, client)


class Method:
    """One RPC. Its name follows from its request's (`<Rpc>Request`)."""

    streaming: ClassVar[bool] = False

    def __init__(self, request: type[Message], response: type[Message]) -> None:
        (service,) = request.DESCRIPTOR.file.services_by_name.values()
        self.path = f"/{service.full_name}/{request.DESCRIPTOR.name.removesuffix('Request')}"
        self.request = request
        self.serialize: Any = request.SerializeToString
        self.parse: Any = response.FromString


def new_request_id() -> str:
    """Return what a call is found by in the server's log; a UUID takes longer to make."""
    return os.urandom(16).hex()


def seconds_left(method: Method | HealthMethod, timeout: float) -> float | None:
    """Return the timeout to give to grpcio, where None means without end."""
    # gRPC would open the connection first, to say the same.
    if not timeout > 0:
        raise DeadlineError(f"no time for {method.path}: the timeout is {timeout:g} s")
    return None if timeout == math.inf else timeout


class UnaryMethod(Method, Generic[Q, T]):
    """An RPC with one answer; called with a request, it makes the plan."""

    def __init__(
        self, request: type[Q], response: type[A], convert: Callable[[A], T], *, deadline: float
    ) -> None:
        super().__init__(request, response)
        self._convert, self._deadline = convert, deadline

    def __call__(self, request: Q, timeout: float | None, *, wait: bool = False) -> Unary[T]:
        seconds = self._deadline if timeout is None else checked("timeout", timeout)
        return Unary(self, request, self._convert, seconds, wait)


@dataclass(slots=True)  # frozen would take three times as long to make
class Unary(Generic[T]):
    """Gives a T."""

    method: Method | HealthMethod
    request: Message | bytes
    convert: Callable[[Any], T]
    timeout: float
    wait_for_ready: bool = False

    def sync(self, client: Client, /) -> T:
        return client._unary(self)

    def aio(self, client: AsyncClient, /) -> Coroutine[Any, Any, T]:
        return client._unary(self)


class HealthMethod:
    """The standard health check, in bytes: it needs no package of stubs."""

    path = "/grpc.health.v1.Health/Check"
    streaming = False
    serialize = parse = None

    def __init__(self, service: str) -> None:
        name = service.encode()
        self._request = b"\x0a" + bytes([len(name)]) + name  # HealthCheckRequest.service

    def __call__(self, timeout: float) -> Unary[bool]:
        # HealthCheckResponse.status, 1: SERVING.
        return Unary(self, self._request, lambda response: b"\x08\x01" in response, timeout)


class PagedMethod(Method, Generic[Q, T]):
    """An RPC that gives a list in pages; called with a request, it makes the plan."""

    def __init__(
        self,
        request: type[Q],
        response: type[A],
        items: Callable[[A], Iterable[T]],
        *,
        deadline: float,
    ) -> None:
        super().__init__(request, response)
        self._items, self._deadline = items, deadline

    def __call__(
        self, request: Q, timeout: float | None, *, limit: int | None, page_size: int
    ) -> Paged[T]:
        if limit is not None and limit < 0:
            raise ValueError(f"limit is {limit}: it cannot be negative")
        seconds = self._deadline if timeout is None else checked("timeout", timeout)
        return Paged(Unary(self, request, self._items, seconds), limit, page_size)


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """Gives an iterator of T; pages are fetched as it advances."""

    first: Unary[Iterable[T]]
    limit: int | None
    page_size: int

    def sync(self, client: Client, /) -> Iterator[T]:
        return client._paged(Pages(self))

    def aio(self, client: AsyncClient, /) -> AsyncIterator[T]:
        return client._paged(Pages(self))


class Pages(Generic[T]):
    """Where one iterator over a list stands."""

    def __init__(self, plan: Paged[T]) -> None:
        self._plan = plan
        self._left = math.inf if plan.limit is None else plan.limit
        self._request: Any = plan.first.request  # has page_size and page_token

    def next(self) -> Unary[list[T]] | None:
        """Return the call for the next page, or None after the last."""
        if self._left <= 0:
            return None
        first, size = self._plan.first, self._plan.page_size
        # The server lowers a size above its maximum, not one that no int32 holds.
        self._request.page_size = size or (0 if self._left == math.inf else min(self._left, 1_000))
        return Unary(first.method, self._request, self._accept, first.timeout)

    def _accept(self, response: Any) -> list[T]:
        items = list(self._plan.first.convert(response))
        if self._left < len(items):
            del items[int(self._left) :]
        self._left -= len(items)
        self._request.page_token = response.next_page_token
        if not response.next_page_token:
            self._left = 0
        return items


class Service:
    """One of the four services: where it listens and which calls may be repeated."""

    def __init__(self, messages: ModuleType, target: str) -> None:
        self.target = target
        (descriptor,) = messages.DESCRIPTOR.services_by_name.values()
        self.name: str = descriptor.full_name
        self.health = HealthMethod(self.name)
        contract = ServiceDescriptorProto()
        descriptor.CopyToProto(contract)
        self.retried = [
            f"/{descriptor.full_name}/{method.name}"
            for method in contract.method
            if method.options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
            and not method.server_streaming
        ]
        self.info = UnaryMethod[Any, ServerInfo](
            messages.GetServerInfoRequest,
            messages.GetServerInfoResponse,
            functools.partial(decode, ServerInfo),
            deadline=1.0,
        )


class ServiceCalls:
    """The calls that every service has."""

    service: ClassVar[Service]

    @rpc
    def server_info(self, *, timeout: float | None = None) -> Unary[ServerInfo]:
        """Describe the running server."""
        return self.service.info(self.service.info.request(), timeout)

    @rpc
    def _healthy(self, timeout: float) -> Unary[bool]:
        """Ask whether the service serves, within so many seconds."""
        return self.service.health(timeout)

    @rpc
    def wait_ready(self, timeout: float = 10.0) -> Unary[ServerInfo]:
        """Wait until the server can be reached, at most so many seconds.

        Every other call fails at once with UnavailableError while it cannot.
        """
        return self.service.info(self.service.info.request(), timeout, wait=True)
