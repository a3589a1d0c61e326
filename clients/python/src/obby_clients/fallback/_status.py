"""What is told of a watch."""

from __future__ import annotations

from datetime import timedelta

from ..watcher.values import Watch, WatchState
from ._paths import quote, shown
from ._settling import Root
from ._tree import Tree

__all__ = ["watch_of"]


def watch_of(root: Root) -> Watch:
    """Describe a watch at this moment."""
    tree, waiting = root.tree, root.tree.top is None
    return Watch(
        watch_id=tree.id,
        path=tree.path,
        state=WatchState.WAITING if waiting else WatchState.ACTIVE,
        method=root.method,
        status_message=_message(tree, root.reason, waiting=waiting),
        debounce=timedelta(seconds=tree.delay),
        patterns=tree.patterns.value(),
        create_time=tree.created,
        directory_count=0 if waiting else len(tree.directories),
        file_count=len(tree.files),
    )


def _message(tree: Tree, polled: str, *, waiting: bool) -> str:
    """Say what needs attention, the most pressing first; `polled` is why it is polled."""
    said = []
    if waiting:
        said.append("the root is missing; it is watched again as soon as it is back")
    else:
        if tree.pattern_error:
            said.append(f"the former patterns stay in force: {tree.pattern_error}")
        said.append(tree.patterns.why)
    if problems := tree.patterns.problems:
        said.append(f"unusable patterns: {len(problems)}, the first: {problems[0]}")
    if polled:
        said.append(f"it is polled: {polled}")
    if tree.unread:
        rel, why = min(tree.unread.items())
        said.append(
            "directories with something that cannot be looked at:"
            f" {len(tree.unread)}, such as {quote(tree.full(rel))}: {why}"
        )
    return shown("; ".join(filter(None, said)))
