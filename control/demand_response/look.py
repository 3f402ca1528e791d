"""From the frozen picture and the queue to what an event sees and may move. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.demand_response.cover import left_ratio
from igoudar.control.demand_response.feeds import FeedRoom, at_worst, rack_powers, tree
from igoudar.control.demand_response.intervals import Sample
from igoudar.control.demand_response.levers import BatteryLever, CapLever, JobLever, Levers, LoadLever, Sight
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.units import least_step_w
from igoudar.control.dispatch import gpu_power_w
from igoudar.control.picture import POWER, Picture, soc_pct
from igoudar.control.roster import Roster
from igoudar.core.model import Device, JobState, Kind, Site

STOP_COST_S = 600.0  # 10 min of training is a fair cost of one suspend and resume (SITE.md)
LONGEST_FACTOR, LIKELY_FACTOR = (
    1.26,
    0.8,
)  # of an expectation: the longest run, and the shortest, to reckon with
OVERRUN = 0.25  # of the expectation is still ahead of a job that has outlasted it; our assumption
LEAST_RISE = 1.08  # facility load per IT load, until a PUE is measured
IMPORT, EXPORT = "active_energy_import_wh", "active_energy_export_wh"
MOVABLE = (JobState.WAITING, JobState.RUNNING, JobState.SUSPENDED)
LOADS = (Kind.DESALINATION, Kind.ELECTROLYSER)


def sight(picture: Picture, roster: Roster, cycle_s: float) -> Sight:
    """The two limited powers; a meter that is silent makes its power unknown."""
    transformers, grid = roster.power_devices("transformer"), roster.power_devices("grid")
    facility_w, import_w = (_fresh_w(picture, roster, devices) for devices in (transformers, grid))
    read = [picture.readings[d.name].at for d in (*transformers, *grid) if d.name in picture.readings]
    return Sight(picture.at, facility_w, import_w, min(read, default=None), cycle_s)


def _fresh_w(picture: Picture, roster: Roster, devices: Collection[Device]) -> float | None:
    ages = [picture.age_s(device.name) for device in devices]
    heard = all(
        age_s is not None and age_s <= roster.stale_s(device)
        for age_s, device in zip(ages, devices, strict=True)
    )
    return picture.total(devices, POWER) if devices and heard and not picture.lost else None


def counters(picture: Picture, devices: Iterable[Device]) -> dict[str, Sample]:
    """The meters' energies, what flows back counted negative."""
    found: dict[str, Sample] = {}
    for device in devices:
        for point, sign, mark in ((IMPORT, 1.0, "+"), (EXPORT, -1.0, "-")):
            value_wh = picture.value(device.name, point)
            if value_wh is not None:
                found[device.name + mark] = (picture.readings[device.name].at, sign * value_wh)
    return found


def levers(
    picture: Picture,
    roster: Roster,
    queue: Queue,
    seen: Sight,
    memory: Memory,
    left_alone: Collection[str],
    pue: float | None,
    margin_s: float,
    caps: tuple[CapLever, ...] = (),
) -> Levers:
    """Everything that may be moved now; urgent jobs and those that a person steers are left out."""
    gpu_w, rise = gpu_power_w(roster.site), max(LEAST_RISE, pue or 0.0)
    dimmed = left_ratio(memory.caps, caps)
    ours = [job for job in queue.jobs if job.flexible and job.job_id not in left_alone]
    obeys = _obeys(roster, memory.refused)
    battery = _battery(picture, roster) if obeys else None
    return Levers(
        jobs=tuple(
            job_lever(job, (gpu_w * dimmed, gpu_w * rise), seen.now, memory, margin_s)
            for job in ours
            if job.state in MOVABLE
        ),
        caps=caps,
        loads=tuple(_loads(picture, roster)),
        battery=battery,
        feeds=_feeds(picture, roster) if memory.paused else None,
        arriving_w=_arriving_w(queue, gpu_w * rise, seen, memory, left_alone),
        battery_mute=obeys and battery is None,
    )


def gone(queue: Queue, levers: Levers) -> Mapping[str, JobState]:
    """Where the jobs stand that are no levers."""
    known = levers.by_id()
    return {job.job_id: job.state for job in queue.jobs if job.job_id not in known}


def in_time(queue: Queue) -> frozenset[str]:
    """Jobs that have finished before their deadline, whatever was feared for them."""
    return frozenset(
        job.job_id for job in queue.jobs if job.finished and job.deadline and job.finished <= job.deadline
    )


def job_lever(
    job: QueuedJob, gpu_w: tuple[float, float], now: datetime, memory: Memory, margin_s: float
) -> JobLever:
    """One job; `gpu_w` is what each of its GPUs takes off when it stands, and adds when it runs."""
    resumed = memory.resumed.get(job.job_id)
    again_s = STOP_COST_S if resumed and now - resumed < timedelta(seconds=STOP_COST_S) else 0.0
    return JobLever(
        job.job_id,
        job.gpus,
        job.state,
        job.gpus * gpu_w[0],
        job.gpus * gpu_w[1],
        _left_s(job),
        min(STOP_COST_S, job.work_done_s) + again_s,
        job.deadline - timedelta(seconds=margin_s) if job.deadline else None,
        job.begin_at if job.state is JobState.WAITING else None,
        job.deadline is not None and _least_left_s(job) > (job.deadline - now).total_seconds(),
        job.racks,
    )


def _left_s(job: QueuedJob) -> float:
    longest_s = LONGEST_FACTOR * job.expected_s
    return max(longest_s - job.work_done_s, OVERRUN * job.expected_s if job.work_done_s > longest_s else 0.0)


def _least_left_s(job: QueuedJob) -> float:
    return max(0.0, LIKELY_FACTOR * job.expected_s - job.work_done_s)


def _arriving_w(
    queue: Queue, gpu_w: float, seen: Sight, memory: Memory, left_alone: Collection[str]
) -> float:
    """Load that comes whatever we do: urgent and steered jobs that start now, and those that just have."""
    free = queue.gpus_free
    known = {effect.what for effect in memory.effects}
    total_w, soon = 0.0, seen.now + timedelta(seconds=seen.cycle_s)
    for job in queue.jobs:
        if job.job_id in known:
            continue
        if _just_started(job, seen):
            total_w += job.gpus * gpu_w
        elif _will_start(job, soon, left_alone) and job.gpus <= free:
            free -= job.gpus
            total_w += job.gpus * gpu_w
    return total_w


def _just_started(job: QueuedJob, seen: Sight) -> bool:
    started = job.started if job.state is JobState.RUNNING else None
    return started is not None and seen.read_at is not None and started >= seen.read_at


def _will_start(job: QueuedJob, soon: datetime, left_alone: Collection[str]) -> bool:
    if job.state is not JobState.WAITING or (job.flexible and job.job_id not in left_alone):
        return False
    return job.begin_at is None or job.begin_at <= soon


def _feeds(picture: Picture, roster: Roster) -> FeedRoom:
    """By the racks' own PDUs."""
    metered: dict[str, float] = {}
    for rack in roster.racks:
        pdus = [d for d in roster.subjects.get(rack, ()) if d.kind is Kind.PDU]
        draw_w = picture.total(pdus, POWER) if pdus else None
        if draw_w is not None:
            metered[rack] = draw_w
    peaks = {rack.name: rack.peak_w for rack in roster.site.racks}
    return at_worst(tree(roster.site), rack_powers(roster.site.racks, metered), peaks)


def _loads(picture: Picture, roster: Roster) -> Iterable[LoadLever]:
    for kind in LOADS:
        for device in roster.kinds.get(kind, ()):
            now_w = picture.value(device.name, POWER)
            if now_w is not None and "limit_w" in device.allow:
                yield LoadLever(device.name, now_w, device.share * _rated_w(roster.site, kind))


def _rated_w(site: Site, kind: Kind) -> float:
    return site.desalination.power_w if kind is Kind.DESALINATION else site.electrolyser.power_w


def _obeys(roster: Roster, refused: Collection[str]) -> bool:
    """Whether there is a battery of which some unit does as told."""
    units = roster.kinds.get(Kind.BATTERY, ())
    there = roster.has("battery") and roster.site.battery.power_w > 0.0
    return there and any(unit.name not in refused for unit in units)


def _battery(picture: Picture, roster: Roster) -> BatteryLever | None:
    """None where it is not heard."""
    bank, charge_pct = roster.site.battery, soc_pct(picture, roster)
    meters, units = roster.power_devices("battery"), roster.kinds.get(Kind.BATTERY, ())
    now_w = picture.total(meters, POWER)
    if now_w is None or charge_pct is None:
        return None
    above_pct = max(0.0, charge_pct - bank.soc_min_pct - roster.site.guard.soc_margin_pct)
    stored_wh = above_pct / 100.0 * bank.energy_wh * bank.efficiency
    step_w = max(least_step_w(roster, unit) for unit in units)
    read_at = min(picture.readings[meter.name].at for meter in meters)
    return BatteryLever(now_w, bank.power_w, stored_wh, step_w, read_at)
