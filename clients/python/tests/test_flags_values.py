"""What an operator may write, and what it means."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from obby_clients.flags import Backend, Flags, FlagsError, Reason, Service
from obby_clients.metrics import COUNTERS

WATCHER = Service.FILE_WATCHER


def flags(**environ: str) -> Flags:
    return Flags(environ)


def decided(subject: Any = None, **environ: str) -> tuple[Backend, Reason]:
    decision = flags(**environ).decide(WATCHER, subject)
    return decision.backend, decision.reason


GO = (Backend.GO, Reason.PERCENT_ALL)
OFF = (Backend.PYTHON, Reason.FLAG_OFF)
INVALID = (Backend.PYTHON, Reason.INVALID_CONFIG)
KILLED = (Backend.PYTHON, Reason.KILL_SWITCH)
ON = {"USE_GO_FILE_WATCHER": "true"}


@pytest.mark.parametrize("word", ["True", "1", " on ", "t", "YES", "y", "\ttrue\n"])
def test_case_1_on(word: str) -> None:
    assert decided(USE_GO_FILE_WATCHER=word) == GO


@pytest.mark.parametrize("word", ["false", "0", "Off", "n", "NO", "f"])
def test_case_1_off(word: str) -> None:
    assert decided(USE_GO_FILE_WATCHER=word) == OFF


@pytest.mark.parametrize("environ", [{}, {"USE_GO_FILE_WATCHER": ""}, {"USE_GO_FILE_WATCHER": " "}])
def test_case_2_empty_is_unset(environ: dict[str, str]) -> None:
    made = flags(**environ)
    assert made.decide(WATCHER).reason is Reason.FLAG_OFF
    assert made.reading("USE_GO_FILE_WATCHER").state == "UNSET"
    assert not made.problems()


def test_case_3_an_invalid_switch(caplog: pytest.LogCaptureFixture) -> None:
    before = COUNTERS.value("obby_flag_invalid_total", var="USE_GO_FILE_WATCHER")
    made = flags(USE_GO_FILE_WATCHER="enabled")
    for _ in range(3):
        assert made.decide(WATCHER, "/notes").reason is Reason.INVALID_CONFIG
    assert made.decide(WATCHER).detail == "USE_GO_FILE_WATCHER"
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "USE_GO_FILE_WATCHER" in record.getMessage()
    assert "'enabled'" in record.getMessage()
    assert made.reading("USE_GO_FILE_WATCHER").state == "INVALID"
    assert COUNTERS.value("obby_flag_invalid_total", var="USE_GO_FILE_WATCHER") == before + 1


@pytest.mark.parametrize("name", ["EMERGENCY_ROLLBACK", "EMERGENCY_ROLLBACK_TO_PYTHON"])
@pytest.mark.parametrize("word", ["1", "on", "ture", "yes!"])
def test_cases_4_and_5_the_kill_switch(name: str, word: str) -> None:
    assert decided("/notes", **ON, **{name: word}) == KILLED


@pytest.mark.parametrize("word", ["", " ", "off", "0"])
def test_case_6_no_kill_switch(word: str) -> None:
    assert decided(EMERGENCY_ROLLBACK=word, **ON) == GO


def test_case_7_nothing_beats_the_kill_switch() -> None:
    made = Flags(
        {**ON, "EMERGENCY_ROLLBACK": "1", "GO_WATCHER_ROLLOUT_PERCENTAGE": "100"}, allow_forced=True
    )
    assert made.decide(WATCHER, "/notes", force=Backend.GO).reason is Reason.KILL_SWITCH


def test_a_call_may_ask_for_a_side_where_that_is_allowed() -> None:
    ten = {**ON, "GO_WATCHER_ROLLOUT_PERCENTAGE": "0"}
    assert Flags(ten).decide(WATCHER, force=Backend.GO).reason is Reason.PERCENT_ZERO
    allowed = Flags(ten, allow_forced=True)
    assert allowed.decide(WATCHER, force=Backend.GO).backend is Backend.GO
    assert Flags({}, allow_forced=True).decide(WATCHER, force=Backend.GO).reason is Reason.FLAG_OFF
    allowed.trip(WATCHER, "it fails")
    assert allowed.decide(WATCHER, force=Backend.GO).reason is Reason.GUARD_TRIPPED


def test_case_9_no_percentage_is_everybody() -> None:
    assert decided(**ON) == GO
    assert decided(**ON, GO_WATCHER_ROLLOUT_PERCENTAGE=" ") == GO


def in_bucket(low: int, high: int, flag: str = "go.file_watcher") -> str:
    """Return a subject whose bucket is from low to below high."""
    from obby_clients.flags import bucket

    return next(s for s in map(str, range(1_000_000)) if low <= bucket(flag, s) < high)


def test_case_10_zero_is_nobody() -> None:
    first = in_bucket(0, 1)
    assert decided(first, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="0")[1] is Reason.PERCENT_ZERO
    assert decided(first, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="0.01")[1] is Reason.IN_ROLLOUT


def test_case_11_a_hundred_is_everybody() -> None:
    last = in_bucket(9_999, 10_000)
    assert decided(last, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="100") == GO
    assert decided(None, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="100") == GO
    assert decided(last, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="99.99")[1] is Reason.OUT_OF_ROLLOUT


@pytest.mark.parametrize(
    "text",
    [
        *("101", "-1", "1e2", "nan", "inf", "1_0", "\u0661\u0660", "\uff11\uff10", "0x10"),
        *("50,5", "100.01", "5 0", "0.001", "+5", ".5", "5.", "50%%"),
    ],
)
def test_cases_12_and_15_bad_percentages(text: str) -> None:
    made = flags(**ON, GO_WATCHER_ROLLOUT_PERCENTAGE=text)
    decision = made.decide(WATCHER, "/notes")
    assert (decision.backend, decision.reason) == INVALID
    assert decision.detail == "GO_WATCHER_ROLLOUT_PERCENTAGE"
    assert [p.name for p in made.problems() if p.error] == ["GO_WATCHER_ROLLOUT_PERCENTAGE"]


@pytest.mark.parametrize(
    ("text", "points"),
    [("50%", 5000), (" 50 ", 5000), ("050", 5000), ("0.29", 29), ("0.57", 57), ("33.3", 3330)],
)
def test_cases_13_and_14_percentages_are_exact(text: str, points: int) -> None:
    setting = flags(**ON, GO_WATCHER_ROLLOUT_PERCENTAGE=text).setting(WATCHER)
    assert setting.basis_points == points


@pytest.mark.parametrize("subject", [None, "", b""])
def test_case_16_no_subject(subject: Any) -> None:
    thirty = decided(subject, **ON, GO_WATCHER_ROLLOUT_PERCENTAGE="30")
    assert thirty == (Backend.PYTHON, Reason.TARGETING_KEY_MISSING)


def test_case_27_two_names_of_one_port(caplog: pytest.LogCaptureFixture) -> None:
    hub = Service.SSE_HUB
    made = flags(USE_GO_SSE_HUB="1", GO_SSE_HUB_PORT="1", GO_SSE_HUB_GRPC_PORT="2")
    assert made.setting(hub).target == "localhost:1"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "GO_SSE_HUB_GRPC_PORT" in record.getMessage()
    assert flags(GO_SSE_HUB_GRPC_PORT="2").setting(hub).target == "localhost:2"
    assert not flags(GO_SSE_HUB_PORT="2", GO_SSE_HUB_GRPC_PORT="2").problems()


@pytest.mark.parametrize("port", ["abc", "0", "70000", "-1", "5_0", "\uff15"])
def test_case_28_bad_ports(port: str) -> None:
    assert decided(**ON, GO_FILE_WATCHER_PORT=port) == INVALID


@pytest.mark.parametrize(
    ("environ", "target"),
    [
        ({}, "localhost:50051"),
        ({"GO_FILE_WATCHER_PORT": "50051 "}, "localhost:50051"),
        ({"GO_FILE_WATCHER_HOST": "::1"}, "[::1]:50051"),
        ({"GO_FILE_WATCHER_HOST": "[::1]"}, "[::1]:50051"),
        ({"GO_FILE_WATCHER_HOST": "file_watcher.internal"}, "file_watcher.internal:50051"),
        ({"GO_FILE_WATCHER_TARGET": "unix:/run/w.sock"}, "unix:/run/w.sock"),
        ({"GO_FILE_WATCHER_TARGET": "h:1", "GO_FILE_WATCHER_HOST": "other"}, "h:1"),
    ],
)
def test_cases_28_and_29_targets(environ: dict[str, str], target: str) -> None:
    assert flags(**ON, **environ).setting(WATCHER).target == target


@pytest.mark.parametrize("host", ["http://x", "x/y", "x:1", "a b", "unix:/x", "caf\u00e9", "-x"])
def test_case_30_bad_hosts(host: str) -> None:
    assert decided(**ON, GO_FILE_WATCHER_HOST=host) == INVALID


@pytest.mark.parametrize("end", ["\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029", "\0"])
def test_an_endpoint_cannot_have_a_second_line(end: str) -> None:
    assert decided(**ON, GO_FILE_WATCHER_TARGET=f"unix:/a{end}USE_GO_SSE_HUB=on") == INVALID
    assert decided(**ON, GO_FILE_WATCHER_HOST=f"fe80::1%a{end}USE_GO_SSE_HUB=on") == INVALID
    assert decided(**ON, GO_FILE_WATCHER_TARGET="unix:") == INVALID


def test_an_invalid_endpoint_of_a_service_that_is_off_is_off() -> None:
    assert decided(GO_FILE_WATCHER_HOST="http://x") == OFF


def test_case_31_importing_reads_nothing() -> None:
    program = (
        "import os; os.environ.update(GO_WATCHER_ROLLOUT_PERCENTAGE='abc', OBBY_FLAGS_STRICT='1');"
        "import obby_clients.flags, obby_clients.routing"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_strict_refuses_to_start() -> None:
    with pytest.raises(FlagsError, match=r"GO_WATCHER_ROLLOUT_PERCENTAGE: 'abc' is no percentage"):
        flags(OBBY_FLAGS_STRICT="1", GO_WATCHER_ROLLOUT_PERCENTAGE="abc")
    made = flags(OBBY_FLAGS_STRICT="ture", GO_WATCHER_ROLLOUT_PERCENTAGE="abc")
    assert len(made.problems()) == 2


@pytest.mark.parametrize(
    "name", ["USE_GO_FILEWATCHER", "GO_WATCHER_ROLLOUT_PERCENT", "emergency_rolback"]
)
def test_a_name_that_is_nearly_right(name: str, caplog: pytest.LogCaptureFixture) -> None:
    flags(**{name: "1"})
    near = name != "GO_WATCHER_ROLLOUT_PERCENT"  # three letters away
    assert [name in record.getMessage() for record in caplog.records] == [True] * near
    assert not flags(GO_ENV="x", GOPATH="/go", USE_GOLD="1").problems()


def test_where_browsers_find_the_hub() -> None:
    assert flags().hub_address() == "localhost:8080"
    assert flags(GO_SSE_HUB_HTTP_HOST="::1", GO_SSE_HUB_HTTP_PORT="80").hub_address() == "[::1]:80"
    assert flags(GO_SSE_HUB_HTTP_PORT="http").hub_address() is None
