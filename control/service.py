"""The control part: builds its rooms once, runs loop, notifications and API under one TaskGroup."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path

from igoudar.control import ledger as books_room
from igoudar.control.actuation.jobs import JobActuator
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.alarms.digest import GROUP_WINDOW_S, REPEAT_WINDOW_S, Digest
from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.alarms.notify import Notifier
from igoudar.control.api.app import Rooms, create_app
from igoudar.control.api.reports import Reports
from igoudar.control.api.server import announce, bind, serve
from igoudar.control.api.tokens import open_tokens
from igoudar.control.desk import Desk
from igoudar.control.lease import Lease
from igoudar.control.lease.file import FileLease
from igoudar.control.ledger import Ledger
from igoudar.control.loop import DAY, Loop
from igoudar.control.mode import Modes
from igoudar.control.operator import Operator
from igoudar.control.parts import read_parts
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.climate import teaching
from igoudar.control.planner.worker import Worker
from igoudar.control.records.state import Records
from igoudar.control.roster import WALL_PERIOD_S, Roster, roster
from igoudar.control.steering import Steering
from igoudar.control.telemetry import CollectorTelemetry, Telemetry
from igoudar.control.trends import Trends
from igoudar.core.clock import Clock
from igoudar.core.errors import LinkError, StoreError
from igoudar.core.i18n import choose_language
from igoudar.core.model import Profile, Site
from igoudar.core.store.choice import open_reader
from igoudar.core.store.protocol import TelemetryReader

GROUP_WALL_S, REPEAT_WALL_S = 10.0, 60.0  # a fast clock must not flood a person, who lives on the wall
COUNTER_GAP_S = 180.0


async def run(
    site: Site,
    profiles: Mapping[str, Profile],
    clock: Clock,
    state: Path,
    *,
    api_port: int,
    mode: str,
    forced: str | None = None,
    ready: Callable[[str], None] | None = None,
    resource: Path | None = None,
) -> None:
    """Control one site until cancelled; `ready` gets the API's address.

    Forecasts learn the site's usual days from `resource` (measured capacity factors), where it is given.

    Raises:
        ConfigError: when the port is in use or the mode unknown.
        StoreError: when the state database can't be used.
    """
    listener = bind(api_port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        records = Records.open(state / "state.sqlite")
        stack.callback(records.close)
        lease = FileLease(state)
        stack.callback(lease.close)
        lease.take()
        scheduler = SimulatedScheduler(lambda: scheduler_address(state))
        stack.push_async_callback(scheduler.close)
        telemetry = CollectorTelemetry(state / "collect.sock")
        stack.push_async_callback(telemetry.close)
        planner = PlanService(Worker(teaching(site, resource, clock.now())), clock.speed)
        stack.push_async_callback(planner.close)
        loop, rooms = await assemble(
            roster(site, profiles, clock.speed),
            clock,
            state,
            records,
            scheduler,
            telemetry,
            open_reader(site, state),
            mode,
            forced,
            planner,
            lease,
        )
        app = create_app(rooms, open_tokens(state))
        url = announce(state, listener)
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.keep(), name="lease")
            group.create_task(loop.notifier.run(), name="notify")
            group.create_task(serve(app, listener), name="api")
            group.create_task(loop.run(), name="loop")
            if ready:
                ready(url)


async def assemble(
    plant: Roster,
    clock: Clock,
    state: Path,
    records: Records,
    scheduler: SimulatedScheduler,
    telemetry: Telemetry,
    reader: TelemetryReader,
    mode: str,
    forced: str | None,
    planner: PlanService,
    lease: Lease,
) -> tuple[Loop, Rooms]:
    """The loop and what the API needs of it."""
    now, version = clock.now(), config_version(plant)
    books = books_room.books(plant)
    ledger = await asyncio.to_thread(_stored, books, reader, now, _gap_s(clock.speed))
    trends = Trends()
    trends.restore(records.published(now - DAY))
    desk, modes = Desk(), Modes(records, mode, forced, now, str(getattr(clock, "run_id", "")))
    operator = Operator(scheduler, records, version)
    engine = AlarmEngine(plant, records, now)
    loop = Loop(
        roster=plant,
        clock=clock,
        telemetry=telemetry,
        scheduler=scheduler,
        reference=scheduler,
        records=records,
        modes=modes,
        operator=operator,
        actuator=JobActuator(scheduler, plant.site.time_zone, version),
        steering=Steering(plant.site, ledger, books, planner),
        engine=engine,
        notifier=Notifier(records, state, choose_language()),
        digest=_digest(clock.speed),
        ledger=ledger,
        books=books,
        trends=trends,
        parts=lambda: read_parts(state / "parts.json"),
        publish=desk.publish,
        simulated=endpoints(state).get("simulated", False) is True,
    )
    reports = Reports(plant, ledger, books, reader)
    rooms = Rooms(
        desk,
        modes,
        operator,
        engine,
        records,
        reports,
        telemetry,
        lambda: loop.first_good_at,
        clock.now,
        lease,
    )
    return loop, rooms


def endpoints(state: Path) -> Mapping[str, object]:
    """`STATE/endpoints.json`, empty where nothing is simulated."""
    try:
        document = json.loads((state / "endpoints.json").read_text())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def scheduler_address(state: Path) -> str:
    """Where the scheduler listens.

    Raises:
        LinkError: while nobody says.
    """
    address = endpoints(state).get("scheduler")
    if not isinstance(address, str):
        raise LinkError(
            "no scheduler is known", where=str(state / "endpoints.json"), fix="start `igoudar up`"
        )
    return address


def config_version(plant: Roster) -> str:
    """A short name of the site as it is configured; every action carries it."""
    return hashlib.blake2s(repr(plant.site).encode(), digest_size=6).hexdigest()


def _gap_s(speed: float) -> float:
    return max(COUNTER_GAP_S, 3 * WALL_PERIOD_S * speed)


def _digest(speed: float) -> Digest:
    return Digest(max(GROUP_WINDOW_S, GROUP_WALL_S * speed), max(REPEAT_WINDOW_S, REPEAT_WALL_S * speed))


def _stored(books: books_room.Books, reader: TelemetryReader, now: datetime, gap_s: float) -> Ledger:
    """What the store knows of the last two days; a site without a store begins with nothing."""
    try:
        return books_room.load(books, reader, now - books_room.KEPT, now + timedelta(minutes=1), gap_s)
    except StoreError:
        return Ledger(gap_s, books.rules)
