"""What comes with the extras: Prometheus, OpenFeature, OpenTelemetry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc
import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

import obby_clients as oc
from obby.query.v1 import query_pb2
from obby_clients import otel, prometheus
from obby_clients.flags import Flags
from obby_clients.openfeature import ObbyProvider
from obby_clients.routing import Fallbacks, Obby

from .conftest import Server, abort

Serve = Callable[..., Server]


def routed(target: str) -> Obby:
    environ = {"USE_GO_QUERY_SERVICE": "1", "GO_QUERY_SERVICE_TARGET": target}
    return Obby(fallback=Fallbacks(), flags=Flags(environ))


def test_prometheus(serve: Serve) -> None:
    server = serve(
        oc.QueryClient, GetVersionContent=lambda *_: query_pb2.GetVersionContentResponse()
    )
    registry = CollectorRegistry()
    prometheus.register(registry)
    labels = 'backend="go",method="version_content",outcome="ok",reason="PERCENT_ALL"'
    with routed(server.target) as obby:
        obby.query.version_content(1, subject="secret")
    text = generate_latest(registry).decode()
    (line,) = [
        line
        for line in text.splitlines()
        if line.startswith("obby_calls_total{") and labels in line and "query-service" in line
    ]
    assert float(line.rsplit(" ", 1)[1]) >= 1
    assert "secret" not in text
    assert "# TYPE obby_decisions_total counter" in text


def resolve(
    flag: str, default: bool, key: str | None, **environ: str
) -> FlagEvaluationDetails[bool]:
    set_provider = getattr(api, "set_provider_and_wait", api.set_provider)  # older than 0.9
    set_provider(ObbyProvider(Flags(environ)), domain="obby-test")
    context = EvaluationContext(targeting_key=key)
    return api.get_client("obby-test").get_boolean_details(flag, default, context)


THIRTY = {"USE_GO_FILE_WATCHER": "1", "GO_WATCHER_ROLLOUT_PERCENTAGE": "57.42"}


def test_openfeature() -> None:
    found = resolve("go.file_watcher", False, "/home/u/notes/", **THIRTY)
    assert (found.value, found.reason, found.variant) == (True, "SPLIT", "go")
    found = resolve("go.file_watcher", True, None, **THIRTY)
    assert (found.value, found.reason) == (False, "ERROR")  # not the caller's default
    assert found.flag_metadata == {"own_reason": "TARGETING_KEY_MISSING"}
    found = resolve("go.file_watcher", True, "/x", USE_GO_FILE_WATCHER="ture")
    assert (found.value, found.flag_metadata["own_reason"]) == (
        False,
        "INVALID_CONFIG:USE_GO_FILE_WATCHER",
    )
    found = resolve("go.file_watcher", True, "/x", EMERGENCY_ROLLBACK="1", **THIRTY)
    assert (found.value, found.reason) == (False, "DISABLED")
    found = resolve("go.nothing", True, "/x")
    assert (found.value, found.error_code) == (True, ErrorCode.FLAG_NOT_FOUND)
    strange = api.get_client("obby-test").get_string_details("go.sse_hub", "x")
    assert strange.error_code is ErrorCode.TYPE_MISMATCH


def test_opentelemetry(serve: Serve) -> None:
    seen: list[dict[str, Any]] = []

    def answer(_: Any, context: grpc.ServicerContext) -> Any:
        seen.append(dict(context.invocation_metadata()))
        if len(seen) > 1:
            abort(context, grpc.StatusCode.NOT_FOUND)
        return query_pb2.GetVersionContentResponse()

    server = serve(oc.QueryClient, GetVersionContent=answer)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with routed(server.target) as obby:
        otel.instrument(obby, provider)
        with provider.get_tracer("test").start_as_current_span("request") as request:
            obby.query.version_content(1, subject="secret")
            with pytest.raises(oc.NotFoundError):
                obby.query.version_content(2)
    first, second, _ = exporter.get_finished_spans()
    assert first.name == "query-service.version_content"
    assert first.parent is not None
    assert first.parent.span_id == request.get_span_context().span_id
    assert dict(first.attributes or {}) == {
        "obby.service": "query-service",
        "obby.method": "version_content",
        "obby.backend": "go",
        "obby.reason": "PERCENT_ALL",
    }
    assert not second.status.is_ok
    assert f"{request.get_span_context().trace_id:032x}" in seen[0]["traceparent"]
    assert seen[0]["x-obby-decision"] == "PERCENT_ALL"
