"""Where a service listens, in the words that gRPC takes."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["checked", "is_local"]

_TARGET = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:.%]+)\]|(?P<host>[^\[\]:/\s]+)):(?P<port>[0-9]{1,5})")


def checked(target: str) -> str:
    """Return the target if it is `host:port`, `[v6]:port` or `unix:path`.

    gRPC takes a port that is no number for port 0, a scheme for a host name, and
    fails at the first call only.
    """
    # A line's end would begin another line of the flags file, and no text of a
    # person's has one in it, nor a NUL or half a character.
    if target.startswith("unix:") and target != "unix:" and target.isprintable():
        return target
    match = _TARGET.fullmatch(target)
    if match is None or not 1 <= int(match["port"]) <= 65_535:
        raise ValueError(f"{target!r} is not host:port, [IPv6 address]:port or unix:path")
    return target


def is_local(target: str) -> bool:
    """Return whether the target is on this machine."""
    match = _TARGET.fullmatch(target)
    if match is None:
        return True  # unix:
    host: str = match["v6"] or match["host"]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
