"""Which of 10,000 buckets a subject is in.

The same everywhere and always: in every process, on every host, in Go as in
Python. `buckets.json` has the vectors that tests of both languages read. SHA-256
is in both standard libraries, has no seed, and its high bits are uniform, so that
multiply and shift is fair; being in the 10 % of one flag says nothing about
another's.
"""

from __future__ import annotations

import os
from hashlib import sha256
from typing import Any

__all__ = ["BUCKETS", "bucket", "canonical", "subject_bytes", "subject_hash"]

BUCKETS = 10_000
"""One bucket is a hundredth of a percent."""


def bucket(flag: str, subject: str | bytes) -> int:
    """Return the bucket, 0 to 9,999, of a subject for a flag's id."""
    digest = sha256(flag.encode() + b"\0" + subject_bytes(subject)).digest()
    return (int.from_bytes(digest[:8], "big") * BUCKETS) >> 64


def canonical(path: Any) -> bytes:
    """Return the bytes of a path without `.`, `..`, doubled or trailing slashes.

    The bytes that the kernel knows: no Unicode normalisation, which would make
    one of two files.
    """
    clean = os.path.normpath(os.fsencode(path))
    return b"/" + clean.lstrip(b"/") if clean.startswith(b"//") else clean


def subject_bytes(subject: str | bytes) -> bytes:
    """Return what is hashed.

    Bytes that `os.fsdecode` could not read are themselves again; there is no
    Unicode normalisation, because Linux keeps the two spellings of an é apart.
    """
    if isinstance(subject, bytes):
        return subject
    try:
        return subject.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return subject.encode("utf-8", "surrogatepass")


def subject_hash(subject: str | bytes) -> str:
    """Return what logs may show of a subject: 12 hexadecimal digits."""
    return sha256(subject_bytes(subject)).hexdigest()[:12]
