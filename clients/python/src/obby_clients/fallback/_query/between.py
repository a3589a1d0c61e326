"""The difference between two contents: GetDiff."""

from __future__ import annotations

from datetime import datetime

from ...query.values import VersionDiff
from ...values import AnyPath
from .reader import Answers

__all__ = ["diff"]


def diff(
    answers: Answers,
    old: int | datetime,
    new: int | datetime,
    path: AnyPath | None,
    context_lines: int | None,
) -> VersionDiff:
    """Compute the unified diff between two contents."""
    raise NotImplementedError
