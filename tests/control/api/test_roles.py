"""The role matrix: every route with every role, on the real API."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from igoudar.control.api.gate import undeclared
from igoudar.control.api.roles import NEEDED
from igoudar.control.client import ApiClient
from igoudar.control.people.roles import Role
from igoudar.control.people.users import Users
from igoudar.control.records.state import Records
from igoudar.core.errors import CommandError

DOCS = Path(__file__).resolve().parents[3] / "docs" / "people.md"


@pytest.fixture
async def tokens(url: str, state: Path) -> AsyncIterator[Mapping[Role, str]]:
    records = Records.open(state / "state.sqlite")
    users = Users(records)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    yield {role: users.add(f"the-{role.word}", role, "local:root", at) for role in Role}
    records.close()


def concrete(path: str) -> str:
    """A path that no thing stands behind: the role is judged before."""
    for name in ("{name:path}", "{job_id:path}", "{alarm_id}", "{name}", "{verb}"):
        path = path.replace(name, "nothing")
    return path


async def test_every_route_answers_by_the_role(url: str, tokens: Mapping[Role, str]) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        for (method, path), needed in NEEDED.items():
            for role, token in tokens.items():
                header = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
                answer = await http.request(
                    method, concrete(path), headers=header, content=b"" if method == "GET" else b"[]"
                )
                refused = answer.status_code == 403
                assert refused == (needed is not None and role < needed), (method, path, role, answer.text)
            answer = await http.request(method, concrete(path))
            assert (answer.status_code in (401, 429)) == (needed is not None), (method, path)


async def test_what_is_not_there_is_told_to_known_callers_only(url: str, tokens: Mapping[Role, str]) -> None:
    header = {"Authorization": f"Bearer {tokens[Role.VIEWER]}"}
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.get("/v1/nothing")).status_code == 401
        assert (await http.get("/v1/nothing", headers=header)).status_code == 404
        answer = await http.delete("/v1/mode", headers=header)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
        assert (await http.delete("/v1/mode")).status_code == 401


async def test_the_audit_names_the_person_not_the_role(
    url: str, tokens: Mapping[Role, str], state: Path
) -> None:
    async with httpx.AsyncClient(base_url=url) as http:
        header = {"Authorization": f"Bearer {tokens[Role.OPERATOR]}"}
        body = {"mode": "observe", "reason": "drill"}
        assert (await http.post("/v1/mode", headers=header, json=body)).json()["by"] == "the-operator"
        (action, *_) = (await http.get("/v1/actions", headers=header)).json()
    assert (action["who"], action["before"], action["after"]) == ("the-operator", "auto", "observe")
    assert len(action["hash"]) == 64
    assert action["number"] > 1


async def test_who_asks_for_more_than_they_may_is_in_the_audit_and_can_t_flood_it(
    url: str, tokens: Mapping[Role, str], http: httpx.AsyncClient
) -> None:
    header = {"Authorization": f"Bearer {tokens[Role.VIEWER]}"}
    async with httpx.AsyncClient(base_url=url, headers=header) as viewer:
        for _ in range(30):
            assert (await viewer.post("/v1/mode", json={"mode": "auto", "reason": "x"})).status_code == 403
    lines = [line for line in (await http.get("/v1/actions")).json() if line["who"] == "the-viewer"]
    assert 5 <= len(lines) < 10
    said = (lines[0]["verb"], lines[0]["target"], lines[0]["result"])
    assert said == ("ask", "POST /v1/mode", "rejected: role")
    assert "this needs operator" in lines[0]["reason"]["english"]


async def test_an_admin_adds_and_disables_people(url: str, tokens: Mapping[Role, str]) -> None:
    def manage() -> None:
        with ApiClient(url, tokens[Role.ADMIN]) as admin:
            assert admin.whoami().name == "the-admin"
            new = admin.add_user("eve", "operator")
            with pytest.raises(CommandError, match="taken"):
                admin.add_user("eve", "viewer")
            assert admin.users()[0].name == "eve"
            assert admin.audit().whole
            with ApiClient(url, new.token) as eve:
                assert eve.whoami().role == "operator"
            assert admin.disable_user("eve").disabled
            lines = admin.actions(limit=2)
            assert [(line.who, line.verb) for line in lines] == [
                ("the-admin", "user_disable"),
                ("the-admin", "user_add"),
            ]

    await asyncio.to_thread(manage)


async def test_without_the_users_table_the_state_folder_s_tokens_still_open(
    url: str, tokens: Mapping[Role, str], state: Path, http: httpx.AsyncClient
) -> None:
    with sqlite3.connect(state / "state.sqlite") as database:
        database.execute("DROP TABLE users")
    database.close()
    async with httpx.AsyncClient(base_url=url) as named:
        answer = await named.get("/v1/mode", headers={"Authorization": f"Bearer {tokens[Role.ADMIN]}"})
        assert answer.status_code == 503
        assert set(answer.json()) == {"what", "where", "fix", "code", "params"}
    assert (await http.get("/v1/mode")).status_code == 200


def test_a_route_without_a_role_can_t_be_served() -> None:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/v1/status")(lambda: None)
    assert undeclared(app) == []
    app.post("/v1/status")(lambda: None)
    assert undeclared(app) == ["POST /v1/status"]


def test_the_page_about_people_has_the_matrix() -> None:
    page = DOCS.read_text()
    for (method, path), role in NEEDED.items():
        row = f"| `{method} {path.replace(':path', '')}` | {role.word if role else 'everybody'} |"
        assert row in page, row
