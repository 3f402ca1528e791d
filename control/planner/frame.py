"""From the queue, the meters and the site to what the plan is told. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

import numpy as np

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.dispatch import DEFAULT_PUE, gpu_power_w
from igoudar.control.picture import Powers
from igoudar.control.planner.dimming import Dimmed, drawing_gpus
from igoudar.control.planning.plan.segments import cap_curve
from igoudar.control.planning.policy import STEP_S, Ceiling, Cooling, Limits, View, Why
from igoudar.control.planning.requests import JobRequest, Margins
from igoudar.control.planning.setpoint import Warmth
from igoudar.control.planning.table import Fleet, Floats, JobTable, Phase
from igoudar.core.model import FlexibleLoad, JobState, Site
from igoudar.core.model_plan import WarmerSupply

DAYS_BACK = 8  # time is counted from a midnight before every job's submission
CHECKPOINT_S, MIN_RUN_S = 600.0, 3600.0  # a stop costs ten minutes of work (INTERFACES.md)
OURS = (JobState.WAITING, JobState.HELD, JobState.RUNNING)
NO_CAPS: Dimmed = MappingProxyType({})
UNKNOWN_CHARGE = 0.5  # of the battery, while its charge is not known


@dataclass(frozen=True, slots=True)
class Used:
    """What the meters have counted: flexible loads since midnight [Wh], the week's highest import [W]."""

    desalinated_wh: float = 0.0
    electrolysed_wh: float = 0.0
    peak_import_w: float = 0.0
    unread_h: float = 0.0  # of today, before these meters were first read


def limits(site: Site, gpus: int) -> Limits:
    """What the site file says of ratings and prices."""
    battery, prices = site.battery, site.prices
    return Limits(
        gpus=gpus,
        gpu_w=gpu_power_w(site),
        it_cap_w=site.it_w,
        import_limit_w=site.grid.import_limit_w,
        export_limit_w=site.grid.export_limit_w,
        battery_wh=battery.energy_wh,
        battery_w=battery.power_w,
        efficiency=battery.efficiency,
        soc_min_wh=battery.energy_wh * battery.soc_min_pct / 100,
        soc_max_wh=battery.energy_wh * battery.soc_max_pct / 100,
        price_per_mwh=prices.import_per_mwh,
        export_price_per_mwh=prices.export_per_mwh,
        peak_price_per_mw=prices.peak_per_mw_week,
        desalination_w=site.desalination.power_w,
        desalination_daily_wh=site.desalination.daily_wh,
        electrolyser_w=site.electrolyser.power_w,
        electrolyser_daily_wh=site.electrolyser.daily_wh,
        cap_curve=cap_curve(site.emergency.cap_least_ratio, above_idle=True) if site.plan.caps else (),
        reserve_w=site.plan.reserve_w,
        reserve_share=site.plan.reserve_share,
    )


def ours(queue: Queue, left_alone: Collection[str], paused: Collection[str] = ()) -> list[QueuedJob]:
    """Flexible jobs that wait for us or run, in order of submission; what a person steers is left alone.

    Those that the plan has `paused` wait for it like any other.
    """
    able = (
        job
        for job in queue.jobs
        if job.flexible and (job.state in OURS or job.job_id in paused) and not job.blocked
    )
    found = [job for job in able if job.job_id not in left_alone]
    return sorted(found, key=lambda job: (job.submitted, job.job_id))


def epoch(now: datetime) -> datetime:
    """The midnight (UTC) that a view counts its seconds from."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=DAYS_BACK)


def table(jobs: Sequence[QueuedJob], margins: Margins, zero: datetime) -> JobTable:
    """The jobs as columns; running ones are never stopped (no scheduler here keeps a resume-by)."""
    requests = [
        JobRequest(j.job_id, j.gpus, 0.0, j.submitted, max(0.0, j.expected_s - j.work_done_s), j.deadline)
        for j in jobs
    ]
    expected, done = _column(j.expected_s for j in jobs), _column(j.work_done_s for j in jobs)
    left = _column(margins.longest(request).total_seconds() for request in requests)
    return JobTable(
        job_id=tuple(job.job_id for job in jobs),
        gpus=np.array([job.gpus for job in jobs], dtype=np.int64),
        submitted_s=_column((job.submitted - zero).total_seconds() for job in jobs),
        duration_s=expected,
        expected_s=expected,
        longest_s=done + left,
        deadline_s=_column((margins.end_by(request) - zero).total_seconds() for request in requests),
        preemptible=np.zeros(len(jobs), dtype=np.bool_),
        checkpoint_s=np.full(len(jobs), CHECKPOINT_S),
        min_run_s=np.full(len(jobs), MIN_RUN_S),
    )


def fleet(jobs: Sequence[QueuedJob], zero: datetime) -> Fleet:
    """Where the jobs stand."""
    found = Fleet.fresh(len(jobs))
    for row, job in enumerate(jobs):
        runs = job.state is JobState.RUNNING
        found.phase[row] = Phase.RUNNING if runs else Phase.WAITING
        found.done_s[row] = job.work_done_s
        if runs:
            found.since_s[row] = ((job.started or zero) - zero).total_seconds()
    return found


def view(
    now: datetime,
    site: Site,
    queue: Queue,
    jobs: Sequence[QueuedJob],
    plant: Powers,
    pue: float | None,
    soc_pct: float | None,
    used: Used,
    margins: Margins,
    dimmed: Dimmed = NO_CAPS,
) -> tuple[View, tuple[Why, ...]]:
    """The present as the plan sees it, and what had to be assumed; powers must be known."""
    zero, bounds = epoch(now), limits(site, queue.flexible_gpus)
    now_s = (now - zero).total_seconds()
    notes = [Why("planner.note_no_charge")] if soc_pct is None and bounds.battery_wh else []
    soc_wh = bounds.battery_wh * (UNKNOWN_CHARGE if soc_pct is None else soc_pct / 100)
    desalinated_wh, short = _owed(site.desalination, used.desalinated_wh, used.unread_h, now_s)
    electrolysed_wh, short_too = _owed(site.electrolyser, used.electrolysed_wh, used.unread_h, now_s)
    if short + short_too > 0:
        notes.append(Why("planner.note_drives_short", {"energy_wh": short + short_too}))
    found = View(
        step=int(now_s // STEP_S),
        now_s=now_s,
        time=now,
        period_end_s=now_s + _week_left_s(now),
        limits=bounds,
        jobs=table(jobs, margins, zero),
        fleet=fleet(jobs, zero),
        active=np.arange(len(jobs)),
        pv_w=max(0.0, plant.pv_w or 0.0),
        wind_w=max(0.0, plant.wind_w or 0.0),
        urgent_w=urgent_w(plant.it_w or 0.0, jobs, bounds.gpu_w, dimmed),
        pue=max(1.0, pue or DEFAULT_PUE),
        soc_wh=float(np.clip(soc_wh, bounds.soc_min_wh, bounds.soc_max_wh)),
        peak_import_w=used.peak_import_w,
        desalinated_wh=desalinated_wh,
        electrolysed_wh=electrolysed_wh,
    )
    return found, tuple(notes)


def with_ceilings(view: View, ceilings: tuple[Ceiling, ...]) -> View:
    """A view with the limits in time that are known."""
    return replace(view, limits=replace(view.limits, ceilings=bool(ceilings)), ceilings=ceilings)


def with_pauses(view: View, job_ids: Collection[str]) -> View:
    """A view whose plan reckons to pause these jobs."""
    able = np.array([job_id in job_ids for job_id in view.jobs.job_id], dtype=np.bool_)
    return replace(view, jobs=replace(view.jobs, preemptible=able))


def without_caps(view: View) -> View:
    """A view whose plan reckons with no caps."""
    return replace(view, limits=replace(view.limits, cap_curve=()))


def with_warmer(view: View, supply: WarmerSupply, warmth: Warmth) -> View:
    """A view whose plan may set the cooling's supply warmer.

    Its PUE, the last day's, becomes that of the setpoint as found.
    """
    cooling = Cooling(supply.pue_per_k, warmth.most_k, supply.least_pue, supply.ramp_k_per_h)
    found_pue = view.pue + supply.pue_per_k * warmth.mean_k
    return replace(view, limits=replace(view.limits, cooling=cooling), pue=found_pue)


def urgent_w(it_w: float, jobs: Sequence[QueuedJob], gpu_w: float, dimmed: Dimmed = NO_CAPS) -> float:
    """IT load that is not flexible jobs' [W], of which caps take a part."""
    return max(0.0, it_w - drawing_gpus(jobs, dimmed) * gpu_w)


def _owed(load: FlexibleLoad, read_wh: float, unread_h: float, now_s: float) -> tuple[float, float]:
    """What counts as drawn today [Wh]: what can't be made up before midnight is let go, and told.

    Hours that nobody has read count as drawn evenly, as the load does by itself.
    """
    done_wh = read_wh + load.daily_wh * unread_h / 24.0
    left_h = 24.0 - now_s % 86_400.0 / 3600.0
    lost_wh = max(0.0, load.daily_wh - done_wh - load.power_w * left_h)
    return done_wh + lost_wh, lost_wh


def _week_left_s(now: datetime) -> float:
    """Until Monday, UTC: peaks are billed by the week."""
    monday = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=now.weekday())
    return (monday + timedelta(days=7) - now).total_seconds()


def _column(values: Iterable[float]) -> Floats:
    return np.fromiter(values, np.float64)
