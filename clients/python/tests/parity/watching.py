"""The file-watcher's operations; its events are compared by the service's own scripts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from obby_clients.watcher import ChangeType, PatternSet, Watch

from .corpus import Corpus
from .operations import Operation
from .world import Side

__all__ = ["WATCHER"]


def _starts(corpus: Corpus) -> list[dict[str, Any]]:
    root = corpus.root
    good = [root, root, f"{root}//d1/../d2", root / "d1", root / "d3"]
    bad = ["", "relative", "/", "/proc", "/dev/shm", corpus.files[0], corpus.files[0] / "x"]
    return [
        *({"path": path} for path in [*good, *bad, root / "missing", f"{root}\0"]),
        {"path": root / "d4", "patterns": PatternSet(("*.md", " *.md ", "#"), ("d/", "x"))},
        {"path": root / "d9", "patterns": PatternSet(("*.go", "/abs"))},
        {"path": root / "d10", "patterns": PatternSet()},
        {"path": root / "d11", "debounce": timedelta(hours=1)},
        {"path": root / "d12", "debounce": timedelta(hours=1, microseconds=1)},
        {"path": root / "d12", "debounce": timedelta(seconds=-1)},
    ]


def _with_watch(side: Side, name: str, then: Callable[[str], Any]) -> Any:
    """Do something with the watch whose path ends in a name, or with an id that is none."""
    found = [w.watch_id for w in side.watcher.list_watches() if w.path.endswith(name)]
    return then(found[0] if found else name)


def _events(side: Side, wanted: dict[str, Any]) -> Any:
    with side.watcher.events(**wanted) as stream:
        stream.connect()
        return next(stream) if wanted.get("resume_token") else "it stands"


def _listed(side: Side, limits: dict[str, Any]) -> list[Watch]:
    return list(side.watcher.list_watches(**limits))


WATCHER = [
    Operation(
        "watcher.start_watching", _starts, lambda side, start: side.watcher.start_watching(**start)
    ),
    Operation(
        "watcher.list_watches",
        lambda corpus: [{}, {"limit": 0}, {"limit": 2}, {"limit": -1}, {"page_size": -1}],
        _listed,
    ),
    Operation(
        "watcher.update_patterns",
        lambda corpus: [
            ("/d1", PatternSet(("*.go",))),
            ("/d1", None),
            ("/d3", PatternSet(("a", "a\0b"))),
            ("none", PatternSet(("*",))),
            ("", None),
        ],
        lambda side, one: _with_watch(
            side, one[0] or "nowhere", lambda id_: side.watcher.update_patterns(id_, one[1])
        ),
    ),
    Operation(
        "watcher.events",
        lambda corpus: [
            {},
            {"resume_token": "nonsense"},
            {"resume_token": "0123456789abcdef-7", "path_prefix": corpus.root / "d11"},
            {"resume_token": "0123456789abcdef-07"},
            {"resume_token": "0123456789abcdef-7", "path_prefix": "/elsewhere"},
            {"watch_ids": ["none"]},
            {"path_prefix": "relative"},
            {"change_types": [ChangeType.UNSPECIFIED]},
            {"change_types": [ChangeType(9)]},
            {"change_types": [ChangeType.RENAMED], "path_prefix": "/"},
        ],
        _events,
    ),
    Operation(
        "watcher.stop_watching",
        lambda corpus: ["/d1", "/d1", "/d3", "none"],
        lambda side, name: _with_watch(side, name, side.watcher.stop_watching),
    ),
]
