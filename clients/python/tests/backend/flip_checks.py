"""What a run of the flip test counts, and what must hold at its end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from ..parity.compare import applied
from .world import Backend, Listener

__all__ = ["Report", "check_events", "check_history", "check_same", "hash_of"]


@dataclass
class Report:
    """What a run counted."""

    flips: int = 0
    kills: int = 0
    clients: int = 0
    reconnections: int = 0
    edits: int = 0
    files: int = 0
    changes: int = 0
    diffs_applied: int = 0
    events_received: int = 0
    events_on_the_go_hub: int = 0
    watcher_handovers: int = 0
    problems: list[str] = field(default_factory=list)


def hash_of(path: Path) -> str:
    text = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return hashlib.sha256(text).hexdigest()


def check_history(backend: Backend, report: Report) -> None:
    """Follow the steps from the first: each begins where its path was, and its diff applies."""
    contents = {
        row: (content or "").encode()
        for row, content in backend.rows("SELECT id, content FROM file_versions")
    }
    heads: dict[str, int | None] = {}
    steps = backend.rows(
        "SELECT d.id, d.file_path, o.old_path, d.change_type, d.old_version_id, d.new_version_id,"
        " d.diff_content FROM content_diffs d LEFT JOIN obby_diffs o ON o.diff_id = d.id"
        " ORDER BY d.id"
    )
    for step, path, old_path, change_type, old, new, diff in steps:
        source = old_path or path
        if heads.get(source) != old:
            report.problems.append(
                f"step {step} of {path} begins at {old}, not {heads.get(source)}"
            )
        if old == new and change_type != "moved":
            report.problems.append(f"step {step} of {path} changes nothing")
        heads[source], heads[path] = None, new
        before, after = contents.get(old, b""), contents.get(new, b"")
        if before != after and applied(before, diff.encode()) != after:
            report.problems.append(f"the diff of step {step} of {path} does not apply")
        report.diffs_applied += 1
    report.changes = len(steps)
    stored = dict(
        backend.rows(
            "SELECT s.file_path, v.id FROM file_states s JOIN file_versions v"
            " ON v.file_path = s.file_path AND v.content_hash = s.content_hash"
        )
    )
    if {path: head for path, head in heads.items() if head} != stored:
        report.problems.append("the steps do not lead to the states")


def check_events(backend: Backend, listeners: list[Listener], report: Report) -> None:
    committed = backend.change_ids()
    for listener in listeners:
        first = int(listener.began.rpartition("-")[2])
        expected = [change for change in committed if change > first]
        check_same(listener.client_id, expected, listener.changes, report)
        if listener.resets:
            report.problems.append(f"{listener.client_id} was reset: {listener.resets}")
        report.events_received += len(listener.changes)
        report.reconnections += listener.connections - 1


def check_same(who: str, expected: list[int], got: list[int], report: Report) -> None:
    if got != expected:
        lost = sorted(set(expected) - set(got))
        report.problems.append(
            f"{who}: {len(lost)} lost {lost[:5]}, {len(got) - len(set(got))} twice,"
            f" ordered: {got == sorted(got)}"
        )
