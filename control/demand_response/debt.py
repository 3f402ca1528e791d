"""Work that an event put off, job by job: incurred = paid + dropped + still owed, always. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from igoudar.core.model import JobState

OVER = (JobState.FINISHED, JobState.REJECTED)


@dataclass(frozen=True, slots=True)
class Owed:
    """One job's: GPU-seconds that it would have done, and how many of them it has done since."""

    gpus: int
    owed_gpu_s: float = 0.0
    paid_gpu_s: float = 0.0

    @property
    def rest_gpu_s(self) -> float:
        """Still owed."""
        return self.owed_gpu_s - self.paid_gpu_s


@dataclass(frozen=True, slots=True)
class Debts:
    """All jobs', and the totals since the first."""

    jobs: Mapping[str, Owed] = field(default_factory=dict)
    incurred_gpu_s: float = 0.0
    paid_gpu_s: float = 0.0
    dropped_gpu_s: float = 0.0  # of jobs that somebody took away while they stood

    @property
    def rest_gpu_s(self) -> float:
        """Still owed."""
        return sum(job.rest_gpu_s for job in self.jobs.values())


def paused(debts: Debts, job_id: str, gpus: int, lost_s: float) -> Debts:
    """A job was stopped: what the stop throws away is owed at once."""
    known = debts.jobs.get(job_id, Owed(gpus))
    lost_gpu_s = gpus * lost_s
    jobs = {**debts.jobs, job_id: replace(known, owed_gpu_s=known.owed_gpu_s + lost_gpu_s)}
    return replace(debts, jobs=jobs, incurred_gpu_s=debts.incurred_gpu_s + lost_gpu_s)


def passed(debts: Debts, seconds: float, states: Mapping[str, JobState]) -> Debts:
    """Some time went by; `states` is where the jobs stand now, a job not in it is gone."""
    jobs: dict[str, Owed] = {}
    incurred, paid, dropped = debts.incurred_gpu_s, debts.paid_gpu_s, debts.dropped_gpu_s
    for job_id, job in debts.jobs.items():
        state = states.get(job_id)
        after = _later(job, seconds, state)
        incurred += after.owed_gpu_s - job.owed_gpu_s
        paid += after.paid_gpu_s - job.paid_gpu_s
        if state is None:
            dropped += after.rest_gpu_s
        elif after.rest_gpu_s > 0.0:
            jobs[job_id] = after
    return Debts(jobs, incurred, paid, dropped)


def _later(job: Owed, seconds: float, state: JobState | None) -> Owed:
    """One job some time later; standing it owes more, running it pays, done it owes nothing."""
    if state is None:
        return job
    if state in OVER:
        return replace(job, paid_gpu_s=job.owed_gpu_s)
    work_gpu_s = job.gpus * seconds
    if state is JobState.RUNNING:
        return replace(job, paid_gpu_s=job.paid_gpu_s + min(work_gpu_s, job.rest_gpu_s))
    return replace(job, owed_gpu_s=job.owed_gpu_s + work_gpu_s)  # suspended, or waiting for its GPUs again
