"""Whatever a request has in it, the answer says what is wrong, and the server stands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.testclient import TestClient

from obby_clients import fastapi as obby
from obby_clients.backend.errors import answer_errors
from obby_clients.errors import NotFoundError, UnauthenticatedError
from obby_clients.fastapi._models import Failure

from .world import TOKEN, Backend

_ROUTERS = (
    obby.files_router,
    obby.diffs_router,
    obby.versions_router,
    obby.search_router,
    obby.activity_router,
    obby.events_router,
)


@pytest.fixture
def flags(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OBBY_FLAGS_FILE", str(tmp_path / "flags"))
    return tmp_path / "flags"


@pytest.fixture
def app(tmp_path: Path, root: Path) -> FastAPI:
    app = FastAPI()
    obby.install(app, obby.ObbySettings(database=tmp_path / "obby.db", roots=(root,)))
    for router in _ROUTERS:
        app.include_router(router())
    app.include_router(obby.admin_router(dependencies=[Depends(lambda: None)]))

    @app.get("/mine")
    def mine(number: int) -> int:
        return number

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def refused(answer: Any) -> tuple[int, str, str, list[str]]:
    body = answer.json()
    fields = [item["field"] for item in body.get("field_violations", ())]
    return answer.status_code, body.get("code", ""), body.get("reason", ""), fields


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/diffs?limit=0", "limit"),
        ("/diffs?limit=many", "limit"),
        ("/diffs?offset=-1", "offset"),
        ("/versions/abc", "version_id"),
        ("/versions/9223372036854775808", "version_id"),
        ("/versions/" + 40 * "9", "version_id"),
        ("/diff?old=9223372036854775808&new=1", "old"),
        ("/diff?old=1&new=9223372036854775808", "new"),
        ("/search", "q"),
        ("/activity?start_time=yesterday", "start_time"),
        ("/diffs?start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z", "start_time"),
        ("/diffs?path_prefix=relative", "path_prefix"),
        ("/versions", "path"),
        ("/diffs?change_type=nothing", "change_type"),
        ("/diffs?start_time=2026-01-01T00:00:00", "start_time"),
        ("/search?q=a&mode=nothing", "mode"),
        ("/activity/times?bucket_size=month", "bucket_size"),
        ("/events?last=1001", "last"),
        ("/go/flags/explain", "service"),
    ],
)
def test_a_parameter_out_of_its_bounds_is_named(client: TestClient, path: str, field: str) -> None:
    answer = client.get(path)
    assert refused(answer) == (400, "INVALID_ARGUMENT", "INVALID_FIELD", [field])
    assert answer.json()["message"].startswith(f"{field}: ")


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"[]", "path: "),
        (b'{"path": []}', "path: "),
        (b"{", "body: is not JSON, at character 1"),
        (b"", "path: "),
        (b"\xff", "body: is not UTF-8"),
        (b"[" * 100_000, "body: is nested too deeply"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    client: TestClient, body: bytes, message: str
) -> None:
    answer = client.post("/files/track", content=body, headers=JSON)
    field = message.partition(":")[0]
    assert refused(answer) == (400, "INVALID_ARGUMENT", "INVALID_FIELD", [field])
    assert answer.json()["message"].startswith(message)


@pytest.mark.parametrize(
    ("query", "headers", "body", "field"),
    [
        ("?on=false", {}, "", "on"),
        ("?off=true", JSON, '{"on": false}', "off"),
        ("", JSON, '{"off": true}', "off"),
        ("", JSON, '{"on": false, "all": true}', "all"),
        ("", JSON, '{"on": "false"}', "on"),
        ("", JSON, '{"on": null}', "on"),
        ("", JSON, "false", "body"),
        ("", JSON, '{"on": false', "body"),
        ("", JSON, b"\xff", "body"),
        ("", {}, '{"on": false}', "Content-Type"),
        ("", {"Content-Type": "application/x-www-form-urlencoded"}, "on=false", "Content-Type"),
    ],
)
def test_a_rollback_that_may_mean_the_contrary_is_refused(
    flags: Path, client: TestClient, query: str, headers: Any, body: Any, field: str
) -> None:
    answer = client.post(f"/go/rollback{query}", headers=headers, content=body)
    assert refused(answer) == (400, "INVALID_ARGUMENT", "INVALID_FIELD", [field])
    assert 'send {"on": false} as application/json' in answer.json()["message"]
    assert not flags.exists()


def test_a_rollback_and_its_end(flags: Path, client: TestClient) -> None:
    for content in ("", "{}", '{"on": true}'):
        flags.unlink(missing_ok=True)
        assert client.post("/go/rollback", headers=JSON, content=content).json()["kill_switch"]
        assert flags.read_text() == "EMERGENCY_ROLLBACK=on\n"
    back = client.post("/go/rollback", json={"on": False})
    assert (back.status_code, back.json()["kill_switch"]) == (200, "")
    assert client.post("/go/rollback").json()["kill_switch"]  # curl -X POST


def test_a_damaged_flags_file_is_not_changed(flags: Path, client: TestClient) -> None:
    flags.write_text("garbage\n")
    answer = client.put("/go/flags/USE_GO_SSE_HUB", json={"value": "on"})
    assert refused(answer) == (400, "FAILED_PRECONDITION", "", [])
    assert "line 1 is not KEY=value; mend it first" in answer.json()["message"]


def test_every_wrong_parameter_is_named(client: TestClient) -> None:
    assert refused(client.get("/diffs?limit=0&offset=-1"))[3] == ["offset", "limit"]


def test_the_hosts_own_operations_answer_as_it_likes(client: TestClient) -> None:
    assert client.get("/mine?number=x").status_code == 422


def test_what_is_answered_is_described(app: FastAPI) -> None:
    api = app.openapi()
    for path, operations in api["paths"].items():
        for operation in operations.values():
            assert ("422" in operation["responses"]) == (path == "/mine"), path


def test_a_topic_may_have_a_slash(client: TestClient, root: Path) -> None:
    (root / "a.md").write_text("#work/plans\n")
    assert client.post("/files/track", json={"path": str(root / "a.md")}).status_code == 200
    answer = client.get("/topics/work%2Fplans/files")
    assert answer.status_code == 200, answer.text
    assert [item["path"] for item in answer.json()["items"]] == [str(root / "a.md")]


def test_an_id_with_thousands_of_digits_is_of_the_future(client: TestClient) -> None:
    events = client.app.state.obby.events  # type: ignore[attr-defined]
    database = client.app.state.obby.changes.database_id  # type: ignore[attr-defined]
    _, said = events._beginning(f"{database}-{5000 * '9'}", 0)
    data = said.decode().partition("data: ")[2].partition("\n")[0]
    assert json.loads(data) == {"reason": "future"}


def operator(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_backend_answers_every_error_in_one_form(backend: Callable[..., Backend]) -> None:
    running = backend()
    for method, path, headers, status, code, message in (
        ("GET", "/go/flags", {}, 401, "UNAUTHENTICATED", "Authorization: Bearer TOKEN"),
        ("PUT", "/go/flags/X", operator("x" * 16), 401, "UNAUTHENTICATED", "operator's token"),
        ("POST", "/go/flags", operator(TOKEN), 405, "UNIMPLEMENTED", "POST is not for /go/flags"),
        ("GET", "/nothing", {}, 404, "NOT_FOUND", "there is no /nothing: /docs shows"),
        ("GET", "/diffs", {"Host": "evil.example"}, 421, "PERMISSION_DENIED", "--allow-host evil"),
        ("GET", "/diffs?limit=0", {}, 400, "INVALID_ARGUMENT", "limit: "),
        ("GET", "/versions/7", {}, 404, "NOT_FOUND", "no such version"),
    ):
        given, body = running.ask(method, path, headers=headers)
        assert (given, body["code"]) == (status, code), body
        assert message in body["message"]
        assert Failure(**body)


def test_a_broken_operation_says_so_and_no_more() -> None:
    app = FastAPI()
    answer_errors(app)

    @app.get("/broken")
    def broken() -> None:
        raise KeyError("a secret")

    answer = TestClient(app, raise_server_exceptions=False).get("/broken")
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text
    allowed = TestClient(app).post("/broken")
    assert (allowed.status_code, allowed.headers["Allow"]) == (405, "GET")


def test_inside_of_a_lifespan_errors_are_answered_as_well(tmp_path: Path) -> None:
    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        async with obby.obby_lifespan(app, obby.ObbySettings(database=tmp_path / "obby.db")):
            yield

    app = FastAPI()
    app.router.lifespan_context = own
    app.include_router(obby.diffs_router())
    app.include_router(obby.versions_router())
    with TestClient(app, raise_server_exceptions=False) as client:
        assert refused(client.get("/diffs?limit=0"))[0] == 400
        assert refused(client.get("/versions/7"))[:2] == (404, "NOT_FOUND")
        app.middleware_stack = None  # it is built anew, with the host's own handler
        app.add_exception_handler(NotFoundError, lambda *_: Response("gone", 410))
        assert client.get("/versions/7").status_code == 410


def test_who_does_not_say_who_he_is_is_told_how() -> None:
    app = FastAPI()
    obby.handle_errors(app)

    @app.get("/guarded")
    def guarded() -> None:
        raise UnauthenticatedError("a token is needed")

    answer = TestClient(app).get("/guarded")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
