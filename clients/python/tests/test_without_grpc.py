"""A backend without grpcio, and one that forks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from obby_clients.flags import Flags
from obby_clients.routing import Fallbacks, Obby

from .test_package import SOURCE, run

HIDE = """
import importlib.abc, sys
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("grpc", "google"):
            raise ModuleNotFoundError(f"hidden: {name}", name=name)
sys.meta_path.insert(0, Hide())
sys.path.insert(0, sys.argv[1])
"""


def test_case_60_without_grpcio_everything_is_pythons(tmp_path: Path) -> None:
    program = """
import asyncio, logging
logged = []
class Handler(logging.Handler):
    def emit(self, record):
        logged.append(record.getMessage())
logging.getLogger("obby_clients").addHandler(Handler())
import os
for name in ("FILE_WATCHER", "CONTENT_TRACKER", "QUERY_SERVICE", "SSE_HUB"):
    os.environ[f"USE_GO_{name}"] = "1"
import obby_clients
from obby_clients.fallback import ContentTracker
from obby_clients.routing import AsyncObby, Fallbacks, Obby
class Query:
    def version_content(self, version_id, *, timeout=None):
        return "python"
with ContentTracker(sys.argv[2] + "/o.db", [sys.argv[2]]) as tracker:
    with Obby(fallback=Fallbacks(tracker=tracker, query=Query())) as obby:
        for _ in range(3):
            print(obby.tracker.content_hash(content=b"x").line_count)
            print(obby.query.version_content(1))
print(logged)
try:
    obby_clients.QueryClient
except ModuleNotFoundError as error:
    print(error)
"""
    *answers, logged, error = run(HIDE + program, str(SOURCE.parent), str(tmp_path)).splitlines()
    assert answers == ["1", "python"] * 3
    assert logged.count("everything runs on Python") == 1
    assert "hidden: grpc" in logged
    assert "hidden" in error


def test_every_export_is_there_without_grpcio() -> None:
    program = """
import obby_clients.flags.cli, obby_clients.fallback, obby_clients.routing, obby_clients.metrics
for module in ("watcher", "tracker", "query", "hub", "errors", "values"):
    __import__("obby_clients." + module)
print(any(name.split(".")[0] in ("grpc", "google") for name in sys.modules))
"""
    assert run(HIDE + program, str(SOURCE.parent)) == "False\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_case_56_a_router_built_before_a_fork(start: Any, root: Path) -> None:
    service = start("content-tracker", "--database", f"{root.parent}/o.db", "--root", str(root))
    program = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.environ.update(USE_GO_CONTENT_TRACKER="1", GO_CONTENT_TRACKER_TARGET=sys.argv[2])
from obby_clients.routing import Fallbacks, Obby
obby = Obby(fallback=Fallbacks())  # as gunicorn's preload_app has it
obby.on_change(None, print)  # with its thread
for _ in range(2):
    if (child := os.fork()) == 0:
        print(obby.tracker.content_hash(content=b"x", timeout=30).size_bytes, flush=True)
        obby.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
obby.close()
"""
    assert run(program, str(SOURCE.parent), service.target) == "1\n1\n"


def test_flags_may_be_shared() -> None:
    flags = Flags({})
    with Obby(fallback=Fallbacks(), flags=flags) as one, Obby(fallback=Fallbacks(), flags=flags):
        assert one.flags is flags
