"""Which subjects are in, and that they stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from typing import Any

import pytest

from obby_clients.flags import Backend, Flags, Service, bucket

VECTORS = json.loads(resources.files("obby_clients.flags").joinpath("buckets.json").read_text())[
    "vectors"
]
NAMES = [f"/home/u/notes/{number}.md" for number in range(40_000)]


def subject(vector: dict[str, Any]) -> str | bytes:
    if "hex" in vector:
        return bytes.fromhex(vector["hex"])
    return str(vector["text"]) * int(vector.get("repeat", 1))


@pytest.mark.parametrize("vector", VECTORS)
def test_vectors(vector: dict[str, Any]) -> None:
    assert bucket(vector["flag"], subject(vector)) == vector["bucket"]


def inside(percentage: str) -> set[str]:
    flags = Flags({"USE_GO_CONTENT_TRACKER": "1", "GO_TRACKER_ROLLOUT_PERCENTAGE": percentage})
    service = Service.CONTENT_TRACKER
    return {name for name in NAMES if flags.decide(service, name).backend is Backend.GO}


def test_case_17_a_ramp_is_nested() -> None:
    ten, thirty, ten_again = inside("10"), inside("30"), inside("10")
    assert ten < thirty
    assert ten == ten_again
    assert len(ten) == pytest.approx(4_000, rel=0.1)
    assert len(thirty) == pytest.approx(12_000, rel=0.1)


def test_case_18_every_process_has_the_same_side() -> None:
    program = (
        "import json, sys; from obby_clients.flags import bucket;"
        "print([bucket('go.sse_hub', str(n)) for n in range(100)])"
    )
    answers = set()
    for seed, locale in (("0", "C.UTF-8"), ("1", "C"), ("random", "POSIX")):
        environ = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale}
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=environ,
            capture_output=True,
            check=True,
            timeout=60,
        )
        answers.add(done.stdout)
    assert len(answers) == 1


def test_case_19_services_are_independent() -> None:
    both = sum(
        bucket("go.file_watcher", name) < 1_000 and bucket("go.content_tracker", name) < 1_000
        for name in NAMES
    )
    assert both / len(NAMES) == pytest.approx(0.01, abs=0.003)


def test_case_20_a_name_that_is_not_utf8() -> None:
    raw = b"/home/u/caf\xe9"
    assert bucket("go.file_watcher", os.fsdecode(raw)) == bucket("go.file_watcher", raw) == 8904
    assert 0 <= bucket("go.file_watcher", "\ud800") < 10_000  # stands for no byte at all


def test_case_21_spellings_of_a_letter_are_different_files() -> None:
    assert bucket("go.content_tracker", "/caf\u00e9.md") != bucket(
        "go.content_tracker", "/cafe\u0301.md"
    )


def test_case_22_strange_and_long_subjects() -> None:
    assert bucket("go.sse_hub", "a\0b") != bucket("go.sse_hub", "a")
    long = "x" * 1_000_000
    assert bucket("go.sse_hub", long) == bucket("go.sse_hub", long.encode())
