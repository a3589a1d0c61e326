"""Spans of routed calls for OpenTelemetry (extra `otel`).

    from obby_clients import otel

    otel.instrument(obby)

Each call becomes a span of the current one, with the decision, its reason, who
answered, and the status; the Go services get `traceparent`. No attribute has the
subject.
"""

from __future__ import annotations

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, TracerProvider

from ._version import __version__
from .routing import AsyncObby, Obby, Outcome

__all__ = ["instrument"]

_NS = 1_000_000_000


def instrument(obby: Obby | AsyncObby, provider: TracerProvider | None = None) -> None:
    """Make a span of each call from now on; `provider` is by default the global one."""
    tracer = trace.get_tracer("obby_clients", __version__, provider)
    obby.router.observers.append(lambda outcome: _span(tracer, outcome))
    obby.router.headers.append(_headers)


def _headers() -> tuple[tuple[str, str], ...]:
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return tuple(carrier.items())


def _span(tracer: Tracer, outcome: Outcome) -> None:
    call, decision = outcome.call, outcome.decision
    end = round((outcome.start + outcome.seconds) * _NS)
    span = tracer.start_span(
        f"{call.service.label}.{call.name}",
        kind=SpanKind.CLIENT,
        start_time=round(outcome.start * _NS),
        attributes={
            "obby.service": call.service.label,
            "obby.method": call.name,
            "obby.backend": decision.backend.value,
            "obby.reason": str(decision),
        },
    )
    if outcome.error is not None:
        span.record_exception(outcome.error)
        span.set_status(Status(StatusCode.ERROR, type(outcome.error).__name__))
    span.end(end)
