"""Writes `routing/services.pyi`: the clients' methods, with `subject`, in both kinds.

    python tools/routed_stub.py

A test compares the file with what this would write.
"""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

from obby_clients.flags import Service
from obby_clients.routing.calls import CALLS, Call, Shape

TARGET = Path(__file__).parents[1] / "src/obby_clients/routing/services.pyi"
CLASSES = {
    Service.FILE_WATCHER: ("watcher", "FileWatcherClient", "Watcher"),
    Service.CONTENT_TRACKER: ("tracker", "ContentTrackerClient", "Tracker"),
    Service.QUERY_SERVICE: ("query", "QueryClient", "Query"),
    Service.SSE_HUB: ("hub", "SSEHubClient", "Hub"),
}
HEAD = '''"""What type checkers know of the routed services. Written by tools/routed_stub.py."""

from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime, timedelta

from .. import hub, query, tracker, watcher
from ..values import AnyPath, ServerInfo
from .live_aio import AsyncLiveStream
from .live_sync import LiveStream
from .router import Router
from .streams import AsyncRoutedStream, RoutedStream

'''


def stub() -> str:
    """Return the text of the file."""
    names = [f"{kind}{CLASSES[s][2]}" for s in Service for kind in ("", "Async")]
    listed = "".join(f'    "{name}",\n' for name in sorted(names))
    parts = [f"{HEAD}__all__ = [\n{listed}]"]
    for service in Service:
        for asynchronous in (False, True):
            parts.append(_class(service, asynchronous))
    return "\n".join(parts) + "\n"


def _class(service: Service, asynchronous: bool) -> str:
    module, client, name = CLASSES[service]
    found = getattr(importlib.import_module(f"obby_clients.{module}.client"), client)
    lines = [f"\nclass {'Async' if asynchronous else ''}{name}:"]
    lines.append("    def __init__(self, router: Router) -> None: ...")
    for call in CALLS[service].values():
        if (described := inspect.getattr_static(found, call.name, None)) is not None:
            lines.append(
                _method(call, module, inspect.signature(described.__wrapped__), asynchronous)
            )
    return "\n".join(lines)


def _method(call: Call, module: str, signature: inspect.Signature, asynchronous: bool) -> str:
    subject = inspect.Parameter(
        "subject", inspect.Parameter.KEYWORD_ONLY, default=None, annotation="str | bytes | None"
    )
    parameters = [
        parameter.replace(annotation=_qualified(parameter.annotation, module))
        for parameter in list(signature.parameters.values())[1:]
    ]
    shown = ["self", *map(_parameter, parameters)]
    if not any(p.kind is inspect.Parameter.KEYWORD_ONLY for p in parameters):
        shown.append("*")
    shown.append(_parameter(subject))
    gives = re.fullmatch(r"\w+\[(.*)\]", signature.return_annotation)
    assert gives, f"{call.name} gives {signature.return_annotation}"
    result = _result(call, _qualified(gives[1], module), asynchronous)
    word = "async def" if asynchronous and call.shape is Shape.UNARY else "def"
    joined = "".join(f"\n        {entry}," for entry in _with_star(shown, parameters))
    return f"    {word} {call.name}({joined}\n    ) -> {result}: ..."


def _with_star(shown: list[str], parameters: list[inspect.Parameter]) -> list[str]:
    for place, parameter in enumerate(parameters):
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            return [*shown[: place + 1], "*", *shown[place + 1 :]]
    return shown


def _parameter(parameter: inspect.Parameter) -> str:
    text = f"{parameter.name}: {parameter.annotation}"
    return text if parameter.default is inspect.Parameter.empty else f"{text} = ..."


def _result(call: Call, item: str, asynchronous: bool) -> str:
    kind = "Async" if asynchronous else ""
    return {
        Shape.UNARY: item,
        Shape.LIST: f"{kind}Iterator[{item}]",
        Shape.STREAM: f"{kind}RoutedStream[{item}]",
        Shape.LIVE: f"{kind}LiveStream[{item}]",
        Shape.FOLLOW: f"{kind}RoutedStream[{item}] | {kind}LiveStream[{item}]",
    }[call.shape]


def _qualified(annotation: str, module: str) -> str:
    values = importlib.import_module(f"obby_clients.{module}").__all__

    def qualify(match: re.Match[str]) -> str:
        return f"{module}.{match[0]}" if match[0] in values else match[0]

    return re.sub(r"\b[A-Za-z_]+\b", qualify, annotation)


if __name__ == "__main__":
    TARGET.write_text(stub())
