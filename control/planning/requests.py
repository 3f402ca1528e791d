"""What a policy sees and what it answers; times are site time, UTC."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Supply:
    """What is there for flexible work now.

    `surplus_w` is on-site generation that no load uses (battery charge counts as unused), None when it is not
    known: then nothing may be claimed from it.
    """

    now: datetime
    surplus_w: float | None
    gpus: int  # GPUs that flexible jobs may use
    gpus_free: int


@dataclass(frozen=True, slots=True)
class JobRequest:
    """A flexible job that waits, or (with `started`) one that occupies its GPUs."""

    job_id: str
    gpus: int
    power_w: float  # with its share of the overhead
    submitted: datetime
    expected_s: float
    deadline: datetime | None = None
    started: datetime | None = None
    begin_at: datetime | None = None  # the scheduler starts it then by itself
    keeps_gpus: bool = False  # it is paused on GPUs that stay its own

    @property
    def new_gpus(self) -> int:
        """GPUs that must be free for it to run."""
        return 0 if self.keeps_gpus else self.gpus

    def released(self, now: datetime) -> bool:
        """Whether the scheduler may start it as soon as GPUs are free."""
        return self.begin_at is None or self.begin_at <= now


@dataclass(frozen=True, slots=True)
class Margins:
    """How careful to be about deadlines; defaults are our assumptions."""

    duration_factor: float = 1.26  # an expectation 20 % short of the truth is covered
    slack_s: float = 1800.0  # for the control cycle, data age, and the scheduler's own delay
    patience_s: float = 24 * 3600.0  # how long a job without a deadline waits for surplus
    capacity_share: float = 1.0  # of the GPUs is planned with

    def longest(self, job: JobRequest) -> timedelta:
        """The longest run to reckon with."""
        return timedelta(seconds=job.expected_s * self.duration_factor)

    def end_by(self, job: JobRequest) -> datetime:
        """When the job should be finished at the latest, margin included."""
        if job.deadline is None:
            return job.submitted + timedelta(seconds=self.patience_s) + self.longest(job)
        return job.deadline - timedelta(seconds=self.slack_s)


class Verb(StrEnum):
    """What to do with a job that waits, or (PAUSE) with one that runs."""

    START = "start"
    WAIT = "wait"
    PAUSE = "pause"


@dataclass(frozen=True, slots=True)
class Decision:
    """One job's answer: start it, or let it wait with a begin time that keeps its deadline without us.

    A pause has the time by which the job must run again in its place; a paused job that starts goes on.
    """

    job_id: str
    verb: Verb
    begin_at: datetime  # now for START, the latest safe start for WAIT
    code: str  # control.surplus control.forced control.wait ...
    params: dict[str, object] = field(default_factory=dict)
