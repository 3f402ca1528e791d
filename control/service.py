"""The control part: builds its rooms once, runs loop, notifications and API under one TaskGroup."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from igoudar.control import acting_setup
from igoudar.control import ledger as books_room
from igoudar.control.actuation.schedulers import Scheduler
from igoudar.control.actuation.schedulers.choice import endpoints, open_scheduler
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.actuation.troubles import Troubles
from igoudar.control.actuation.unheard import Unheard
from igoudar.control.alarms.alarm import temperature_stands
from igoudar.control.alarms.digest import GROUP_WINDOW_S, REPEAT_WINDOW_S, Digest
from igoudar.control.alarms.engine import AlarmEngine
from igoudar.control.alarms.notify import Notifier
from igoudar.control.api.app import create_app
from igoudar.control.api.reports import Reports
from igoudar.control.api.rooms import Rooms
from igoudar.control.api.server import announce, bind, check_public, serve
from igoudar.control.api.webhook import open_hook
from igoudar.control.demand_response.ahead import told_ahead
from igoudar.control.demand_response.setup import event_watch, events_room
from igoudar.control.desk import Desk
from igoudar.control.dsx.setup import open_dsx
from igoudar.control.dsx.watch import BrokerWatch
from igoudar.control.elsewhere import HandsOffElsewhere
from igoudar.control.failsafe.audit import FailsafeAudit
from igoudar.control.failsafe.heartbeat import Heartbeat
from igoudar.control.hands import Hands
from igoudar.control.lease import Lease, host_of
from igoudar.control.lease.opening import open_lease
from igoudar.control.lease.turn import Turn
from igoudar.control.loop import DAY, Loop
from igoudar.control.mode import Modes
from igoudar.control.nodes import Nodes
from igoudar.control.operator import Operator
from igoudar.control.parts import read_parts
from igoudar.control.people.door import open_door
from igoudar.control.people.users import Users
from igoudar.control.plan_pauses import plan_pauses
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.climate import teaching
from igoudar.control.planner.worker import Worker
from igoudar.control.records.opening import open_records
from igoudar.control.records.room import AuditRoom
from igoudar.control.records.state import Records
from igoudar.control.records.versions import Source, remember
from igoudar.control.roster import WALL_PERIOD_S, Roster, roster
from igoudar.control.steering import Steering
from igoudar.control.takeover import Takeover
from igoudar.control.telemetry import CollectorTelemetry, Telemetry
from igoudar.control.trends import Trends
from igoudar.control.upkeep import Upkeep
from igoudar.core.clock import Clock, control_cycle_s
from igoudar.core.i18n import choose_language
from igoudar.core.model import Profile, Site
from igoudar.core.site_version import site_version
from igoudar.core.store.choice import open_reader
from igoudar.core.store.protocol import TelemetryReader

GROUP_WALL_S, REPEAT_WALL_S = 10.0, 60.0  # a fast clock must not flood a person, who lives on the wall
COUNTER_GAP_S = 180.0
PART_WALL_S = 30.0  # in which a part of a long cycle is over, or control is stuck


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
    source: Source | None = None,
) -> None:
    """Control one site until cancelled; `ready` gets the API's address.

    Forecasts learn the site's usual days from `resource` (measured capacity factors), where it is given.

    `source` is where the site's configuration was read; it is kept by its version.

    Raises:
        ConfigError: when the port is in use, the mode unknown, or other hosts could reach an unprotected API.
        StoreError: when the state database can't be used.
    """
    listener = bind(api_port, site.api.bind)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        records = open_records(site.audit, state)
        stack.callback(records.close)
        if source is not None:
            remember(records, site.name, site_version(site), source)
        lease = open_lease(site.audit, records, state)
        stack.callback(lease.close)
        scheduler = await stack.enter_async_context(open_scheduler(site, state, clock, lease.held))
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
        stack.push_async_callback(acting_setup.close, loop.acting)
        stack.push_async_callback(loop.events.stop)
        stack.callback(Heartbeat(state).stop)
        door = open_door(site, state, rooms.users)
        check_public(site.api, named_people=door.signed is not None or bool(rooms.users.listed()))
        app = create_app(rooms, door, site.api)
        upkeep = Upkeep(site.name, records, rooms.room, lease, clock.now, site_version(site))
        upkeep.start()
        loop.engine.watches.append(upkeep.signals)
        broker = open_dsx(site.dsx, loop.events, clock, rooms.operator.note, state)
        if broker is not None:
            loop.engine.watches.append(BrokerWatch(broker).signals)
        caps = acting_setup.cap_watch(loop.acting, clock)
        if caps is not None:
            loop.engine.watches.append(caps.signals)
        url = announce(state, listener, site.api)
        async with asyncio.TaskGroup() as group:
            group.create_task(lease.keep(), name="lease")
            group.create_task(loop.notifier.run(), name="notify")
            group.create_task(serve(app, listener, site.api), name="api")
            group.create_task(upkeep.run(), name="upkeep")
            group.create_task(loop.run(), name="loop")
            if caps is not None:
                group.create_task(caps.run(), name="caps")
            if broker is not None:
                group.create_task(broker.run(), name="dsx")
            if ready:
                ready(url)


async def assemble(
    plant: Roster,
    clock: Clock,
    state: Path,
    records: Records,
    scheduler: Scheduler,
    telemetry: Telemetry,
    reader: TelemetryReader,
    mode: str,
    forced: str | None,
    planner: PlanService,
    lease: Lease,
) -> tuple[Loop, Rooms]:
    """The loop and what the API needs of it."""
    now, version = clock.now(), site_version(plant.site)
    books = books_room.books(plant)
    ledger = await asyncio.to_thread(books_room.stored, books, reader, now, _gap_s(clock.speed))
    trends = Trends()
    trends.restore(records.published(now - DAY))
    run_id, classes = str(getattr(clock, "run_id", "")), plant.site.guard.modes
    desk, modes = Desk(), Modes(records, mode, forced, now, run_id, classes, writer=lease.held())
    turn = Turn(lease)
    room = AuditRoom(records, state, plant.site.audit.low_bytes, plant.site.audit.full_bytes)
    acting = acting_setup.acting(
        plant,
        clock,
        state,
        records,
        scheduler,
        planner,
        modes,
        turn,
        version,
        control_cycle_s(clock.speed),
        lambda: not room.look().full,
        lambda: temperature_stands(plant.site.alarms, engine.listed()),
    )
    events = events_room(plant, clock, records, ledger, books, acting, modes, version)
    acting.budget.holding = lambda: events.acting
    events.held = modes.held = turn.held
    elsewhere = HandsOffElsewhere(records, state, host_of(lease.holder))
    takeover = Takeover(plant.site.name, turn, modes, acting, events, elsewhere, clock.now)
    takeover.start()
    operator = Operator(scheduler, acting.executor, clock.speed)
    engine = AlarmEngine(plant, records, now)
    engine.watches.append(
        Troubles(plant.site.name, state, acting.executor.gate.memory, acting.mandate).signals
    )
    heartbeat, pauses = Heartbeat(state), plan_pauses(plant.site, acting.suspends, modes)
    failsafe = FailsafeAudit(state, records, acting.suspends.resumed, version, plant.site.time_zone)
    engine.watches += [failsafe.signals, takeover.signals]
    loop = Loop(
        roster=plant,
        clock=clock,
        telemetry=telemetry,
        scheduler=scheduler,
        reference=scheduler if isinstance(scheduler, SimulatedScheduler) else None,
        records=records,
        modes=modes,
        operator=operator,
        acting=acting,
        events=events,
        steering=Steering(plant.site, ledger, books, planner, told_ahead(events), acting.caps_stand, pauses),
        engine=engine,
        notifier=Notifier(records, state, choose_language()),
        digest=_digest(clock.speed),
        ledger=ledger,
        books=books,
        trends=trends,
        parts=lambda: read_parts(state / "parts.json"),
        publish=desk.publish,
        beat=heartbeat.beat,
        catch_up=takeover.look,
        absorb=failsafe.absorb,
        simulated=endpoints(state).get("simulated", False) is True,
    )
    loop.steering.warmer, loop.steering.dimmed = acting.warmer, acting.dimmed
    engine.watches += [Unheard(plant.site.name, lambda: loop.unheard).signals, event_watch(events, modes)]
    events.progress = lambda: heartbeat.beat(PART_WALL_S)
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
        Users(records),
        room,
        Hands(acting.executor, state, control_cycle_s(clock.speed)),
        Nodes(scheduler, acting.executor, clock.speed),
        events,
        open_hook(plant.site.webhook, clock),
    )
    return loop, rooms


def _gap_s(speed: float) -> float:
    return max(COUNTER_GAP_S, 3 * WALL_PERIOD_S * speed)


def _digest(speed: float) -> Digest:
    return Digest(max(GROUP_WINDOW_S, GROUP_WALL_S * speed), max(REPEAT_WINDOW_S, REPEAT_WALL_S * speed))
