"""What a job scheduler can do, one small capability each; an adapter per product offers those it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from igoudar.core.errors import CommandError
from igoudar.core.model import JobState


class RefusedError(CommandError):
    """Not asked of the scheduler: its rules, or the state of the job, forbid it.

    `reason` is a word: unknown_job ended not_flexible held not_waiting not_running not_suspended begin
    deadline not_opted_in expired no_budget urgent_watts unknown_node not_drained not_off hands_off no_lease.
    """

    def __init__(self, reason: str, what: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(what, where=where, fix=fix)
        self.reason = reason


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
    blocked: str = ""  # what a waiting job waits for that is not ours to give: hold dependency begin
    keeps_gpus: bool = False  # while it is suspended nobody else gets its GPUs
    asked_w: float = 0.0  # of the scheduler's power budget, as its user counts; 0 = it is not under it


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
    """What every adapter offers."""


@runtime_checkable
class Requeues(Protocol):
    """Queues running jobs again from their beginning, where their users have agreed to it."""

    async def requeue(self, job_id: str) -> None:
        """Back to the queue; the work done so far is lost."""
        ...


@runtime_checkable
class Budgets(Protocol):
    """Keeps the jobs that start under a power; it ends by itself, so it is set again and again."""

    async def set_budget(self, watts: float, until: datetime) -> datetime:
        """Let no job start beyond `watts`, until then or for a quarter of an hour; until when it holds."""
        ...

    async def clear_budget(self) -> None:
        """No limit but the whole."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """A node as its scheduler shows it."""

    name: str
    state: str  # the scheduler's own words
    gpus: int
    idle_and_drained: bool  # nothing runs on it, and nothing will
    off: bool


@runtime_checkable
class NodePower(Protocol):
    """Powers nodes that nothing runs on."""

    async def nodes(self) -> Sequence[Node]:
        """The site's nodes, by name."""
        ...

    async def power_down(self, node: str) -> None:
        """Turn an idle and drained node off."""
        ...

    async def power_up(self, node: str) -> None:
        """Turn a node on again."""
        ...


class RunNowReference(Protocol):
    """Knows the load of a twin where nothing is ever moved (simulations only)."""

    async def run_now_load(self) -> Sequence[tuple[datetime, float]]:
        """Campus load without shift, mean per 15-min step [W]."""
        ...
