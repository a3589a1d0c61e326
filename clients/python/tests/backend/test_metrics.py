"""What operators are told to watch can be read."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from obby_clients import fastapi as obby
from obby_clients.backend.metrics import answer_metrics

from .world import Backend


def test_the_calls_are_counted_by_who_answered(backend: Callable[..., Backend]) -> None:
    running = backend()
    running.get("/diffs")
    with urllib.request.urlopen(f"http://127.0.0.1:{running.port}/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=")
        text = answer.read().decode()
    assert "# TYPE obby_decisions_total counter" in text
    calls = [line for line in text.splitlines() if line.startswith("obby_calls_total{")]
    (asked,) = [line for line in calls if 'service="query-service"' in line]
    assert 'backend="python"' in asked
    assert asked.endswith(" 1.0")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    app = FastAPI()
    obby.handle_errors(app)
    answer_metrics(app)
    answer = TestClient(app).get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (501, "UNIMPLEMENTED")
    assert "pip install 'obby-clients[prometheus]'" in answer.json()["message"]
