"""The plan as people see it: its steps, and every waiting job with what it waits for."""

import math
from collections.abc import Iterable
from datetime import datetime

from igoudar.control.actuation.jobs import moves
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.dispatch import job_power_w
from igoudar.control.plan_cooling import planned_k
from igoudar.control.planner.ask import STEP, Plan, floor_step
from igoudar.control.planning.policy import Why
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.scene import Scene
from igoudar.control.schema import PlannedJob, PlanStep, PlanView, Text
from igoudar.control.text import text
from igoudar.control.views.jobs import WAITING, job_view
from igoudar.core.errors import CommandError
from igoudar.core.said import said

PRICE = "planner.step_price"
NO_PLAN = "greedy"  # the version while no plan is in force: the rules alone


def plan(scene: Scene) -> PlanView:
    """The plan in force; without one its jobs still have their latest starts."""
    force = scene.plan
    found = force.plan
    return PlanView(
        time=scene.now,
        version=version(scene),
        config_version=scene.config_version,
        issued_at=found.issued_at if found else None,
        source=force.source,
        why=_said(scene, force.why),
        gave_way=[_said(scene, why) for why in found.gave_way] if found else [],
        notes=[_said(scene, why) for why in (*found.notes, *_cooling(scene, found))] if found else [],
        solve_s=found.solve_s if found else None,
        steps=list(_steps(scene, found)) if found else [],
        jobs=planned_jobs(scene),
    )


def version(scene: Scene) -> str:
    """What an approval names."""
    return scene.plan.plan.version if scene.plan.plan else NO_PLAN


def planned_start(scene: Scene, job_id: str) -> datetime | None:
    """When a waiting job starts: now, by the plan, or (without one) at its latest start."""
    decision, found = scene.decisions.get(job_id), scene.plan.plan
    if decision is not None and decision.verb is Verb.START:
        return scene.now
    latest = decision.begin_at if decision else None
    if found is None:
        return latest
    begin, soonest = found.start_of(job_id), floor_step(scene.now) + STEP
    known = [at for at in (max(begin, soonest) if begin else None, latest) if at is not None]
    return max(scene.now, min(known)) if known else None


def approved_start(scene: Scene, job_id: str, plan_version: str) -> datetime:
    """When an approved job starts, if the plan is still the one that the person read.

    Raises:
        CommandError: the plan has changed since, a person steers the job, or the plan has no start for it.
    """
    if plan_version != version(scene):
        versions = {"approved": plan_version, "now": version(scene)}
        raise said(CommandError, "refusal.plan_changed", where=job_id, **versions)
    if job_id in scene.overrides:
        raise said(CommandError, "refusal.job_steered", where=job_id, job=job_id)
    start = planned_start(scene, job_id)
    if start is None:
        raise said(CommandError, "refusal.job_unplanned", where=job_id)
    return start


def planned_jobs(scene: Scene) -> list[PlannedJob]:
    """Flexible jobs that wait, or that the plan has paused, least slack first."""
    listed = [job for job in scene.queue.jobs if job.flexible] if scene.queue else []
    found = [_job(scene, job) for job in listed if job.state in WAITING or job.job_id in scene.paused]
    return sorted(found, key=lambda job: (job.slack_s is None, job.slack_s or 0.0, job.job_id))


def _cooling(scene: Scene, found: Plan) -> Iterable[Why]:
    """What the plan wants of the cooling's setpoint now, where it may move one."""
    supply, step = scene.roster.site.plan.cooling, found.step(scene.now)
    if supply is None or step is None or found.warm_w is None:
        return
    warmer_k = planned_k(found, supply, scene.now)
    if not warmer_k:
        yield Why("planner.cooling_found", {"setpoint_c": supply.setpoint_c})
        return
    price = next((why.params["price"] for why in found.step_reasons[step] if why.code == PRICE), 0.0)
    params = {"setpoint_c": supply.setpoint_c + warmer_k, "found_c": supply.setpoint_c, "price": price}
    yield Why("planner.cooling_warmer", {**params, "power_w": float(found.warm_w[step])})


def _steps(scene: Scene, found: Plan) -> Iterable[PlanStep]:
    names = list(found.powers)
    columns = [found.powers[name].tolist() for name in names]
    for index, values in enumerate(zip(*columns, strict=True)):
        reasons = [_said(scene, why) for why in found.step_reasons[index]]
        powers = dict(zip(names, values, strict=True))
        yield PlanStep(time=found.start + STEP * index, reasons=reasons, **powers)


def _job(scene: Scene, job: QueuedJob) -> PlannedJob:
    shown, decision = job_view(scene, job), scene.decisions.get(job.job_id)
    start, paused = planned_start(scene, job.job_id), job.job_id in scene.paused
    return PlannedJob(
        job_id=job.job_id,
        name=job.name,
        user=job.user,
        gpus=job.gpus,
        racks=_racks(scene, job),
        energy_wh=shown.energy_wh or 0.0,
        expected_s=job.expected_s,
        deadline=job.deadline,
        slack_s=shown.slack_s,
        start=start,
        latest_start=decision.begin_at if decision and decision.verb is Verb.WAIT else None,
        reason=reason(scene, job),
        proposed=_proposed(scene, job, decision),
        consequence=_consequence(scene, job, start, shown.energy_wh or 0.0) if start and not paused else None,
    )


def reason(scene: Scene, job: QueuedJob) -> Text:
    """Why it waits: what a person set, a pause, a start now, else what the plan says, else the rules."""
    shown = job_view(scene, job).reason
    decision, found = scene.decisions.get(job.job_id), scene.plan.plan
    planned = found.job_reasons.get(job.job_id) if found else None
    ours = job.job_id not in scene.overrides and job.job_id not in scene.paused
    waits = decision is not None and decision.verb is Verb.WAIT and ours
    if planned is not None and waits and planned.code != "planner.job_now":
        return _said(scene, planned)
    return shown or text("planner.job_new")


def _proposed(scene: Scene, job: QueuedJob, decision: Decision | None) -> bool:
    return scene.mode.mode == "advise" and decision is not None and moves(decision, job, scene.now)


def _consequence(scene: Scene, job: QueuedJob, start: datetime, energy_wh: float) -> Text:
    """Of approving: when it runs, what it draws, what slack is left, and what of it is imported."""
    params: dict[str, object] = {"start": start, "energy_wh": energy_wh, "import_wh": 0.0}
    found = scene.plan.plan
    if found is not None:
        power_w = job_power_w(job, scene.roster.site, scene.pue.value)
        params["import_wh"] = _import_wh(found, start, energy_wh, power_w)
    if job.deadline is None:
        return text("planner.consequence", scene.zone, **params)
    left_s = max(0.0, job.expected_s - job.work_done_s)
    slack_h = (job.deadline - start).total_seconds() / 3600 - left_s / 3600
    return text("planner.consequence_deadline", scene.zone, **params, slack_h=round(slack_h, 1))


def _import_wh(found: Plan, start: datetime, energy_wh: float, power_w: float) -> float:
    """The part of a job's energy that the plan's expected course imports."""
    count = max(1, math.ceil(energy_wh / power_w * 4)) if power_w else 0
    steps = [found.step(start + STEP * number) for number in range(count)]
    shares = [min(1.0, float(found.powers["import_w"][at]) / power_w) for at in steps if at is not None]
    return energy_wh * sum(shares) / len(shares) if shares else 0.0


def _racks(scene: Scene, job: QueuedJob) -> float:
    site = scene.roster.site
    per_rack = site.gpus / len(site.racks) if site.racks else 0.0
    return round(job.gpus / per_rack, 2) if per_rack else 0.0


def _said(scene: Scene, why: Why) -> Text:
    return text(why.code, scene.zone, **why.params)
