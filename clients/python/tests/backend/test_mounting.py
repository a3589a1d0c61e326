"""Applications in applications, and ones that are set up wrongly."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from obby_clients import fastapi as obby


def settings(folder: Path, name: str = "obby.db") -> obby.ObbySettings:
    return obby.ObbySettings(database=folder / name)


def inner() -> FastAPI:
    app = FastAPI()
    app.include_router(obby.diffs_router())
    return app


def test_what_is_mounted_shares_what_the_outer_one_has(tmp_path: Path) -> None:
    app, sub, deep = FastAPI(), inner(), inner()
    sub.mount("/deep", deep)
    app.mount("/sub", sub)
    app.mount("/again", sub)
    obby.install(app, settings(tmp_path))
    for _ in range(2):  # also when it is started again
        with TestClient(app) as client:
            for path in ("/sub/diffs", "/sub/deep/diffs"):
                assert client.get(path).status_code == 200
                assert client.get(f"{path}?limit=0").status_code == 400


def test_a_mounted_one_may_have_its_own(tmp_path: Path) -> None:
    app, sub = FastAPI(), inner()
    app.mount("/sub", sub)

    @asynccontextmanager
    async def own(_: FastAPI) -> AsyncIterator[None]:
        async with obby.obby_lifespan(sub, settings(tmp_path, "other.db")):
            yield
            seen.append(sub.state.obby is not app.state.obby)

    seen: list[bool] = []
    app.router.lifespan_context = own
    obby.install(app, settings(tmp_path))
    with TestClient(app) as client:
        assert client.get("/sub/diffs").status_code == 200
    assert seen == [True]


def test_where_no_lifespan_is_run_it_says_what_to_do(tmp_path: Path) -> None:
    app, sub = FastAPI(), inner()
    obby.install(sub, settings(tmp_path))
    app.mount("/sub", sub)
    with TestClient(app) as client, pytest.raises(RuntimeError, match="that the server runs"):
        client.get("/sub/diffs")


def test_installed_twice_it_says_so(tmp_path: Path) -> None:
    app = inner()
    obby.install(app, settings(tmp_path))
    obby.install(app, settings(tmp_path))
    with pytest.raises(RuntimeError, match=r"call install\(app, …\) once"), TestClient(app):
        pass
    assert not hasattr(app.state, "obby")
