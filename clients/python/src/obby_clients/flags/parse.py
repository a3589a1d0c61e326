"""What an operator may write, and what it means.

Python's own `int` and `float` take more than an operator means (`1_0`, digits of
other scripts, `nan`, `1e2`) and round (`int(0.29 * 100)` is 28), so nothing here uses them on
text that a regular expression has not passed.
"""

from __future__ import annotations

import ipaddress
import re

from .._target import checked

__all__ = ["basis_points", "boolean", "host", "port", "show_percentage", "target", "trimmed"]

_TRUE = frozenset(("1", "true", "t", "yes", "y", "on"))
_FALSE = frozenset(("0", "false", "f", "no", "n", "off"))
_PERCENTAGE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%?", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?", re.ASCII)


def trimmed(raw: str | None) -> str | None:
    """Return the text without ASCII white space around it; None where nothing is left.

    Compose files write `VAR=` for a variable that is not set.
    """
    return (raw.strip(" \t\n\r\f\v") or None) if raw else None


def boolean(text: str) -> bool:
    """Read `1 true t yes y on` or `0 false f no n off`, in any case."""
    word = text.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError(f"{text!r} is neither on (1 true t yes y on) nor off (0 false f no n off)")


def basis_points(text: str) -> int:
    """Read a percentage from 0 to 100 with up to two decimals, as hundredths of a percent."""
    match = _PERCENTAGE.fullmatch(text)
    points = int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0")) if match else -1
    if not 0 <= points <= 10_000:
        raise ValueError(f"{text!r} is no percentage from 0 to 100 with at most two decimals")
    return points


def show_percentage(points: int) -> str:
    """Return hundredths of a percent as a person writes them: 30, 0.29."""
    whole, rest = divmod(points, 100)
    return f"{whole}.{rest:02}".rstrip("0") if rest else str(whole)


def port(text: str) -> int:
    """Read a port, 1 to 65535. gRPC would take `abc` for port 0."""
    if _PORT.fullmatch(text) and 1 <= int(text) <= 65_535:
        return int(text)
    raise ValueError(f"{text!r} is no port from 1 to 65535")


def host(text: str) -> str:
    """Read a host name or address; an IPv6 address gets its brackets."""
    if not text.isprintable():  # the zone of an IPv6 address may have anything in it
        raise ValueError(f"{text!r} is no host: it has characters that cannot be seen")
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if _HOST.fullmatch(text):
            return text
        raise ValueError(f"{text!r} is no host: give a name or an address alone") from None
    return f"[{bare}]" if address.version == 6 else text


def target(text: str) -> str:
    """Read a whole gRPC target: `host:port`, `[IPv6 address]:port` or `unix:path`."""
    return checked(text)
