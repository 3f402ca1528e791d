"""Routes about hands-off and the modes of actuator classes."""

from collections.abc import Callable
from datetime import datetime

from fastapi import FastAPI, Request
from pydantic import Field

from igoudar.control.api.bodies import Body, ModeBody
from igoudar.control.hands import Hands
from igoudar.control.mode import Modes, class_word
from igoudar.control.operator import Operator
from igoudar.control.schema import ModeView
from igoudar.control.schema_hands import ClassWord, HandsOffView
from igoudar.control.views.hands import hands_off_view
from igoudar.core import handsoff


class HandsOffBody(Body):
    """On or off, and why."""

    on: bool
    reason: str = Field(min_length=1, max_length=500)


def add_hands_off(app: FastAPI, hands: Hands, now: Callable[[], datetime]) -> None:
    """Whether nothing may be sent."""

    @app.get("/v1/handsoff")
    async def hands_off() -> HandsOffView:
        return hands_off_view(handsoff.read(hands.state))

    @app.post("/v1/handsoff")
    async def set_hands_off(body: HandsOffBody, request: Request) -> HandsOffView:
        return hands_off_view(hands.hands_off(body.on, request.state.who, body.reason, now()))


def add_class_modes(app: FastAPI, modes: Modes, operator: Operator, now: Callable[[], datetime]) -> None:
    """The mode of one actuator class."""

    @app.post("/v1/mode/{actuator}")
    async def change_class(actuator: ClassWord, body: ModeBody, request: Request) -> ModeView:
        found, who = class_word(actuator), request.state.who
        before = modes.of(found)
        view = modes.change_class(found, body.mode, who, now())
        operator.note(who, "mode", f"mode {actuator}", before, body.mode, body.reason, now())
        return view
