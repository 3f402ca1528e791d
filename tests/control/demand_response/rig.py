"""A site in virtual time: the physics of the plant, meters polled every 5 s, a carrier for its cluster."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from zlib import crc32

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Error, Rejected, Result, Success
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.demand_response.baseline import baseline
from igoudar.control.demand_response.book import Book
from igoudar.control.demand_response.event import Event, EventState
from igoudar.control.demand_response.events import Events
from igoudar.control.demand_response.orders import Orders
from igoudar.control.demand_response.request import EventRequest
from igoudar.control.demand_response.rules import Rules, rules_of
from igoudar.control.demand_response.seen import Look
from igoudar.control.ledger import Books, Ledger, books, note_picture
from igoudar.control.picture import Picture
from igoudar.control.records.state import Records
from igoudar.control.roster import Roster, roster
from igoudar.core.errors import CommandError
from igoudar.core.model import Device, JobState, Kind, Reading, Site
from igoudar.core.site import load_site
from igoudar.simulators.plant.plant import Plant

START = datetime(2026, 3, 3, 6, tzinfo=UTC)
CYCLE_S, POLL_S = 10.0, 5.0
READ = (Kind.METER, Kind.BATTERY, Kind.DESALINATION, Kind.ELECTROLYSER)


@cache
def plan_of(site: str) -> Roster:
    profiles = load_profiles()
    return roster(load_site(site, profiles), profiles, 1.0)


@dataclass
class ClusterCarrier:
    """Does what the links would do.

    `refuse` names targets that never do as told, `mute` loses answers, `deaf` ones do nothing and say they
    did, `weak` is what batteries give of what they are asked. What differs too little is not written.
    """

    plant: Plant
    devices: dict[str, Device]
    refuse: set[str] = field(default_factory=set)
    mute: bool = False
    deaf: set[str] = field(default_factory=set)
    weak: float = 1.0
    slack: dict[str, float] = field(
        default_factory=lambda: {"discharge_rate_pct": 1.0, "charge_rate_pct": 1.0}
    )
    held: dict[tuple[str, str], float] = field(default_factory=dict)
    done: list[Command] = field(default_factory=list)

    async def submit(self, commands: Sequence[Command], now: datetime) -> list[Outcome]:
        return [Outcome(command, self._one(command)) for command in commands]

    def _one(self, command: Command) -> Result:
        if command.target in self.refuse:
            return Error("it does nothing")
        if self._stands(command):
            return Rejected("unchanged")
        try:
            if command.actuator is ActuatorClass.JOBS:
                self._job(command)
            elif command.target not in self.deaf:
                self._device(command)
        except CommandError as error:
            return Error(str(error))
        self.done.append(command)
        return Error("no answer") if self.mute else Success(command.value or 0.0)

    def _stands(self, command: Command) -> bool:
        """As the collector's deadband has it, measured from what was written last."""
        key, value = (command.target, command.point), command.value
        if command.point not in self.slack or value is None:
            return False
        if key in self.held and 0.0 < abs(self.held[key] - value) <= self.slack[command.point]:
            return True
        self.held[key] = value
        return False

    def _device(self, command: Command) -> None:
        device, value = self.devices[command.target], command.value or 0.0
        if device.kind is Kind.BATTERY:
            value *= self.weak
            bit = {"discharge_rate_pct": 2.0, "charge_rate_pct": 1.0}.get(command.point)
            if bit is not None:  # the collector sets it along with its rate
                rates = self.plant.battery.converters[device.name].rates
                rates.storage_mode_state = float(int(rates.storage_mode_state) | int(bit))
        self.plant.write(device, command.point, value)

    def _job(self, command: Command) -> None:
        cluster = self.plant.cluster
        match command.point:
            case "suspend":
                cluster.suspend(command.target)
            case "resume":
                cluster.resume(command.target)
            case "release":
                cluster.release(command.target)
            case "delay":
                cluster.hold(command.target, command.until)


@dataclass
class Rig:
    """One site, one room of events, one clock."""

    plant: Plant
    roster: Roster
    room: Events
    carrier: ClusterCarrier
    ledger: Ledger
    books: Books
    readings: dict[str, Reading] = field(default_factory=dict)
    left_alone: set[str] = field(default_factory=set)
    facility_wh: list[tuple[float, float]] = field(default_factory=list)  # truth, each second step
    import_wh: list[tuple[float, float]] = field(default_factory=list)
    dead: set[str] = field(default_factory=set)
    silent: bool = False  # the scheduler

    @property
    def now(self) -> datetime:
        return self.plant.now

    @property
    def load_w(self) -> float:
        return float(self.plant.transformers.load_w.sum())

    def read(self) -> None:
        for device in self.roster.site.devices:
            if device.kind in READ and device.name not in self.dead:
                values = {k: v for k, v in self.plant.values(device).items() if v is not None}
                self.readings[device.name] = Reading(self.now, device.name, values)

    def picture(self) -> Picture:
        seen = {name: reading.at for name, reading in self.readings.items()}
        heard = {name: reading for name, reading in self.readings.items() if name not in self.dead}
        return Picture(self.now, heard, seen)

    def queue(self) -> Queue:
        cluster = self.plant.cluster
        jobs = tuple(
            QueuedJob(
                r.job.job_id, r.job.name, r.job.user, r.job.gpus, r.state, not urgent(r.job.job_id),
                r.job.submitted, r.expected_s, r.job.deadline, r.started, r.finished,
                r.begin_at, r.work_done_s(cluster.now_s),
            )
            for r in cluster.list()
        )  # fmt: skip
        return Queue(self.now, cluster.gpus, cluster.gpus_free, cluster.gpus, jobs)

    async def cycle(self) -> None:
        picture = self.picture()
        note_picture(self.ledger, self.books, picture)
        queue = None if self.silent else self.queue()
        await self.room.cycle(Look(picture, queue, self.left_alone, 1.06, CYCLE_S))

    async def run(self, seconds: float) -> None:
        """Let time go by: a poll every 5 s, a cycle every 10 s and at once when woken."""
        end = self.plant.time_s + seconds
        while self.plant.time_s < end - 1e-6:
            if self.room.wake.is_set():
                await self.cycle()
            self.plant.step(POLL_S)
            self.facility_wh.append((self.plant.time_s, float(self.plant.transformers.energy_wh.sum())))
            totals = self.plant.totals
            self.import_wh.append((self.plant.time_s, totals.grid_import - totals.grid_export))
            self.read()
            if round(self.plant.time_s) % round(CYCLE_S) == 0:
                await self.cycle()

    def open(self, request: EventRequest) -> str:
        return self.room.open(request).event_id

    def event(self, event_id: str) -> Event:
        return self.room.book.events[event_id]

    async def until(self, event_id: str, *states: EventState, most_s: float = 8 * 3600.0) -> None:
        for _ in count():
            if self.event(event_id).state in states:
                return
            assert most_s > 0, f"still {self.event(event_id).state}"
            await self.run(CYCLE_S)
            most_s -= CYCLE_S


def urgent(job_id: str) -> bool:
    """A fifth of the jobs may not be moved."""
    return crc32(job_id.encode()) % 5 == 0


def emergency_rules(site: Site, levers: tuple[str, ...] | None = None) -> Rules:
    rules = rules_of(site.emergency, site.it_w, 1.0, site.guard.resume_by_max_s)
    if levers is None:
        return rules
    return replace(rules, levers=frozenset(levers))


def rig(
    folder: Path,
    site: str = "dakhla-phase1",
    seed: int = 1,
    levers: tuple[str, ...] | None = None,
    warm_s: float = 2400.0,
    jobs: Sequence[object] | None = None,
) -> Rig:
    """A site whose cluster has run for a while and whose meters have been read for 40 min."""
    plan = plan_of(site)
    plant = Plant(plan.site, START - timedelta(hours=6), seed)
    plant.cluster.grace_s = 2 * CYCLE_S
    plant.step(6 * 3600.0 - warm_s)
    chart = books(plan)
    ledger = Ledger(180.0, chart.rules)
    devices = {device.name: device for device in plan.site.devices}
    carrier = ClusterCarrier(plant, devices)
    records = Records.open(folder / f"state-{seed}.sqlite")
    room = Events(
        plan,
        Book(records, lambda now: baseline(ledger, chart, now)),
        emergency_rules(plan.site, levers),
        carrier,
        Orders(plan.site, 1.0),
        lambda: plant.now,
        may_act=lambda: True,
    )
    made = Rig(plant, plan, room, carrier, ledger, chart)
    while plant.time_s < START.timestamp():
        plant.step(60.0)
        made.read()
        note_picture(ledger, chart, made.picture())
    return made


def flexible_running(rig: Rig) -> list[QueuedJob]:
    return [job for job in rig.queue().jobs if job.state is JobState.RUNNING and job.flexible]
