"""Routes about people and about the audit itself."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request

from igoudar.control.api.bodies import UserBody
from igoudar.control.people.roles import WORDS
from igoudar.control.people.users import Users, role_word
from igoudar.control.records.audit import verify
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.safety_tables import UserRow
from igoudar.control.records.state import Records
from igoudar.control.schema import AuditView, NewUserView, PersonView, Text, UserView
from igoudar.core.i18n import render


def add_people(app: FastAPI, users: Users, now: Callable[[], datetime]) -> None:
    """Who am I, who may call, who may not any more."""

    @app.get("/v1/whoami")
    async def whoami(request: Request) -> PersonView:
        return PersonView(name=request.state.who, role=request.state.role)

    @app.get("/v1/users")
    async def listed() -> list[UserView]:
        return [user_view(row) for row in users.listed()]

    @app.post("/v1/users")
    async def add(body: UserBody, request: Request) -> NewUserView:
        token = users.add(body.name, role_word(body.role), request.state.who, now())
        return NewUserView(name=body.name, role=body.role, token=token)

    @app.post("/v1/users/{name}/disable")
    async def disable(name: str, request: Request) -> UserView:
        return user_view(users.disable(name, request.state.who, now()))


def add_audit(app: FastAPI, records: Records, room: AuditRoom) -> None:
    """How the audit stands."""

    @app.get("/v1/audit")
    async def audit() -> AuditView:
        return await asyncio.to_thread(audit_view, records, room)


def user_view(row: UserRow) -> UserView:
    """A user as a document, without the token's hash."""
    return UserView(
        name=row.name,
        role=WORDS[row.role].word,
        created_at=row.created_at,
        created_by=row.created_by,
        disabled=row.disabled,
    )


def audit_view(records: Records, room: AuditRoom) -> AuditView:
    """A full look at the audit as a document."""
    verdict, disk = verify(records), room.look()
    problems = [(problem.code, dict(problem.params)) for problem in verdict.problems]
    return AuditView(
        rows=verdict.end.number,
        hash=verdict.end.hash,
        anchored=verdict.anchored,
        whole=verdict.whole,
        problems=[Text(code=code, params=params, english=render(code, params)) for code, params in problems],
        free_bytes=disk.free_bytes,
        low=disk.low,
        full=disk.full,
        why=disk.why,
    )
