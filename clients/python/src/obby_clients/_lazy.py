"""Names of a package that are imported when they are first asked for.

The clients need grpcio; errors, values, flags and the Python side do not. A
backend must start where grpcio is missing or broken (client case 60), and it
starts sooner where no service is used.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["lazy"]


def lazy(package: str, **modules: Iterable[str]) -> Callable[[str], Any]:
    """Return a package's `__getattr__`: which of its modules has which names."""
    where = {name: module for module, names in modules.items() for name in names}

    def load(name: str) -> Any:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{where[name]}"), name)
        setattr(sys.modules[package], name, value)  # the next time without this function
        return value

    return load
