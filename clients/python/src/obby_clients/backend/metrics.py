"""`/metrics`: what flags and routing do in this process, for Prometheus."""

from __future__ import annotations

from fastapi import FastAPI, Response
from fastapi.responses import PlainTextResponse

from ..errors import UnimplementedError

__all__ = ["answer_metrics"]


def answer_metrics(app: FastAPI) -> None:
    """Answer `GET /metrics`; without the extra `prometheus` with what to install."""

    @app.get(
        "/metrics",
        tags=["health"],
        summary="Count calls, for Prometheus",
        response_class=PlainTextResponse,
    )
    def metrics() -> Response:
        """Count calls by the side that answered them; of the process that answers this."""
        try:
            from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415
            from prometheus_client.exposition import (  # noqa: PLC0415
                CONTENT_TYPE_LATEST,
                generate_latest,
            )

            from ..prometheus import register  # noqa: PLC0415
        except ModuleNotFoundError as error:
            raise UnimplementedError(
                f"{error.name} is missing: pip install 'obby-clients[prometheus]'"
            ) from error
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        register(registry)
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
