"""The backend's settings: every mistake is named, and what to do."""

from __future__ import annotations

import json
import logging
import socket
from datetime import timedelta
from pathlib import Path

import pytest

from obby_clients.backend import log
from obby_clients.backend.main import main
from obby_clients.backend.settings import SettingsError, parse


def test_a_flag_wins_over_a_variable_and_that_over_the_default(tmp_path: Path) -> None:
    environ = {"OBBY_BACKEND_ROOT": f"{tmp_path}, {tmp_path}", "OBBY_BACKEND_PORT": "1234"}
    settings = parse(["--debounce", "0.25"], environ)
    assert settings.roots == (str(tmp_path.resolve()),)
    assert (settings.port, settings.debounce) == (1234, timedelta(seconds=0.25))
    assert parse(["--port", "1"], environ).port == 1
    assert parse([], {"OBBY_BACKEND_ROOT": str(tmp_path), "OBBY_BACKEND_PORT": " "}).port == 8000


def test_the_flags_file_stands_beside_the_database_by_default(tmp_path: Path) -> None:
    given = ["--root", str(tmp_path), "--database", str(tmp_path / "obby.db")]
    assert parse(given, {}).flags_file == f"{tmp_path / 'obby.db'}.flags"
    assert parse(given, {"OBBY_FLAGS_FILE": "/etc/obby"}).flags_file == "/etc/obby"
    assert parse([*given, "--flags-file", "/etc/other"], {}).flags_file == "/etc/other"


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        ("root", "/missing", "create it"),
        ("database", "/missing/obby.db", "create its folder"),
        ("port", "abc", "a number from 0 to 65535"),
        ("port", "70000", "a number from 0 to 65535"),
        ("workers", "0", "a number from 1 to 64"),
        ("debounce", "nan", "a number of seconds"),
        ("admin-token-file", "/missing", "cannot be read"),
        ("host", "0.0.0.0", "--allow-anonymous"),
        ("log-level", "loud", "not one of debug, info"),
        ("allow-anonymous", "perhaps", "not one of on, off"),
    ],
)
def test_a_wrong_value_is_refused_by_name(
    flag: str, value: str, sentence: str, tmp_path: Path
) -> None:
    environ = {"OBBY_BACKEND_ROOT": str(tmp_path)}
    with pytest.raises(SettingsError, match=sentence) as caught:
        parse([f"--{flag}", value], environ)
    assert f"--{flag}: " in str(caught.value)
    variable = f"OBBY_BACKEND_{flag.upper().replace('-', '_')}"
    with pytest.raises(SettingsError, match=sentence):
        parse([], environ | {variable: value})


def test_every_mistake_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "x", "--workers", "y"]) == 2
    told = capsys.readouterr().err
    for setting in ("--port", "--workers", "--root"):
        assert f"obby-backend: {setting}: " in told


def test_an_address_that_is_taken_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBBY_FLAGS_FILE", "")  # main sets it
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        given = ["--root", str(tmp_path), "--database", str(tmp_path / "obby.db"), "--port", port]
        assert main(given) == 2
    assert f"127.0.0.1:{port} cannot be listened at" in capsys.readouterr().err


def test_a_database_that_is_none_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBBY_FLAGS_FILE", "")
    (tmp_path / "obby.db").write_text("this is no database, but a text that is long enough" * 20)
    given = ["--root", str(tmp_path), "--database", str(tmp_path / "obby.db")]
    assert main(given) == 2
    assert "not an SQLite database" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_shows_what_a_record_bears(
    form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root, "level", logging.WARNING)
    log.configure("info", form)
    logging.getLogger("obby_clients.backend").info("a %s", "sentence", extra={"service": "sse-hub"})
    (line,) = capsys.readouterr().err.splitlines()
    if form == "json":
        entry = json.loads(line)
        assert (entry["msg"], entry["service"], entry["level"]) == ("a sentence", "sse-hub", "INFO")
    else:
        assert line.endswith("INFO    backend: a sentence service=sse-hub")


def test_help_names_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    for name in ("DATABASE", "ROOT", "HOST", "PORT", "WORKERS", "FLAGS_FILE", "LOG_FORMAT"):
        assert f"OBBY_BACKEND_{name}" in told


def test_a_short_token_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("short\n")
    with pytest.raises(SettingsError, match="16 is the least"):
        parse(["--root", str(tmp_path), "--admin-token-file", str(tmp_path / "token")], {})
