"""The kill switch and the last good state, where the flags file is damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from obby_clients.flags import DamagedError, Flags, FlagsAdmin, Reason

from .conftest import reason


def test_the_kill_switch_counts_in_a_damaged_file(flags: Flags, file: Path) -> None:
    file.write_text("this is no line\nEMERGENCY_ROLLBACK=on")
    assert reason(flags) is Reason.KILL_SWITCH
    assert flags.problems()
    file.write_text("EMERGENCY_ROLLBACK=ture\nEMERGENCY_ROLLBACK=off\n")
    assert reason(flags) is Reason.KILL_SWITCH


GLUED = "GO_WATCHER_ROLLOUT_PERCENTAGE=10EMERGENCY_ROLLBACK=on"


@pytest.mark.parametrize(
    "text",
    [
        GLUED,  # appended to a last line that had no end
        "# overridesEMERGENCY_ROLLBACK_TO_PYTHON=1",
        "EMERGENCY_ROLLBACK=offEMERGENCY_ROLLBACK=on",
        "export EMERGENCY_ROLLBACK=on",
        "EMERGENCY_ROLLBACK",
        "EMERGENCY_ROLLBACK now!",
        "EMERGENCY_ROLLBACK: on",
        "emergency_rollback=on",
    ],
)
def test_a_line_that_names_the_kill_switch_is_on_and_can_be_taken_back(
    flags: Flags, file: Path, text: str
) -> None:
    file.write_text(f"USE_GO_FILE_WATCHER=1\n{text}\n")
    assert reason(flags) is Reason.KILL_SWITCH
    FlagsAdmin(file).rollback(on=False)
    left = {GLUED: "GO_WATCHER_ROLLOUT_PERCENTAGE=10\n"}.get(text, "")
    left = "# overrides\n" if text.startswith("#") else left
    assert file.read_text() == f"USE_GO_FILE_WATCHER=1\n{left}"
    assert reason(flags) is not Reason.KILL_SWITCH
    assert not flags.problems()


@pytest.mark.parametrize(
    "text",
    [
        "# EMERGENCY_ROLLBACK=on",
        "# in an emergency: `EMERGENCY_ROLLBACK=on`",
        "export EMERGENCY_ROLLBACK=off",
        "EMERGENCY_ROLLBACK off",
        "EMERGENCY_ROLLBACK=",
    ],
)
def test_a_line_that_clearly_says_off_is_off(flags: Flags, file: Path, text: str) -> None:
    file.write_text(f"{text}\n")
    assert reason(flags) is Reason.PERCENT_ALL


def test_a_rollback_of_a_damaged_file_ends_with_its_line(flags: Flags, file: Path) -> None:
    file.write_text("GO_WATCHER_ROLLOUT_PERCENTAGE=0\n")
    assert reason(flags) is Reason.PERCENT_ZERO
    file.write_text("garbage\n")
    assert reason(flags) is Reason.PERCENT_ZERO
    FlagsAdmin(file).rollback()
    assert reason(flags) is Reason.KILL_SWITCH
    file.write_text("")  # as while it is written
    assert reason(flags) is Reason.KILL_SWITCH
    file.write_text("garbage\n")
    assert reason(flags) is Reason.PERCENT_ZERO


def test_case_23_the_last_good_state_may_be_a_rollback(flags: Flags, file: Path) -> None:
    file.write_text("EMERGENCY_ROLLBACK=on\n")
    assert reason(flags) is Reason.KILL_SWITCH
    file.write_text("garbage\n")
    assert reason(flags) is Reason.KILL_SWITCH
    file.write_text("# over\n")
    assert reason(flags) is Reason.PERCENT_ALL


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("# a\n\nEMERGENCY_ROLLBACK=on\ngarbage\n", "line 4 is not KEY=value"),
        ("GO_WATCHER_ROLLOUT_PERCENTAGE=1", "its last line has no end"),
        (b"# caf\xe9\n", "it is not UTF-8"),
    ],
)
def test_a_damaged_file_is_not_changed_but_rolled_back(
    flags: Flags, file: Path, text: str | bytes, why: str
) -> None:
    """No process would follow: to say that they do would be worse than to refuse."""
    before = text if isinstance(text, bytes) else text.encode()
    file.write_bytes(before)
    admin = FlagsAdmin(file)
    with pytest.raises(DamagedError, match=why):
        admin.set({"USE_GO_SSE_HUB": "on"})
    with pytest.raises(DamagedError, match=why):
        admin.rollback(on=False)
    assert file.read_bytes() == before
    with pytest.raises(DamagedError, match=why):
        admin.set({"EMERGENCY_ROLLBACK": "on", "USE_GO_SSE_HUB": "on"})
    assert file.read_bytes() == before
    admin.rollback()
    assert reason(flags) is Reason.KILL_SWITCH
    file.write_bytes(before)
    admin.set({"EMERGENCY_ROLLBACK_TO_PYTHON": "on"})
    assert reason(flags) is Reason.KILL_SWITCH
    assert file.read_bytes().endswith(b"\nEMERGENCY_ROLLBACK_TO_PYTHON=on\n")


def test_an_empty_file_is_written_anew(flags: Flags, file: Path) -> None:
    file.write_text("")
    FlagsAdmin(file).set({"USE_GO_FILE_WATCHER": "off"})
    assert reason(flags) is Reason.FLAG_OFF
