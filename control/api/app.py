"""The command API: documents of the latest scene, and guarded wishes of people."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, get_type_hints

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from pydantic import AwareDatetime
from starlette.exceptions import HTTPException

from igoudar.control.api.bodies import AcknowledgeBody, ApproveBody, JobBody, ModeBody
from igoudar.control.api.document import REFUSALS, describe
from igoudar.control.api.events import add_events
from igoudar.control.api.gate import Gate, Refused, refusal, told_refusal, undeclared, worded
from igoudar.control.api.handsoff import add_class_modes, add_hands_off
from igoudar.control.api.malformed import malformed
from igoudar.control.api.metrics import CONTENT_TYPE, exposition
from igoudar.control.api.nodes import add_nodes
from igoudar.control.api.overrides import add_overrides
from igoudar.control.api.people import add_audit, add_people
from igoudar.control.api.previews import add_job_previews
from igoudar.control.api.proposals import add_proposals
from igoudar.control.api.rooms import Rooms
from igoudar.control.api.signature import SignatureError
from igoudar.control.api.webhook import add_webhook
from igoudar.control.desk import BUILDERS
from igoudar.control.errors import UnknownNameError
from igoudar.control.operator import VERBS
from igoudar.control.people.door import Door
from igoudar.control.people.roles import Person, Role
from igoudar.control.schema import (
    ActionView,
    AlarmView,
    DeviceView,
    Kpis,
    ModeView,
    RackDetail,
    SeriesView,
)
from igoudar.control.views.actions import action_views
from igoudar.control.views.alarms import alarm_view
from igoudar.control.views.devices import device_view
from igoudar.control.views.plan import approved_start
from igoudar.control.views.racks import inlet_sensors, rack_detail
from igoudar.control.views.status import status
from igoudar.core.errors import CommandError, ConfigError, IgoudarError, LinkError, StoreError
from igoudar.core.model_people import Listening

log = logging.getLogger(__name__)
STATUS: dict[type[IgoudarError], int] = {
    UnknownNameError: 404,
    SignatureError: 401,
    CommandError: 409,
    ConfigError: 400,
    LinkError: 503,
    StoreError: 503,
}
ACTIONS_MAX = 1000


def create_app(rooms: Rooms, door: Door, listening: Listening) -> FastAPI:
    """The application; no page of its own, no schema for strangers, no route without a role."""
    app = FastAPI(title="igoudar", docs_url=None, redoc_url=None, openapi_url=None, responses=REFUSALS)
    app.middleware("http")(Gate(app, door, listening, _noting(rooms)).check)
    _errors(app)
    _open(app, rooms)
    _documents(app, rooms)
    _details(app, rooms)
    _records(app, rooms)
    add_job_previews(app, rooms.operator, rooms.now)
    _wishes(app, rooms)
    add_proposals(app, rooms.hands, rooms.now)
    add_overrides(app, rooms.hands, rooms.now)
    add_nodes(app, rooms.nodes, rooms.now)
    add_hands_off(app, rooms.hands, rooms.now)
    add_class_modes(app, rooms.modes, rooms.operator, rooms.now)
    add_events(app, rooms.events, rooms.operator.note)
    add_webhook(app, rooms.events, rooms.webhook, rooms.operator.note)
    add_people(app, rooms.users, rooms.now)
    add_audit(app, rooms.records, rooms.room)
    if missing := undeclared(app):
        raise RuntimeError(f"routes without a role in control/api/roles.py: {', '.join(missing)}")
    return app


def _noting(rooms: Rooms) -> Refused:
    """A line of the audit about somebody who asked for more than their role allows."""

    def note(person: Person, what: str, needed: Role) -> None:
        chronicle = rooms.operator.executor.chronicle
        params = {"who": person.name, "role": person.role.word, "needed": needed.word}
        said, result = "audit.not_allowed", "rejected: role"
        chronicle.say(rooms.now(), person.name, "ask", what, None, said, params, result=result)
        chronicle.flush()

    return note


def _errors(app: FastAPI) -> None:
    @app.exception_handler(IgoudarError)
    async def known(_: Request, error: IgoudarError) -> Response:
        code = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)
        return told_refusal(code, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return told_refusal(422, malformed(error.errors()))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.NOT_FOUND:
            return worded(404, "refusal.nothing", request.url.path)
        return refusal(error.status_code, str(error.detail), request.url.path)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        log.error("fault in %s %s", request.method, request.url.path, exc_info=error)
        return worded(500, "refusal.fault", request.url.path)


def _open(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/v1/openapi.json")
    async def described() -> dict[str, Any]:
        return describe(app)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def metrics() -> PlainTextResponse:
        try:
            latest = status(rooms.desk.scene)
        except LinkError:
            latest = None
        page = exposition(latest, await rooms.telemetry.metrics())
        return PlainTextResponse(page, media_type=CONTENT_TYPE)


def _documents(app: FastAPI, rooms: Rooms) -> None:
    def document(name: str) -> Callable[[], Awaitable[Response]]:
        async def answer() -> Response:
            return Response(rooms.desk.document(name), media_type="application/json")

        return answer

    for name, builder in BUILDERS.items():
        model = get_type_hints(builder)["return"]
        app.get(f"/v1/{name}", name=name, response_model=model)(document(name))


def _details(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/v1/racks/{name:path}")
    async def rack(name: str) -> RackDetail:
        scene = rooms.desk.scene
        sensors = [device.name for device in inlet_sensors(scene, name)]
        return rack_detail(scene, name, await rooms.reports.inlet_history(sensors, scene.now))

    @app.get("/v1/devices/{name:path}")
    async def device(name: str) -> DeviceView:
        return device_view(rooms.desk.scene, name)

    @app.get("/v1/kpi")
    async def kpi(window: str = "24h") -> Kpis:
        return await rooms.reports.kpis(window, rooms.now(), rooms.first_good_at())

    @app.get("/v1/series")
    async def series(
        device: str, point: str, start: AwareDatetime, end: AwareDatetime, width: int = 400
    ) -> SeriesView:
        return await rooms.reports.series(device, point, start, end, width)


def _records(app: FastAPI, rooms: Rooms) -> None:
    @app.get("/v1/mode")
    async def mode() -> ModeView:
        return rooms.modes.view()

    @app.get("/v1/actions")
    async def actions(
        limit: int = 100,
        target: str | None = None,
        since: AwareDatetime | None = None,
        until: AwareDatetime | None = None,
    ) -> list[ActionView]:
        shown = min(max(limit, 1), ACTIONS_MAX)
        return action_views(rooms.records.actions(shown, target, since, until))


def _wishes(app: FastAPI, rooms: Rooms) -> None:
    @app.post("/v1/mode")
    async def change(body: ModeBody, request: Request) -> ModeView:
        who, before, now = request.state.who, rooms.modes.mode, rooms.now()
        view = rooms.modes.change(body.mode, who, body.reason, now)
        rooms.operator.note(who, "mode", "mode", before, body.mode, body.reason, now)
        return view

    @app.post("/v1/jobs/{job_id:path}/approve")
    async def approve(job_id: str, body: ApproveBody, request: Request) -> ActionView:
        scene, who = rooms.desk.scene, request.state.who
        start = approved_start(scene, job_id, body.plan_version)
        row = await rooms.operator.approve(job_id, start, who, body.reason, rooms.now())
        return action_views([row])[0]

    @app.post("/v1/jobs/{job_id:path}/{verb}")
    async def steer(job_id: str, verb: str, body: JobBody, request: Request) -> ActionView:
        if verb not in VERBS:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        who = request.state.who
        row = await rooms.operator.act(job_id, verb, who, body.reason, rooms.now(), body.until)
        return action_views([row])[0]

    @app.post("/v1/alarms/{alarm_id}/acknowledge")
    async def acknowledge(alarm_id: str, body: AcknowledgeBody, request: Request) -> AlarmView:
        alarm = rooms.engine.acknowledge(alarm_id, request.state.who, body.comment, rooms.now())
        return alarm_view(alarm, rooms.desk.scene.zone)
