"""Policies: who of the waiting jobs starts now, and how long the others may wait. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from igoudar.control.planning.latest import latest_starts
from igoudar.control.planning.requests import Decision, JobRequest, Margins, Supply, Verb


def run_now(supply: Supply, waiting: Sequence[JobRequest]) -> list[Decision]:
    """Start everything in the order of submission; the scheduler queues what finds no GPUs."""
    return [_start(job, supply.now, "control.run_now") for job in sorted(waiting, key=lambda j: j.submitted)]


def fail_safe(now: datetime, waiting: Sequence[JobRequest]) -> list[Decision]:
    """Let go of everything: without telemetry for long, the site runs as if nothing moved its jobs."""
    return [_start(job, now, "control.fail_safe") for job in waiting]


def greedy(
    supply: Supply,
    running: Sequence[JobRequest],
    waiting: Sequence[JobRequest],
    margins: Margins,
) -> list[Decision]:
    """Run on surplus, else wait, force at the latest start (PLANNER.md); running jobs are never stopped.

    Earliest latest-start first. Without a known surplus nothing is claimed: only forced starts remain.
    """
    latest = latest_starts(supply.now, supply.gpus, running, waiting, margins)
    rest = _Rest(supply, queued=[job for job in waiting if job.released(supply.now)])
    ordered = sorted(waiting, key=lambda job: (latest[job.job_id], job.job_id))
    return [_decide(job, latest[job.job_id], rest) for job in ordered]


@dataclass(slots=True)
class _Rest:
    """What is left to hand out in this cycle."""

    supply: Supply
    surplus_w: float
    gpus_free: int

    def __init__(self, supply: Supply, queued: Sequence[JobRequest]) -> None:
        self.supply = supply
        self.surplus_w = max(0.0, supply.surplus_w or 0.0) - sum(job.power_w for job in queued)
        self.gpus_free = supply.gpus_free - sum(job.new_gpus for job in queued)

    def take(self, job: JobRequest) -> None:
        self.surplus_w -= job.power_w
        self.gpus_free -= job.new_gpus


def _decide(job: JobRequest, latest: datetime, rest: _Rest) -> Decision:
    now = rest.supply.now
    if job.released(now):
        return _start(job, now, "control.queued", gpus=job.gpus)
    if latest <= now:
        rest.take(job)
        return _start(
            job, now, "control.forced" if job.deadline else "control.patience", deadline=job.deadline
        )
    if rest.supply.surplus_w is None:
        return _wait(job, latest, "control.hold")
    if rest.surplus_w < job.power_w:
        return _wait(job, latest, "control.wait", surplus_w=max(0.0, rest.surplus_w), power_w=job.power_w)
    if rest.gpus_free < job.new_gpus:
        return _wait(job, latest, "control.no_gpus", gpus=job.gpus, gpus_free=max(0, rest.gpus_free))
    surplus_w = rest.surplus_w
    rest.take(job)
    return _start(job, now, "control.surplus", surplus_w=surplus_w, power_w=job.power_w)


def _start(job: JobRequest, now: datetime, code: str, **params: object) -> Decision:
    return Decision(job.job_id, Verb.START, now, code, params)


def _wait(job: JobRequest, latest: datetime, code: str, **params: object) -> Decision:
    return Decision(
        job.job_id, Verb.WAIT, latest, code, {**params, "until": latest, "deadline": job.deadline}
    )
