"""Changes while everything runs: the environment, the flags file, the admin."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from obby_clients.flags import Flags, FlagsAdmin, Reason, Service, source

from .conftest import reason

WATCHER = Service.FILE_WATCHER


def test_case_8_the_kill_switch_in_one_source(file: Path) -> None:
    file.write_text("EMERGENCY_ROLLBACK=true\n")
    environ = {"OBBY_FLAGS_FILE": str(file), "USE_GO_FILE_WATCHER": "1"}
    assert reason(Flags({**environ, "EMERGENCY_ROLLBACK": "false"})) is Reason.KILL_SWITCH
    file.write_text("EMERGENCY_ROLLBACK=false\n")
    assert reason(Flags({**environ, "EMERGENCY_ROLLBACK": "true"})) is Reason.KILL_SWITCH
    assert reason(Flags({**environ, "EMERGENCY_ROLLBACK_TO_PYTHON": "1"})) is Reason.KILL_SWITCH
    assert reason(Flags(environ)) is Reason.PERCENT_ALL


def test_the_file_beats_the_environment(flags: Flags, file: Path) -> None:
    file.write_text("# by hand\n\nUSE_GO_FILE_WATCHER = off\nGO_WATCHER_ROLLOUT_PERCENTAGE=\n")
    assert reason(flags) is Reason.FLAG_OFF
    assert flags.reading("USE_GO_FILE_WATCHER").source == "file"


@pytest.mark.parametrize(
    "text",
    [
        "GO_WATCHER_ROLLOUT_PERCENTAGE=1",  # of 100, half written
        "",
        "GO_WATCHER_ROLLOUT_PERCENTAGE\n",
        "GO_WATCHER_ROLLOUT_PERCENTAGE=10\nUSE_GO_FILE_WATC",
        b"GO_WATCHER_ROLLOUT_PERCENTAGE=10\n\xff\n",
    ],
)
def test_case_23_a_half_written_file(flags: Flags, file: Path, text: str | bytes) -> None:
    file.write_text("GO_WATCHER_ROLLOUT_PERCENTAGE=0\n")
    assert reason(flags) is Reason.PERCENT_ZERO
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert reason(flags) is Reason.PERCENT_ZERO
    (problem,) = flags.problems()
    assert problem.error
    assert str(file) in problem.message
    file.write_text("GO_WATCHER_ROLLOUT_PERCENTAGE=100\n")
    assert reason(flags) is Reason.PERCENT_ALL
    assert not flags.problems()


def test_case_23_deleted_and_replaced(flags: Flags, file: Path) -> None:
    file.write_text("GO_WATCHER_ROLLOUT_PERCENTAGE=0\n")
    assert reason(flags) is Reason.PERCENT_ZERO
    file.unlink()
    assert reason(flags) is Reason.PERCENT_ALL
    file.write_text("USE_GO_FILE_WATCHER=1\n")
    os.utime(file, ns=(1, 1))
    assert reason(flags) is Reason.PERCENT_ALL
    other = file.with_name("other")
    other.write_text("USE_GO_FILE_WATCHER=0\n")  # the same size
    os.utime(other, ns=(1, 1))  # and time
    other.replace(file)
    assert reason(flags) is Reason.FLAG_OFF
    file.write_text("USE_GO_FILE_WATCHER=1\n")  # in place, in the same second
    assert reason(flags) is Reason.PERCENT_ALL


def test_case_24_a_file_that_cannot_be_read(flags: Flags, file: Path, tmp_path: Path) -> None:
    file.write_text("GO_WATCHER_ROLLOUT_PERCENTAGE=0\n")
    assert reason(flags) is Reason.PERCENT_ZERO
    file.unlink()
    file.mkdir()  # nobody can read it, not even root, who runs tests in containers
    assert reason(flags) is Reason.PERCENT_ZERO
    assert "no regular file" in flags.problems()[0].message
    at_start = Flags({"OBBY_FLAGS_FILE": str(file), "USE_GO_FILE_WATCHER": "1"})
    assert reason(at_start) is Reason.PERCENT_ALL
    assert at_start.problems()


def test_case_25_the_environment_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USE_GO_FILE_WATCHER", raising=False)
    flags = Flags()
    assert reason(flags) is Reason.FLAG_OFF
    monkeypatch.setenv("USE_GO_FILE_WATCHER", "1")
    assert reason(flags) is Reason.PERCENT_ALL
    monkeypatch.setenv("EMERGENCY_ROLLBACK", "1")
    assert reason(flags) is Reason.KILL_SWITCH
    monkeypatch.delenv("EMERGENCY_ROLLBACK")
    assert reason(flags) is Reason.PERCENT_ALL


# Reports each change of mind, as a worker of a server would act on it.
FOLLOW = """
import sys, time
from obby_clients.flags import Flags, Service
flags, before = Flags({"OBBY_FLAGS_FILE": sys.argv[1], "USE_GO_FILE_WATCHER": "1"}), None
while before != "FLAG_OFF":
    now = flags.decide(Service.FILE_WATCHER, "/notes").reason.value
    if now != before:
        print(now, flush=True)
    before = now
    time.sleep(0.01)
"""


def test_case_26_four_workers_follow_one_admin(file: Path) -> None:
    command = [sys.executable, "-c", FOLLOW, str(file)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    def heard() -> set[str]:
        return {worker.stdout.readline().strip() for worker in workers if worker.stdout}

    admin = FlagsAdmin(file)
    assert heard() == {"PERCENT_ALL"}
    admin.rollback()
    assert heard() == {"KILL_SWITCH"}
    admin.rollback(on=False)
    assert heard() == {"PERCENT_ALL"}
    admin.set({"USE_GO_FILE_WATCHER": "0"})
    assert heard() == {"FLAG_OFF"}
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0


def test_the_admin_refuses_what_nothing_could_read(file: Path) -> None:
    admin = FlagsAdmin(file)
    admin.set({"USE_GO_FILE_WATCHER": "1", "GO_WATCHER_ROLLOUT_PERCENTAGE": "30"})
    written = file.read_text()
    for name, value, message in (
        ("USE_GO_FILEWATCHER", "1", "is USE_GO_FILE_WATCHER meant"),
        ("USE_GO_FILE_WATCHER", "ture", "neither on"),
        ("GO_WATCHER_ROLLOUT_PERCENTAGE", "101", "no percentage"),
        ("GO_WATCHER_ROLLOUT_PERCENTAGE", " ", "no value"),
        ("OBBY_FLAGS_FILE", "/x", "environment alone"),
        ("USE_GO_FILE_WATCHER", "1\nEMERGENCY_ROLLBACK=1", "more than one line"),
    ):
        with pytest.raises(ValueError, match=message):
            admin.set({name: value})
    assert file.read_text() == written
    admin.set({"USE_GO_FILE_WATCHER": None, "GO_WATCHER_ROLLOUT_PERCENTAGE": None})
    assert Flags({"OBBY_FLAGS_FILE": str(file)}).problems() == []


@pytest.mark.parametrize("end", ["\n", "\r", "\x1e", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize(
    ("name", "value"),
    [("GO_QUERY_SERVICE_TARGET", "unix:/a"), ("GO_QUERY_SERVICE_HOST", "fe80::1%a")],
)
def test_a_value_cannot_write_another_flag(file: Path, name: str, value: str, end: str) -> None:
    with pytest.raises(ValueError, match=name):
        FlagsAdmin(file).set({name: f"{value}{end}USE_GO_SSE_HUB=on"})
    assert not file.exists()


def test_many_admins_at_once_lose_nothing(file: Path) -> None:
    names = [variable for service in Service for variable in (service.switch, service.percentage)]
    threads = [threading.Thread(target=FlagsAdmin(file).set, args=({name: "1"},)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(file.read_text().splitlines()) == sorted(f"{name}=1" for name in names)
    assert sorted(path.name for path in file.parent.iterdir()) == ["flags.conf", "flags.conf.lock"]


def test_the_guard_lets_go_when_the_switch_has_been_off(flags: Flags, file: Path) -> None:
    flags.trip(WATCHER, "it fails")
    assert reason(flags) is Reason.GUARD_TRIPPED
    FlagsAdmin(file).set({"USE_GO_FILE_WATCHER": "off"})
    assert reason(flags) is Reason.FLAG_OFF
    FlagsAdmin(file).set({"USE_GO_FILE_WATCHER": "on"})
    assert reason(flags) is Reason.PERCENT_ALL


def test_case_23_a_file_that_was_just_written_is_read_again(file: Path) -> None:
    # The kernel's clock stands still for some milliseconds: its times would not tell.
    file.write_text("USE_GO_FILE_WATCHER=1\n")
    assert source._signature(str(file)) != source._signature(str(file))


def test_white_space_around_the_files_name_is_not_part_of_it(file: Path) -> None:
    file.write_text("EMERGENCY_ROLLBACK=on\n")
    environ = {"OBBY_FLAGS_FILE": f" {file} ", "USE_GO_FILE_WATCHER": "1"}
    assert reason(Flags(environ)) is Reason.KILL_SWITCH
    assert Flags({"OBBY_FLAGS_FILE": " "}).setting(WATCHER).on is False
    assert Flags({"OBBY_FLAGS_FILE": " "}).overrides().path == ""


def test_no_decision_is_made_of_two_states_of_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Off for all, then on for nobody: another thread reads the file in between."""
    monkeypatch.setattr(source, "EVERY", 0.0)

    class Meddling(dict[str, str]):
        armed = False

        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            if self.armed and name == "USE_GO_FILE_WATCHER":
                self.asked += 1
                if self.asked == 2:  # its place in the file has been read
                    self.armed = False
                    file.write_text("USE_GO_FILE_WATCHER=off\nGO_WATCHER_ROLLOUT_PERCENTAGE=100\n")
                    now.overrides()
            return dict.get(self, name, default)

        asked = 0

    file.write_text("USE_GO_FILE_WATCHER=on\nGO_WATCHER_ROLLOUT_PERCENTAGE=0\n")
    environ = Meddling(OBBY_FLAGS_FILE=str(file))
    now = Flags(environ)
    file.write_text("USE_GO_FILE_WATCHER=on\nGO_WATCHER_ROLLOUT_PERCENTAGE=0\n# again\n")
    environ["GO_FILE_WATCHER_PORT"] = "1"  # so that everything is read anew
    environ.armed = True
    assert reason(now) is Reason.PERCENT_ZERO
    assert not environ.armed
    assert reason(now) is Reason.FLAG_OFF
