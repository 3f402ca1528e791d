"""A stand-in site for control: real sockets, values that a test sets, a queue that does what it is told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from igoudar.collectors import wire
from igoudar.collectors.authority import Authority, unpack_authority
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Error, Success
from igoudar.collectors.snapshot import Snapshot, Totals
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.api.server import bind
from igoudar.control.roster import Roster, roster
from igoudar.core.clock import ManualClock
from igoudar.core.model import Device, Gap, JobState, Kind, Reading, Reason, Setpoint
from igoudar.core.site import load_site

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Field:
    """Devices whose meters count what the test says flows [W]."""

    roster: Roster
    clock: ManualClock
    powers: dict[str, float] = field(
        default_factory=lambda: {
            "grid": 0.0,
            "transformer": 600e3,
            "it": 500e3,
            "pv": 400e3,
            "wind": 300e3,
            "battery": -50e3,
            "desalination": 20e3,
            "electrolyser": 30e3,
        }
    )
    values: dict[tuple[str, str], float] = field(default_factory=dict)  # (device, point) -> override
    dead: set[str] = field(default_factory=set)
    counters: dict[tuple[str, str], float] = field(default_factory=dict)
    last_good: dict[str, datetime] = field(default_factory=dict)
    count: int = 0
    authorities: list[Authority] = field(default_factory=list)  # what it was told, newest last
    writes: list[Setpoint] = field(default_factory=list)
    refuses: str = ""  # how every write fails

    def answer(self, frame: Mapping[str, Any]) -> dict[str, Any]:
        """What a collector that obeys says to one request."""
        match frame["op"]:
            case "snapshot":
                return {"snapshot": wire.pack_snapshot(self.snapshot())}
            case "authority":
                self.authorities.append(unpack_authority(frame["authority"]))
                return {}
            case "write":
                setpoint = wire.unpack_setpoint(frame["setpoint"])
                if self.refuses:
                    return {"result": wire.pack_result(Error(self.refuses))}
                self.writes.append(setpoint)
                self.values[setpoint.device, setpoint.point] = setpoint.value
                return {"result": wire.pack_result(Success(setpoint.value))}
        return {"metrics": {"points": 500.0}}

    def run(self, seconds: float) -> None:
        """Let time and energy flow."""
        self.clock.advance(seconds)
        for role, power_w in self.powers.items():
            for sign, way in ((1, "import"), (-1, "export")):
                key = (role, way)
                self.counters[key] = self.counters.get(key, 1e6) + max(0.0, sign * power_w) * seconds / 3600

    def snapshot(self) -> Snapshot:
        """What a collector would say now."""
        readings = {device.name: self._reading(device) for device in self.roster.site.devices}
        alive = {name: self.clock.now() for name in readings if name not in self.dead}
        self.last_good.update(alive)
        self.count += len(alive)
        return Snapshot(self.clock.now(), readings, dict(self.last_good), Totals(self.count, 0, 500))

    def _reading(self, device: Device) -> Reading:
        now = self.clock.now()
        if device.name in self.dead:
            return Reading(now, device.name, {}, gap=Gap(Reason.NO_CONNECTION, "refused"))
        values = self._values(device)
        values |= {point: v for (name, point), v in self.values.items() if name == device.name}
        return Reading(now, device.name, values)

    def _values(self, device: Device) -> dict[str, float]:
        if device.kind is Kind.METER:
            return {
                "active_power_w": self.powers[device.role],
                "active_energy_import_wh": self.counters.get((device.role, "import"), 1e6),
                "active_energy_export_wh": self.counters.get((device.role, "export"), 1e6),
                "frequency_hz": 50.0,
            }
        if device.kind in (Kind.DESALINATION, Kind.ELECTROLYSER):
            role = device.kind.value
            return {
                "active_power_w": self.powers[role],
                "energy_wh": self.counters.get((role, "import"), 1e6),
            }
        fixed: Mapping[Kind, dict[str, float]] = {
            Kind.PDU: {"active_power_w": 30e3},
            Kind.RACK_SENSORS: {"inlet_c": 22.0, "liquid_supply_c": 30.0, "liquid_return_c": 40.0},
            Kind.BATTERY: {"soc_pct": 55.0, "active_power_w": -50e3},
            Kind.GPU: {"gpu_temperature_c": 60.0, "gpu_utilisation_pct": 80.0},
            Kind.CDU: {"supply_c": 30.0, "return_c": 40.0, "flow_lpm": 500.0, "leak_state": 0.0},
        }
        return dict(fixed.get(device.kind, {"ambient_c": 20.0}))


@dataclass
class Cluster:
    """A scheduler over HTTP that keeps what it was told."""

    clock: ManualClock
    jobs: dict[str, QueuedJob] = field(default_factory=dict)
    calls: list[tuple[str, str, str]] = field(default_factory=list)
    gpus: int = 512
    refuses: str = ""  # how every wish is refused
    answers: bool = True  # whether wishes are answered at all

    def add(self, job_id: str, *, hours: float = 1, deadline_h: float | None = 20, **more: Any) -> QueuedJob:
        now = self.clock.now()
        deadline = now + timedelta(hours=deadline_h) if deadline_h is not None else None
        job = QueuedJob(
            job_id, f"name of {job_id}", "ada", 8, JobState.WAITING, True, now, hours * 3600, deadline,
            begin_at=now + timedelta(minutes=5),
        )  # fmt: skip
        self.jobs[job_id] = replace(job, **more)
        return self.jobs[job_id]

    def begin(self) -> None:
        """A begin time needs nobody: the job starts by itself."""
        for job_id, job in self.jobs.items():
            if job.state is JobState.WAITING and job.begin_at and job.begin_at <= self.clock.now():
                self.jobs[job_id] = replace(job, state=JobState.RUNNING, started=job.begin_at)

    async def list(self, _request: Request) -> JSONResponse:
        self.begin()
        used = sum(job.gpus for job in self.jobs.values() if job.state is JobState.RUNNING)
        return JSONResponse(
            {
                "time": self.clock.now().isoformat(),
                "gpus": self.gpus,
                "gpus_free": self.gpus - used,
                "flexible_gpus": self.gpus,
                "jobs": [_shown(job) for job in self.jobs.values()],
            }
        )

    async def act(self, request: Request) -> Response:
        job_id, verb = request.path_params["job"], request.path_params["verb"]
        body = await request.json()
        if self.refuses:
            return JSONResponse({"error": self.refuses}, status_code=409)
        if not self.answers:
            return PlainTextResponse("not what was asked")
        self.calls.append((verb, job_id, body.get("until", "")))
        job = self.jobs[job_id]
        if verb == "delay":
            job = replace(job, begin_at=datetime.fromisoformat(body["until"]))
        elif verb == "suspend":
            job = replace(job, state=JobState.SUSPENDED)
        else:
            job = replace(job, begin_at=None, state=JobState.RUNNING, started=self.clock.now())
        self.jobs[job_id] = job
        return JSONResponse(_shown(job))

    async def shadow(self, _request: Request) -> JSONResponse:
        quarter = self.clock.now() - timedelta(seconds=self.clock.now().timestamp() % 900)
        return JSONResponse({"time": [quarter.isoformat()], "load_w": [600e3]})

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/jobs", self.list),
                Route("/v1/shadow", self.shadow),
                Route("/v1/jobs/{job:path}/{verb}", self.act, methods=["POST"]),
            ]
        )


def _shown(job: QueuedJob) -> dict[str, Any]:
    names = ("job_id", "name", "user", "gpus", "state", "flexible", "expected_s", "work_done_s", "racks")
    times = ("submitted", "deadline", "started", "finished", "begin_at")
    shown = {name: getattr(job, name) for name in names}
    return shown | {name: at.isoformat() if (at := getattr(job, name)) else None for name in times}


@pytest.fixture(scope="session")
def lab() -> Roster:
    profiles = load_profiles()
    return roster(load_site("jazari-lab", profiles), profiles, 60.0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0, speed=60.0)


@pytest.fixture
def plant(lab: Roster, clock: ManualClock) -> Field:
    return Field(lab, clock)


@pytest.fixture
def cluster(clock: ManualClock) -> Cluster:
    return Cluster(clock)


@pytest.fixture
async def serve_http() -> AsyncIterator[Callable[[Any], Awaitable[str]]]:
    """Serve an ASGI app on a real loopback port; gives its address."""
    running: list[tuple[uvicorn.Server, asyncio.Task[None]]] = []

    async def start(app: Any) -> str:
        listener = bind(0)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        server.capture_signals = nullcontext  # type: ignore[method-assign,assignment]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        running.append((server, task))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for server, task in running:
        server.should_exit = True
        await task


@pytest.fixture
async def state(
    tmp_path: Path, plant: Field, cluster: Cluster, serve_http: Callable[[Any], Awaitable[str]]
) -> AsyncIterator[Path]:
    """A state folder with a collector's socket and a scheduler's address in it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (frame := await wire.receive(reader)) is not None:
            writer.write(wire.pack({"id": frame["id"], "ok": True, **plant.answer(frame)}))
            await writer.drain()
        writer.close()

    address = await serve_http(cluster.app())
    (tmp_path / "endpoints.json").write_text(
        json.dumps({"schema": 1, "simulated": True, "scheduler": address})
    )
    server = await asyncio.start_unix_server(answer, tmp_path / "collect.sock")
    yield tmp_path
    server.close()
    await server.wait_closed()
