"""The generated messages of the four services.

They are loaded from their files and not by their names: the product that uses
this package may be called `obby` too, and a package of that name hides the
generated one. Loading them again by name is harmless, the classes are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import _rpc_types  # noqa: F401 (tracker_pb2 imports google.rpc)

__all__ = ["query_pb2", "sse_pb2", "tracker_pb2", "watcher_pb2"]

if TYPE_CHECKING:
    from obby.query.v1 import query_pb2
    from obby.sse.v1 import sse_pb2
    from obby.tracker.v1 import tracker_pb2
    from obby.watcher.v1 import watcher_pb2
else:
    import importlib.util
    from pathlib import Path

    def _load(service):
        name = f"obby.{service}.v1.{service}_pb2"
        path = Path(__file__).parent.parent.joinpath(*name.split(".")).with_suffix(".py")
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    query_pb2 = _load("query")
    sse_pb2 = _load("sse")
    tracker_pb2 = _load("tracker")
    watcher_pb2 = _load("watcher")
