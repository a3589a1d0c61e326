"""The extra in an application of somebody else's."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

import obby_clients as oc
from obby_clients import fastapi as obby
from obby_clients import query, tracker, watcher
from obby_clients.fastapi._models import model
from obby_clients.flags import Service

from ..conftest import NOT_UTF8, wait_until


def refuse() -> None:
    raise HTTPException(401, "operators alone")


@pytest.fixture
def app(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("OBBY_FLAGS_FILE", str(tmp_path / "flags"))
    app = FastAPI()
    obby.install(app, obby.ObbySettings(database=tmp_path / "obby.db", roots=(root,)))
    for router in (
        obby.files_router,
        obby.diffs_router,
        obby.versions_router,
        obby.search_router,
        obby.activity_router,
        obby.events_router,
    ):
        app.include_router(router())
    app.include_router(obby.admin_router(dependencies=[Depends(lambda: None)]))
    return app


@pytest.fixture
def client(app: FastAPI, ending: ExitStack) -> TestClient:
    client: TestClient = ending.enter_context(TestClient(app))
    return client


def track(client: TestClient, path: Path, text: str) -> Any:
    path.write_text(text)
    answer = client.post("/files/track", json={"path": str(path)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_it_starts_and_stops_around_the_hosts_own_lifespan(tmp_path: Path) -> None:
    seen: list[str] = []

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        seen.append(f"start {type(app.state.obby).__name__}")
        yield
        seen.append(f"stop {type(app.state.obby).__name__}")

    app = FastAPI()
    app.router.lifespan_context = own  # as `FastAPI(lifespan=own)` does from 0.93 on
    obby.install(app, obby.ObbySettings(database=tmp_path / "obby.db"))
    with TestClient(app):
        pass
    assert seen == ["start State", "stop State"]
    assert not hasattr(app.state, "obby")


def test_it_can_be_used_inside_of_a_lifespan(tmp_path: Path) -> None:
    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        settings = obby.ObbySettings(database=tmp_path / "obby.db")
        async with obby.obby_lifespan(app, settings):
            yield

    app = FastAPI()
    app.router.lifespan_context = own
    app.include_router(obby.diffs_router())
    with TestClient(app) as client:
        assert client.get("/diffs").json() == {"items": [], "next_offset": None}


def test_settings_come_from_the_environment(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBBY_DATABASE", str(tmp_path / "other.db"))
    monkeypatch.setenv("OBBY_ROOTS", f" {root} ,")
    settings = obby.ObbySettings.from_environment()
    assert settings.database == str(tmp_path / "other.db")
    assert settings.roots == (str(root),)


def test_without_its_lifespan_it_says_what_to_do(app: FastAPI) -> None:
    with pytest.raises(RuntimeError, match="with TestClient"):
        TestClient(app).get("/diffs")


def test_a_database_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    app = FastAPI()
    obby.install(app, obby.ObbySettings(database=tmp_path / "missing" / "obby.db"))
    with pytest.raises(oc.FailedPreconditionError, match="does not exist"), TestClient(app):
        pass


def test_the_operators_routes_need_somebody_who_decides(app: FastAPI) -> None:
    with pytest.raises(ValueError, match="dependencies"):
        obby.admin_router(dependencies=[])
    guarded = FastAPI()
    guarded.include_router(obby.admin_router(dependencies=[Depends(refuse)]))
    client = TestClient(guarded)
    for path in ("/go/flags", "/go/flags/explain", "/go/health", "/go/shadow/mismatches"):
        assert client.get(path).status_code == 401
    assert client.put("/go/flags/USE_GO_SSE_HUB", json={"value": "on"}).status_code == 401
    assert client.post("/go/rollback", json={}).status_code == 401


def test_operators_see_and_change_flags(client: TestClient, tmp_path: Path) -> None:
    answer = client.put("/go/flags/USE_GO_QUERY_SERVICE", json={"value": "on"})
    assert answer.status_code == 200, answer.text
    assert "USE_GO_QUERY_SERVICE=on" in (tmp_path / "flags").read_text()
    explained = "/go/flags/explain?service=query&subject=a"
    assert client.get(explained).json()["reason"] == "PERCENT_ALL"
    assert client.post("/go/rollback", json={"on": True}).status_code == 200
    assert client.get("/go/flags").json()["kill_switch"]
    assert set(client.get("/go/health").json()) == {service.label for service in Service}
    assert client.get("/go/shadow/mismatches").json() == {"items": []}
    bad = client.put("/go/flags/USE_GO_QUERY_SERVICE", json={"value": "perhaps"})
    assert (bad.status_code, bad.json()["code"]) == (400, "INVALID_ARGUMENT")
    unknown = client.get("/go/flags/explain?service=nothing")
    assert unknown.json()["field_violations"][0]["field"] == "service"


def test_streams_look_where_they_belong_when_the_hubs_flags_change(client: TestClient) -> None:
    events = client.app.state.obby.events  # type: ignore[attr-defined]
    before = events._turn
    assert client.put("/go/flags/USE_GO_QUERY_SERVICE", json={"value": "on"}).status_code == 200
    assert client.put("/go/flags/USE_GO_SSE_HUB", json={"value": "on"}).status_code == 200
    wait_until(lambda: events._turn is not before)


def test_without_a_flags_file_nothing_can_be_set(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OBBY_FLAGS_FILE")
    answer = client.put("/go/flags/USE_GO_QUERY_SERVICE", json={"value": "on"})
    assert answer.json()["code"] == "FAILED_PRECONDITION"
    assert "OBBY_FLAGS_FILE" in answer.json()["message"]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (oc.CancelledError, 499),
        (oc.InternalError, 500),
        (oc.InvalidArgumentError, 400),
        (oc.DeadlineError, 504),
        (oc.NotFoundError, 404),
        (oc.AlreadyExistsError, 409),
        (oc.PermissionDeniedError, 403),
        (oc.ResourceExhaustedError, 429),
        (oc.FailedPreconditionError, 400),
        (oc.AbortedError, 409),
        (oc.OutOfRangeError, 400),
        (oc.UnimplementedError, 501),
        (oc.UnavailableError, 503),
        (oc.UnauthenticatedError, 401),
    ],
)
def test_errors_keep_their_code_and_details(error: type[oc.ObbyError], status: int) -> None:
    app = FastAPI()
    obby.handle_errors(app)

    @app.get("/")
    async def fail() -> None:
        raised = error("a sentence")
        raised.reason, raised.metadata, raised.request_id = "REASON", {"path": NOT_UTF8}, "id"
        raised.retry_delay = timedelta(seconds=1.5)
        raised.field_violations = (oc.FieldViolation("path", "is wrong"),)
        raise raised

    answer = TestClient(app).get("/")
    assert answer.status_code == status
    assert answer.headers["retry-after"] == "2"
    assert answer.json() == {
        "code": error.code.name,
        "message": "a sentence",
        "reason": "REASON",
        "metadata": {"path": "caf\ufffd.md"},
        "field_violations": [{"field": "path", "description": "is wrong"}],
        "retry_delay": 1.5,
        "request_id": "id",
    }


def test_a_host_uses_the_typed_dependencies(app: FastAPI, client: TestClient, root: Path) -> None:
    @app.get("/mine")
    async def mine(
        found: Any = Depends(obby.get_query_client),
        who: Optional[str] = Depends(obby.client_id),  # noqa: UP045 (pydantic 1)
    ) -> list[str]:
        return [diff.path async for diff in found.recent_diffs(subject=who)]

    track(client, root / "a.md", "1\n")
    assert client.get("/mine").json() == [str(root / "a.md")]


def test_lists_come_in_parts(client: TestClient, root: Path) -> None:
    for number in range(5):
        track(client, root / "a.md", f"{number}\n")
    whole = client.get("/diffs").json()
    assert [item["change_id"] for item in whole["items"]] == ["5", "4", "3", "2", "1"]
    first = client.get("/diffs?limit=3").json()
    rest = client.get(f"/diffs?limit=3&offset={first['next_offset']}").json()
    assert first["items"] + rest["items"] == whole["items"]
    assert rest["next_offset"] is None
    assert client.get("/diffs?limit=5").json()["next_offset"] is None
    assert client.get("/diffs?limit=0").status_code == 400


def test_a_path_that_is_not_utf8_can_be_asked_for(client: TestClient, root: Path) -> None:
    path = root / NOT_UTF8
    path.write_text("milk\n")
    state = client.app.state.obby  # type: ignore[attr-defined]
    asyncio.run(state.router.tracker.track_change(str(path)))
    exact = base64.b64encode(os.fsencode(path)).decode()
    (found,) = client.get("/versions", params={"raw_path": exact}).json()["items"]
    assert found["path"].endswith("caf\ufffd.md")
    assert found["raw_path"] == exact
    assert client.get("/versions/1").json()["content"] == "milk\n"
    bad = client.get("/versions", params={"raw_path": "not base64"})
    assert bad.json()["field_violations"][0]["field"] == "raw_path"


def test_a_client_without_a_name_gets_one(client: TestClient) -> None:
    cookie = client.get("/diffs").cookies["obby_client"]
    assert "obby_client" not in client.get("/diffs").cookies
    client.cookies.clear()
    assert client.get("/diffs").cookies["obby_client"] != cookie
    client.cookies.clear()
    assert "obby_client" not in client.get("/diffs?client_id=me").cookies


def test_every_operation_and_every_field_is_described(app: FastAPI) -> None:
    api = app.openapi()
    for path, operations in api["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (path, parameter["name"])
    ours = {name: m for name, m in api["components"]["schemas"].items() if "Body_" not in name}
    assert "VersionList" in ours
    for name, schema in ours.items():
        if "ValidationError" in name:
            continue
        for field, description in schema["properties"].items():
            assert description.get("description"), (name, field)


@pytest.mark.parametrize("module", [query, tracker, watcher])
def test_every_value_has_a_json_form(module: Any) -> None:
    for name in module.__all__:
        kind = getattr(module, name, None) if not name.endswith("Client") else None
        if hasattr(kind, "__dataclass_fields__") and name != "TrackChange":
            assert model(kind)
