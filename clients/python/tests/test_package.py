"""What the package promises as a whole."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import obby_clients
from obby.query.v1 import query_pb2

from .conftest import Server

SOURCE = Path(obby_clients.__file__).parent
MODULES = ["obby_clients"] + [
    module.name
    for module in pkgutil.walk_packages(obby_clients.__path__, "obby_clients.")
    if "_googleapis" not in module.name
]


def run(code: str, *args: str) -> str:
    """Run Python code in a process of its own, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize("name", MODULES)
def test_all_is_explicit_and_complete(name: str) -> None:
    module = importlib.import_module(name)
    assert len(module.__all__) == len(set(module.__all__))
    exported = {key: getattr(module, key) for key in module.__all__}
    if any(part.startswith("_") for part in name.split(".")):
        return
    public = {
        key
        for key, value in vars(module).items()
        if not key.startswith("_")
        and getattr(value, "__module__", "").startswith("obby_clients")
        and (value.__module__ == name or hasattr(module, "__path__"))
        and not isinstance(value, types.FunctionType)
    }
    assert public <= exported.keys(), f"missing from __all__ of {name}"


def test_results_and_errors_are_reachable_from_the_service_modules() -> None:
    for service in ("hub", "query", "tracker", "watcher"):
        module = getattr(obby_clients, service)
        values = importlib.import_module(f"obby_clients.{service}.values")
        assert set(values.__all__) <= set(module.__all__)
    errors = importlib.import_module("obby_clients.errors")
    assert set(errors.__all__) <= set(obby_clients.__all__)


def test_the_package_is_typed() -> None:
    assert (SOURCE / "py.typed").exists()


def test_readme() -> None:
    readme = (SOURCE.parent.parent / "README.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    assert len(blocks) == 6
    for block in blocks:
        compile(block, "README.md", "exec")
        for line in re.findall(r"^(?:from|import) .*", block, re.MULTILINE):
            exec(line, {})


def test_run_time_dependencies_are_two() -> None:
    project = (SOURCE.parent.parent / "pyproject.toml").read_text()
    assert 'dependencies = ["grpcio>=1.51", "protobuf>=4.21.9"]' in project


# Leaves of what is installed only the two dependencies, and what grpcio itself needs.
HIDE = """
import importlib.abc, importlib.machinery, sys
SEEN = {*sys.stdlib_module_names, "google", "grpc", "obby_clients", "typing_extensions"}
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top, *below = name.split(".")
        if top not in SEEN:
            raise ModuleNotFoundError(f"hidden: {name}", name=name)
        if top != "google" or below[:1] in ([], ["protobuf"], ["_upb"]):
            return None
        ours = [entry for entry in path if "_googleapis" in entry]
        spec = importlib.machinery.PathFinder.find_spec(name, ours)
        if spec is None:
            raise ModuleNotFoundError(f"hidden: {name}", name=name)
        return spec
sys.meta_path.insert(0, Hide())
sys.path.insert(0, sys.argv[1])
"""


def test_with_only_grpcio_and_protobuf_it_prints_the_recent_diffs(
    serve: Callable[..., Server],
) -> None:
    page = query_pb2.GetRecentDiffsResponse(
        diffs=[
            query_pb2.Diff(
                change_id=1, path="/notes/a.md", change_type=query_pb2.CHANGE_TYPE_CREATED
            )
        ]
    )
    server = serve(obby_clients.QueryClient, GetRecentDiffs=lambda *_: page)
    program = """
from obby_clients import QueryClient
with QueryClient(sys.argv[2]) as query:
    for diff in query.recent_diffs(limit=10):
        print(diff.path, diff.change_type)
print(sys.modules["google.rpc.error_details_pb2"].__file__)
"""
    listed, details = run(HIDE + program, str(SOURCE.parent), server.target).splitlines()
    assert listed == "/notes/a.md CREATED"
    assert "_googleapis" in details


def test_an_installed_google_rpc_is_used(tmp_path: Path) -> None:
    shutil.copytree(SOURCE / "_googleapis" / "google", tmp_path / "google")
    program = """
import sys
sys.path[:0] = sys.argv[1:]
import obby_clients._contract
print(sys.modules["google.rpc.status_pb2"].__file__)
print(any("_googleapis" in entry for entry in sys.modules["google"].__path__))
"""
    used, ours = run(program, str(tmp_path), str(SOURCE.parent)).splitlines()
    assert used.startswith(str(tmp_path))
    assert ours == "False"


def test_a_host_that_is_called_obby_too_keeps_its_name(tmp_path: Path) -> None:
    (tmp_path / "obby").mkdir()
    (tmp_path / "obby" / "__init__.py").write_text("from obby import query\n")
    (tmp_path / "obby" / "query.py").write_text("import obby_clients\nhost = True\n")
    program = """
import sys
sys.path[:0] = sys.argv[1:]
import obby
print(obby.query.host, obby.query.obby_clients.QueryClient.__name__)
"""
    assert run(program, str(tmp_path), str(SOURCE.parent)) == "True QueryClient\n"


def test_generated_code_is_importable_afterwards() -> None:
    program = """
import sys
sys.path.insert(0, sys.argv[1])
import obby_clients._contract as contract
from obby.tracker.v1 import tracker_pb2, tracker_pb2_grpc
assert tracker_pb2.Version is contract.tracker_pb2.Version
"""
    run(program, str(SOURCE.parent))
