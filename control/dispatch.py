"""From the frozen picture and the queue to what a policy sees. Pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.picture import Powers
from igoudar.control.planning.requests import JobRequest, Margins, Supply
from igoudar.core.model import JobState, Site

DEFAULT_PUE = 1.1  # until one is measured; our assumption


def gpu_power_w(site: Site) -> float:
    """What one running GPU adds to its rack [W]: between idle and peak, by the site file."""
    gpus = site.gpus
    return sum(rack.peak_w - rack.idle_w for rack in site.racks) / gpus if gpus else 0.0


def job_power_w(job: QueuedJob, site: Site, pue: float | None) -> float:
    """A job's estimated power with its share of the overhead [W]."""
    return job.gpus * gpu_power_w(site) * (pue or DEFAULT_PUE)


def margins(cycle_s: float, data_age_s: float) -> Margins:
    """Deadline margins that cover the cycle, the age of the data and the scheduler's delay [s]."""
    return Margins(slack_s=max(900.0, 2 * cycle_s + data_age_s))


def requests(queue: Queue, site: Site, pue: float | None, left_alone: set[str]) -> list[JobRequest]:
    """Flexible waiting jobs that are ours to time; a person's override leaves a job alone."""
    return [
        request(job, site, pue)
        for job in queue.jobs
        if job.flexible and job.job_id not in left_alone and startable(job)
    ]


def startable(job: QueuedJob) -> bool:
    """Whether a job waits for nothing but its time and its GPUs."""
    return job.state in (JobState.WAITING, JobState.HELD) and not job.blocked


def occupants(queue: Queue, site: Site, pue: float | None, waiting: Collection[str] = ()) -> list[JobRequest]:
    """Jobs that occupy GPUs now, those included that stand on GPUs of their own and are not in `waiting`.

    Each as if it had begun so long ago as it has worked: what stood in between is still ahead of it.
    """
    return [
        replace(
            request(job, site, pue),
            expected_s=job.expected_s,
            started=queue.time - timedelta(seconds=job.work_done_s),
        )
        for job in queue.jobs
        if job.state is JobState.RUNNING or (_stands(job) and job.job_id not in waiting)
    ]


def _stands(job: QueuedJob) -> bool:
    """Whether it is paused on GPUs that nobody else gets."""
    return job.state is JobState.SUSPENDED and job.keeps_gpus


def supply(powers: Powers, queue: Queue, site: Site, pue: float | None, now: datetime, fresh: bool) -> Supply:
    """Surplus by the meters, less what has started since they were read."""
    surplus_w = powers.surplus_w if fresh else None
    if surplus_w is not None and powers.oldest is not None:
        surplus_w -= sum(job_power_w(job, site, pue) for job in queue.jobs if _unmetered(job, powers.oldest))
    return Supply(now, surplus_w, queue.flexible_gpus, queue.gpus_free)


def _unmetered(job: QueuedJob, read_at: datetime) -> bool:
    return job.state is JobState.RUNNING and job.started is not None and job.started >= read_at


def request(job: QueuedJob, site: Site, pue: float | None) -> JobRequest:
    """One job; of one that runs, `expected_s` is the whole of it, else what is left."""
    return JobRequest(
        job.job_id,
        job.gpus,
        job_power_w(job, site, pue),
        job.submitted,
        max(0.0, job.expected_s - job.work_done_s) if job.state is not JobState.RUNNING else job.expected_s,
        job.deadline,
        job.started,
        job.begin_at,
    )
