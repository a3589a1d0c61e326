"""obby-flags, as an operator sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from obby_clients.flags.cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    for name in [name for name in os.environ if name.startswith(("GO_", "USE_GO", "OBBY_FLAGS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("OBBY_FLAGS_FILE", str(tmp_path / "flags.conf"))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_status(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USE_GO_FILE_WATCHER", "1")
    monkeypatch.setenv("GO_WATCHER_ROLLOUT_PERCENTAGE", "30")
    monkeypatch.setenv("USE_GO_QUERY_SERVICE", "yess")
    code, out, _ = run("status")
    assert code == 0
    assert "file-watcher     go for 30 %" in out
    assert "query-service    python       INVALID_CONFIG:USE_GO_QUERY_SERVICE" in out
    assert "ERROR: USE_GO_QUERY_SERVICE: 'yess' is neither on" in out
    assert "(does not exist: no overrides)" in out
    _, shown, _ = run("status", "--json")
    status = json.loads(shown)
    assert status["services"]["file-watcher"]["percentage"] == "30 %"
    assert {v["name"]: v["state"] for v in status["variables"]}["USE_GO_QUERY_SERVICE"] == "INVALID"


def test_rollback_and_back(run: Run, tmp_path: Path) -> None:
    run("set", "USE_GO_SSE_HUB=on", "GO_SSE_ROLLOUT_PERCENTAGE=30")
    code, out, _ = run("rollback")
    assert code == 0
    assert out.splitlines()[1].startswith("EMERGENCY ROLLBACK IS ON (EMERGENCY_ROLLBACK=on")
    assert out.count("KILL_SWITCH") == 4
    code, out, _ = run("rollback", "--off")
    assert "EMERGENCY" not in out
    assert "go for 30 %" in out
    assert (tmp_path / "flags.conf").read_text() == (
        "USE_GO_SSE_HUB=on\nGO_SSE_ROLLOUT_PERCENTAGE=30\n"
    )


def test_a_rollback_that_the_environment_keeps_on(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMERGENCY_ROLLBACK_TO_PYTHON", "1")
    _, out, _ = run("rollback", "--off")
    assert "EMERGENCY ROLLBACK IS ON (EMERGENCY_ROLLBACK_TO_PYTHON=1 in the env)" in out


def test_explain(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("set", "USE_GO_FILE_WATCHER=1", "GO_WATCHER_ROLLOUT_PERCENTAGE=57.42")
    code, out, _ = run("explain", "watcher", "/home/u/notes/")
    assert (code, out) == (
        0,
        "file-watcher: GO  IN_ROLLOUT\n"
        "  the subject's bucket 5741 of 10000 is below 5742 (57.42 %)\n",
    )
    _, out, _ = run("explain", "file-watcher", "--json")
    assert json.loads(out)["openfeature_reason"] == "ERROR"
    code, _, err = run("explain", "wacher", "/x")
    assert code == 2
    assert "'wacher' is no service: say file-watcher" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["set", "USE_GO_FILE_WATCHER"], "is not NAME=VALUE"),
        (["set", "USE_GO_FILE_WATCHER=ture"], "neither on"),
        (["set", "USE_GO_FILEWATCHER=1"], "is USE_GO_FILE_WATCHER meant?"),
    ],
)
def test_what_is_refused(run: Run, arguments: list[str], said: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert said in err


def test_without_a_file(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OBBY_FLAGS_FILE")
    code, _, err = run("rollback")
    assert code == 2
    assert "set OBBY_FLAGS_FILE or give --file" in err
    assert run("rollback", "--file", str(tmp_path / "other"))[0] == 0
    code, _, err = run("rollback", "--file", str(tmp_path / "none" / "other"))
    assert code == 3
    assert "No such file or directory" in err


def test_check(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("check") == (0, "every value can be read\n", "")
    monkeypatch.setenv("USE_GO_SSEHUB", "1")
    assert run("check")[0] == 0
    assert run("check", "--strict")[0] == 1
    monkeypatch.setenv("GO_SSE_HUB_PORT", "70000")
    monkeypatch.setenv("OBBY_FLAGS_STRICT", "1")  # it shows what it refuses
    code, out, _ = run("check", "--json")
    assert code == 1
    assert [problem["level"] for problem in json.loads(out)] == ["error", "warning"]


def test_a_file_in_no_folder(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBBY_FLAGS_FILE", str(tmp_path / "flgas" / "flags.conf"))
    code, out, _ = run("check")
    assert (code, run("check", "--strict")[0]) == (0, 1)
    assert out.startswith("WARNING: OBBY_FLAGS_FILE: ")
    assert f"there is no folder {tmp_path / 'flgas'}" in out


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The limit of a file's size fails as a full disk does: without a name."""
    file = tmp_path / "flags.conf"
    program = (
        "import resource, sys; from obby_clients.flags.cli import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", program, "rollback", "--file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (3, f"obby-flags: {file}: File too large\n")
    assert not file.exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_the_environment_of_a_running_process(run: Run) -> None:
    environ = {**os.environ, "USE_GO_SSE_HUB": "1", "OBBY_FLAGS_FILE": ""}
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        code, out, _ = run("status", "--pid", str(process.pid))
        process.communicate(b"\n")
    assert code == 0
    assert "sse-hub          go " in out
    code, _, err = run("status", "--pid", "4194304999")
    assert code == 3
    assert "/proc/4194304999/environ" in err


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is Linux's")
def test_a_file_named_as_the_running_process_sees_it(run: Run, tmp_path: Path) -> None:
    """A rollback must not be written where the process does not look."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    environ = {**os.environ, "OBBY_FLAGS_FILE": "relative.conf"}
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        code, out, _ = run("rollback", "--pid", str(process.pid))
        process.communicate(b"\n")
    assert code == 0
    assert f"written: {tmp_path / 'relative.conf'};" in out
    assert (tmp_path / "relative.conf").read_text() == "EMERGENCY_ROLLBACK=on\n"


def test_a_rollback_written_by_an_editor_with_a_mark_is_taken_back(
    run: Run, tmp_path: Path
) -> None:
    (tmp_path / "flags.conf").write_bytes(b"\xef\xbb\xbfEMERGENCY_ROLLBACK=on\n")
    assert "EMERGENCY ROLLBACK IS ON" in run("status")[1]
    assert "EMERGENCY ROLLBACK IS ON" not in run("rollback", "--off")[1]


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("OBBY_SHADOW_PERCENTAGE", "0"),
        ("GO_SSE_HUB_HTTP_PORT", "no address"),
        ("GO_SSE_HUB_PORT", "Python"),
        ("EMERGENCY_ROLLBACK", "on"),
    ],
)
def test_check_says_what_holds_instead(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, holds: str
) -> None:
    monkeypatch.setenv(name, "12345678")
    assert f"(in the env; {holds} holds)" in run("check")[1]


def test_a_damaged_file_is_no_answer(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "flags.conf"
    file.write_text("USE_GO_QUERY_SERVICE=on\ngarbage\n")
    code, out, err = run("set", "USE_GO_SSE_HUB=on")
    assert (code, out) == (3, "")
    assert "line 2 is not KEY=value; mend it first" in err
    assert run("rollback", "--off")[0] == 3
    _, out, _ = run("status")
    assert out.count("unknown      running processes keep what they last read") == 4
    assert "ERROR: OBBY_FLAGS_FILE: " in out
    code, out, _ = run("explain", "query", "me")
    assert out.startswith("query-service: UNKNOWN  running processes keep what they last read\n")
    assert "line 2 is not KEY=value" in out
    code, out, _ = run("rollback")
    assert (code, out.count("KILL_SWITCH")) == (0, 4)
    assert "follow within a second" in out


def test_a_file_that_no_process_reads_is_not_said_to_be_followed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "flags.conf").write_text("# long\n" * 10_000)
    code, out, _ = run("rollback")
    assert code == 3
    assert "flags.conf; running processes keep what they last read" in out
