"""What the executor sees of the site: what stands there now, and what a command would change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.guard.rules import NODE_POWER
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.dispatch import job_power_w
from igoudar.control.picture import Picture
from igoudar.control.roster import Roster
from igoudar.core.model import Device, JobState, Kind
from igoudar.core.units import unit_of

Value = float | str | None
RUN_MORE, RUN_LESS = ("release", "resume"), ("suspend", "requeue", "delay")


@dataclass(frozen=True, slots=True)
class Preview:
    """What a command would change: for confirmations and dry runs."""

    old: Value
    new: Value
    unit: str
    expires_at: datetime
    effect_w: float | None  # change of what the site takes from the grid, positive = more; None = not known


@dataclass(frozen=True, slots=True)
class Sight:
    """One frozen picture and queue."""

    plant: Roster
    picture: Picture
    jobs: Mapping[str, QueuedJob] | None = None  # None while the scheduler does not answer
    pue: float | None = None

    def job(self, job_id: str) -> QueuedJob | None:
        """A job of the queue."""
        return self.jobs.get(job_id) if self.jobs else None

    def old(self, command: Command) -> Value:
        """What stands there now: a value, a begin time, or a state."""
        if command.actuator is not ActuatorClass.JOBS:
            return self.picture.value(command.target, command.point)
        if command.point in NODE_POWER:
            return str(command.params.get("state", ""))
        job = self.job(command.target)
        if job is None:
            return None
        return job.begin_at.isoformat() if job.begin_at else job.state.value

    def before(self, command: Command) -> str | None:
        """The same for the record."""
        return shown(self.old(command))

    def preview(self, command: Command) -> Preview:
        """Old and new, with what it does to the grid's meter."""
        jobs = command.actuator is ActuatorClass.JOBS
        return Preview(
            old=self.old(command),
            new=new(command),
            unit="" if jobs else unit_of(command.point),
            expires_at=command.until or command.expires_at,
            effect_w=self._job_w(command) if jobs else self._plant_w(command),
        )

    def _job_w(self, command: Command) -> float | None:
        job = self.job(command.target)
        if job is None:
            return None
        power_w = job_power_w(job, self.plant.site, self.pue)
        runs = job.state is JobState.RUNNING
        due = job.begin_at is None or job.begin_at <= self.picture.at
        if command.point in RUN_MORE:
            return 0.0 if runs else power_w
        if command.point == "delay":
            return -power_w if due and not runs else 0.0
        return -power_w if runs and command.point in RUN_LESS else 0.0

    def _plant_w(self, command: Command) -> float | None:
        device = self.plant.devices.get(command.target)
        if device is None or command.value is None:
            return None
        now_w = self.picture.value(device.name, "active_power_w")
        if now_w is None:
            return None
        after_w = self._after_w(device, command, command.value, now_w)
        if after_w is None:
            return None
        source = device.kind in (Kind.BATTERY, Kind.INVERTER, Kind.TURBINE)
        return now_w - after_w if source else after_w - now_w

    def _after_w(self, device: Device, command: Command, value: float, now_w: float) -> float | None:
        """Power of the device once the command stands, all else as it is."""
        if device.kind is Kind.BATTERY:
            return self._battery_w(device, command.point, value, now_w)
        if device.kind is Kind.INVERTER and command.point == "limit_pct":
            return min(now_w, value / 100 * self.plant.site.solar.ac_w * device.share)
        if command.point == "power_limit_w":
            return min(now_w, value)
        if command.point == "limit_w":
            return min(now_w, value) if device.kind is Kind.TURBINE else value
        if command.point == "enable_state":
            return now_w if value >= 1.0 else 0.0
        return None

    def _battery_w(self, device: Device, point: str, value: float, now_w: float) -> float | None:
        rated_w = self.plant.site.battery.power_w * device.share
        if point == "setpoint_w":
            return max(-rated_w, min(rated_w, value))
        bound_w = value / 100 * rated_w
        if point == "discharge_rate_pct":
            return min(now_w, bound_w)
        return max(now_w, -bound_w) if point == "charge_rate_pct" else None


def by_id(queue: Queue | None) -> dict[str, QueuedJob] | None:
    """The jobs of a queue by their ids."""
    return {job.job_id: job for job in queue.jobs} if queue else None


def new(command: Command) -> Value:
    """What would stand there."""
    if command.actuator is not ActuatorClass.JOBS or command.value is not None:
        return command.value
    return command.until.isoformat() if command.until else command.point


def shown(value: Value) -> str | None:
    """A value as the record keeps it."""
    return f"{value:g}" if isinstance(value, float | int) else value
