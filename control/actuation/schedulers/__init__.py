"""What a job scheduler can do, one small capability each; an adapter per product offers those it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from igoudar.core.model import JobState


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job as its scheduler shows it: the true duration is nobody's to know. Times are site time, UTC."""

    job_id: str
    name: str
    user: str
    gpus: int
    state: JobState
    flexible: bool
    submitted: datetime
    expected_s: float
    deadline: datetime | None = None
    started: datetime | None = None
    finished: datetime | None = None
    begin_at: datetime | None = None
    work_done_s: float = 0.0
    racks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Queue:
    """The jobs at one instant, and the GPUs they compete for."""

    time: datetime
    gpus: int
    gpus_free: int
    flexible_gpus: int
    jobs: tuple[QueuedJob, ...]


class Queues(Protocol):
    """Lists its jobs."""

    async def queue(self, finished_since: datetime | None = None) -> Queue:
        """Waiting and running jobs, and those finished since a time."""
        ...


class Delays(Protocol):
    """Starts jobs later: a delay is a begin time, so that it ends without us."""

    async def delay(self, job_id: str, until: datetime) -> None:
        """Let the job start by itself at `until`."""
        ...

    async def release(self, job_id: str) -> None:
        """Let the job start as soon as its GPUs are free."""
        ...


class Pauses(Protocol):
    """Suspends and resumes running jobs."""

    async def suspend(self, job_id: str) -> None:
        """Stop the job where it stands; its work is kept."""
        ...

    async def resume(self, job_id: str) -> None:
        """Go on with a suspended job."""
        ...


class Scheduler(Queues, Delays, Pauses, Protocol):
    """All of it."""


class RunNowReference(Protocol):
    """Knows the load of a twin where nothing is ever moved (simulations only)."""

    async def run_now_load(self) -> Sequence[tuple[datetime, float]]:
        """Campus load without shift, mean per 15-min step [W]."""
        ...
