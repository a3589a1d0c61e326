"""Values that several services share."""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Union

__all__ = ["AnyPath", "ChangeType", "ContentKind", "OpenEnum", "ServerInfo"]

AnyPath = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
"""A path as Python's own functions take it; names that are not UTF-8 survive."""


class OpenEnum(enum.IntEnum):
    """An enum that also holds numbers it has no name for.

    A newer server may send a value that this version does not know (client case
    46); it becomes `UNKNOWN(77)`, equal to every other one of its number.
    """

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN({value})"
        member._value_ = value
        return member

    @property
    def known(self) -> bool:
        """Whether this version has a name for the value."""
        return self._name_ in type(self).__members__

    # Not the number, which IntEnum shows from Python 3.11 on.
    def __str__(self) -> str:
        return self._name_


class ChangeType(OpenEnum):
    """What a recorded step did to a path."""

    UNSPECIFIED = 0
    """Not set; never received."""
    CREATED = 1
    """The path has content and had none before, or again after a deletion."""
    MODIFIED = 2
    """The path has other content than before."""
    DELETED = 3
    """The path is gone."""
    MOVED = 4
    """The path has the file that `old_path` had."""


class ContentKind(OpenEnum):
    """How the content of a version is kept."""

    UNSPECIFIED = 0
    """Not known: a row that the Python side wrote."""
    TEXT = 1
    """UTF-8 text, kept with LF line ends."""
    LOSSY_TEXT = 2
    """Text that is not valid UTF-8: exact bytes are kept."""
    BINARY = 3
    """Binary: exact bytes are kept."""
    OMITTED = 4
    """Larger than the size cap: only the hash is kept."""


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """Describes a running server."""

    version: str
    """Version of the program, for people."""
    api_versions: tuple[str, ...]
    """Proto packages served, such as `obby.query.v1`."""
    features: tuple[str, ...]
    """Optional abilities; test for membership."""
    instance_id: str
    """Identifies the running process; changes when it restarts."""
    start_time: datetime
    """When the process started."""
