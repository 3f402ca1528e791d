"""Routes about what people hold by hand."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request
from pydantic import AwareDatetime, Field

from igoudar.control.actuation.command import Command
from igoudar.control.api.bodies import Body
from igoudar.control.hands import Hands
from igoudar.control.schema_hands import OutcomeView, OverrideView, PreviewView
from igoudar.control.views.hands import outcome_view, override_view, preview_view


class OverrideBody(Body):
    """A point, its value in the unit of its name, until when and why."""

    target: str = Field(min_length=1, max_length=200)
    point: str = Field(min_length=1, max_length=100)
    value: float = Field(allow_inf_nan=False)
    until: AwareDatetime
    reason: str = Field(min_length=1, max_length=500)


class ReleaseBody(Body):
    """A point that is let go, and why."""

    target: str = Field(min_length=1, max_length=200)
    point: str = Field(min_length=1, max_length=100)
    reason: str = Field(min_length=1, max_length=500)


def add_overrides(app: FastAPI, hands: Hands, now: Callable[[], datetime]) -> None:
    """List, look before, set, release."""

    def wish(body: OverrideBody, request: Request) -> Command:
        return hands.wish(
            body.target, body.point, body.value, body.until, request.state.who, body.reason, now()
        )

    @app.get("/v1/overrides")
    async def overrides() -> list[OverrideView]:
        return [override_view(row) for row in hands.overrides()]

    @app.post("/v1/overrides/preview")
    async def preview_override(body: OverrideBody, request: Request) -> PreviewView:
        return preview_view(hands.executor, wish(body, request), now())

    @app.post("/v1/overrides")
    async def set_override(body: OverrideBody, request: Request) -> OutcomeView:
        command = wish(body, request)
        preview = preview_view(hands.executor, command, now())
        return outcome_view(await hands.override(command, now()), preview)

    @app.post("/v1/overrides/release")
    async def release_override(body: ReleaseBody, request: Request) -> OverrideView:
        row = hands.release(body.target, body.point, request.state.who, body.reason, now())
        return override_view(row)
