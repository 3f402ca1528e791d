"""The simulate process: owns the site clock, steps plant and shadow, serves every device and the cluster."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from igoudar.core.clock import SiteClock, control_cycle_s
from igoudar.core.errors import ConfigError
from igoudar.core.model import Profile, Site
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.field import Field
from igoudar.simulators.http_server import HttpServer
from igoudar.simulators.keeping import Keeper, load_checkpoint
from igoudar.simulators.origin import first_start, resume_at, resumed, running_clock, usable
from igoudar.simulators.plant.jobs import load_jobs
from igoudar.simulators.plant.resource import load_resource
from igoudar.simulators.scheduler import SchedulerApi
from igoudar.simulators.slurm_follow import Follower, follower_of
from igoudar.simulators.twin import Inputs, Twin

CHECKPOINT = "plant.msgpack"
TICK_S = 0.2  # wall time between steps
_BUSY_LIMIT = 0.25  # of the process's time for stepping
GRACE_WALL_S = 2.0  # a busy host's cycles are longer than they should be


def grace_s(speed: float) -> float:
    """How long a new job waits for control's decision before it starts by itself, site time [s]."""
    return max(2 * control_cycle_s(speed), GRACE_WALL_S * speed)


def load_inputs(site: Site, seed: int, resource_path: Path | None, jobs_path: Path | None) -> Inputs:
    """What the plant is built from; the replayed series are read here.

    Raises:
        ConfigError: naming the file, and the line of a malformed row.
    """
    resource = load_resource(resource_path) if resource_path else None
    if site.scheduler.kind != "simulated":
        return Inputs(site, seed, resource, (), f"{resource_path or ''}|{_followed(site, jobs_path)}")
    jobs = load_jobs(jobs_path, site) if jobs_path else None
    return Inputs(site, seed, resource, jobs, f"{resource_path or ''}|{jobs_path or ''}")


def _followed(site: Site, jobs_path: Path | None) -> str:
    """The name of the scheduler that brings the jobs."""
    if jobs_path:
        fix = "leave --jobs out, or scheduler.kind in the site file"
        raise ConfigError("the site's jobs are Slurm's: none can be replayed", where="--jobs", fix=fix)
    return f"{site.scheduler.kind} {site.scheduler.slurm_conf}"


async def run(
    site: Site,
    profiles: Mapping[str, Profile],
    state: Path,
    *,
    speed: float,
    seed: int = 1,
    start: datetime | None = None,
    resource_path: Path | None = None,
    jobs_path: Path | None = None,
    run_id: str = "",
    ready: Callable[[], None] | None = None,
) -> None:
    """Simulate `site` until cancelled; a restart in the same state folder goes on where it was.

    Args:
        site: What to simulate.
        profiles: Products by name.
        state: Gets `clock.json`, `endpoints.json` and `plant.msgpack`.
        speed: Site seconds per wall second.
        seed: Of weather and jobs.
        start: Site time of a first start, UTC.
        resource_path: Measured capacity factors to replay.
        jobs_path: A job trace to replay.
        run_id: Of the supervisor's run: a restart within it keeps the clock.
        ready: Called once every device answers.
    """
    if not 0 < speed <= 1e5:
        raise ConfigError(f"a speed of {speed:g} can't be run", where="--speed", fix="use 1 to 1440")
    inputs = await asyncio.to_thread(load_inputs, site, seed, resource_path, jobs_path)
    began = first_start(start, bool(resource_path or jobs_path))
    simulation = await asyncio.to_thread(_prepared, inputs, state, speed, began, run_id)
    await simulation.serve(profiles, ready)


def _prepared(inputs: Inputs, state: Path, speed: float, start: datetime, run_id: str) -> "Simulation":
    kept = load_checkpoint(state / CHECKPOINT)
    clock = running_clock(state / "clock.json", run_id, speed)
    stored = _stored_until(state / "store") if clock is None else None
    at = resume_at(start if clock is None else clock.origin, kept, stored)
    kept = usable(inputs, kept, at)
    twin = resumed(inputs, kept, at, grace_s(speed))
    return Simulation(inputs, twin, kept, clock, state, speed, run_id or uuid.uuid4().hex)


def _stored_until(store: Path) -> datetime | None:
    if not store.is_dir():
        return None
    from igoudar.core.store.reader import ParquetReader  # polars: half a second that a first start saves

    return ParquetReader(store).last_time()


class Simulation:
    """One run of the simulate process.

    Args:
        inputs: What the plant was built from.
        twin: Plant and shadow, at the time to go on from.
        kept: The checkpoint they came from, None for a first start.
        clock: The clock to keep, None for a new one.
        state: The state folder.
        speed: Site seconds per wall second.
        run_id: Of this run.
    """

    def __init__(
        self,
        inputs: Inputs,
        twin: Twin,
        kept: dict[str, object] | None,
        clock: SiteClock | None,
        state: Path,
        speed: float,
        run_id: str,
    ) -> None:
        self._inputs, self._twin, self._kept, self._clock = inputs, twin, kept, clock
        self._state, self._speed, self._run_id = state, speed, run_id

    async def serve(self, profiles: Mapping[str, Profile], ready: Callable[[], None] | None) -> None:
        """Open every server, publish clock and endpoints, then step until cancelled."""
        site = self._inputs.site
        faults = FaultBoard({device.name: device for device in site.devices})
        floor_s = 3 * control_cycle_s(self._speed)
        async with Field(site, profiles, self._twin, faults, floor_s) as field:
            keeper = Keeper(self._state / CHECKPOINT, self._inputs, self._twin, field.firmwares, faults)
            if self._kept is not None:
                keeper.restore(self._kept)
            follower = follower_of(site, (self._twin.plant, self._twin.shadow))
            if follower is not None:
                await follower.refresh()
            async with HttpServer(SchedulerApi(self._twin, faults, keeper.save, follower)) as scheduler:
                clock = self._start_clock(field)
                publish(self._state, self._run_id, field.endpoints, scheduler.url)
                if ready is not None:
                    ready()
                await self._run(clock, field, keeper, follower)

    def _start_clock(self, field: Field) -> SiteClock:
        """Go on with the run's clock, having caught up with it, or start one at the plant's time."""
        if self._clock is not None:
            advance(self._twin, field, self._clock.now())
            return self._clock
        clock = SiteClock(self._twin.now, time.monotonic(), self._speed, self._run_id)
        clock.save(self._state / "clock.json")
        return clock

    async def _run(self, clock: SiteClock, field: Field, keeper: Keeper, follower: Follower | None) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_step(self._twin, clock, field), name="plant")
                group.create_task(keeper.keep(), name="checkpoints")
                if follower is not None:
                    group.create_task(follower.run(), name="slurm")
        finally:
            keeper.save_now()


async def _step(twin: Twin, clock: SiteClock, field: Field) -> None:
    while True:
        began = time.monotonic()
        advance(twin, field, clock.now())
        cost_s = time.monotonic() - began
        await asyncio.sleep(max(TICK_S - cost_s, cost_s / _BUSY_LIMIT))


def advance(twin: Twin, field: Field, now: datetime) -> None:
    """Step the plant to `now`, stopping at each reversion timer that runs out on the way."""
    while (due := field.firmwares.next_due()) is not None and due < now:
        twin.advance_to(due)
        field.firmwares.revert_due(due)
    twin.advance_to(now)


def publish(state: Path, run_id: str, devices: Mapping[str, str], scheduler: str) -> None:
    """Write `endpoints.json`, whole or not at all."""
    document = {
        "schema": 1,
        "run_id": run_id,
        "simulated": True,
        "devices": dict(devices),
        "scheduler": scheduler,
    }
    part = state / "endpoints.json.part"
    part.write_text(json.dumps(document, indent=1))
    part.replace(state / "endpoints.json")
