"""Pauses by the plan, where the site lets it: who stands, who may be next, and what plan and dispatch see."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from igoudar.control.actuation.command import ActuatorClass
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.actuation.suspends import BY_PLAN, SuspendBook
from igoudar.control.demand_response.look import job_lever
from igoudar.control.demand_response.memory import Memory
from igoudar.control.dispatch import gpu_power_w, job_power_w, request
from igoudar.control.failsafe.suspended import Suspended
from igoudar.control.mode import Modes
from igoudar.control.planner.frame import MIN_RUN_S
from igoudar.control.planning.dispatch import SUSTAINED, Guidance
from igoudar.control.planning.pauses import (
    LEAST,
    Crowd,
    Lack,
    Pausable,
    decisions,
    lasting,
    pauses,
    stops_left,
)
from igoudar.control.planning.requests import Decision, JobRequest, Verb
from igoudar.control.planning.select import PAUSE_S
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.core.errors import StoreError
from igoudar.core.model import JobState, Site

LOG = logging.getLogger(__name__)

DAY = timedelta(days=1)
CYCLES = 3  # a lack lasts at least so many looks


@dataclass(frozen=True, slots=True)
class Instant:
    """What the meters and the plan say; None where nobody knows."""

    guidance: Guidance | None
    import_w: float | None
    pue: float | None
    cycle_s: float


@dataclass(slots=True)
class PlanPauses:
    """Of one site.

    Args:
        site: Which lets its plan pause jobs.
        book: Who was paused when, by whomever.
        mode: Of the class jobs, now.
    """

    site: Site
    book: SuspendBook
    mode: Callable[[], str]
    paused: Mapping[str, Suspended] = field(default_factory=dict)  # by the plan, and standing now
    _rows: Sequence[SuspendRow] = ()
    _known: bool = False  # whether the records could be read
    _lack: Lack = field(default_factory=Lack)

    @property
    def stand(self) -> bool:
        """Whether the plan may reckon with pauses: not in observe, nor with records unread."""
        return self._known and self.mode() != "observe"

    def look(self, queue: Queue, now: datetime, left_alone: Collection[str]) -> None:
        """Who stands by the plan's wish now; a job that a person steers is theirs."""
        try:
            self._rows, self._known = self.book.since(now - DAY), True
        except StoreError as error:
            self._known = False
            LOG.warning("paused jobs are taken as last read: %s", error)
        jobs = {job.job_id: job for job in queue.jobs if job.state is JobState.SUSPENDED}
        self.paused = {
            row.job_id: Suspended(row.at, row.resume_by)
            for row in self._rows
            if row.resumed_at is None and row.command_id.startswith(BY_PLAN)
            if row.job_id in jobs and row.job_id not in left_alone
        }

    def waiting(
        self, queue: Queue, now: datetime, pue: float | None, *, rested: bool = True
    ) -> list[JobRequest]:
        """Paused jobs as jobs that wait; with `rested`, only those that have stood for long enough."""
        return [
            replace(
                request(job, self.site, pue),
                begin_at=max(now + LEAST, pause.resume_by),
                keeps_gpus=job.keeps_gpus,
            )
            for job in queue.jobs
            if (pause := self.paused.get(job.job_id)) is not None
            if not rested or now - pause.at >= LEAST
        ]

    def unmetered_w(self, queue: Queue, read_at: datetime | None, pue: float | None) -> float:
        """Power of jobs that go on again since the meters were read."""
        if read_at is None:
            return 0.0
        names = {row.job_id for row in self._rows if row.resumed_at is not None and row.resumed_at >= read_at}
        return sum(job_power_w(job, self.site, pue) for job in queue.jobs if job.job_id in names)

    def stopped(self, now: datetime) -> list[tuple[str, datetime, datetime]]:
        """Job, since when and until when it stood, of every known pause."""
        return [(row.job_id, row.at, row.resumed_at or now) for row in self._rows]

    def able(self, queue: Queue, now: datetime, left_alone: Collection[str]) -> list[QueuedJob]:
        """Running jobs that the plan may reckon to pause: none of them has been paused since it came."""
        if not self.stand or not self._stops_left(queue, now):
            return []
        paused = {row.job_id: row.at for row in self._rows}
        return [
            job
            for job in queue.jobs
            if job.flexible and job.state is JobState.RUNNING and job.job_id not in left_alone
            if job.job_id not in paused or paused[job.job_id] < job.submitted
            if job.expected_s - job.work_done_s >= PAUSE_S
        ]

    def next(self, look: Instant, queue: Queue, crowd: Crowd, left_alone: Collection[str]) -> list[Decision]:
        """Who is paused now, and who stands too short a time yet to go on."""
        now, guidance = crowd.now, look.guidance if self.stand else None
        lack = self._lack = lasting(self._lack, now, guidance, look.import_w, crowd.gpus)
        dwell = max(SUSTAINED, CYCLES * timedelta(seconds=look.cycle_s))
        if guidance is None or lack.since is None or now - lack.since < dwell:
            return self._resting(now)
        able = [
            self._pausable(job, crowd, look.pue)
            for job in self.able(queue, now, left_alone)
            if _ran(job, now)
        ]
        longest = timedelta(seconds=self.site.guard.resume_by_max_s)
        crowd = _with(crowd, self.waiting(queue, now, look.pue, rested=False))
        chosen = pauses(lack, able, crowd, self._stops_left(queue, now), longest)
        self._lack = Lack()  # what is asked for now must show before more is; what fits nobody is seen anew
        return [*self._resting(now), *decisions(chosen, lack, guidance)]

    def _resting(self, now: datetime) -> list[Decision]:
        return [
            Decision(
                name,
                Verb.WAIT,
                pause.resume_by,
                "control.paused",
                {"since": pause.at, "until": pause.resume_by},
            )
            for name, pause in self.paused.items()
            if now - pause.at < LEAST
        ]

    def _stops_left(self, queue: Queue, now: datetime) -> int:
        by_plan = sum(row.command_id.startswith(BY_PLAN) and now - row.at < DAY for row in self._rows)
        return stops_left(by_plan, sum(job.flexible for job in queue.jobs))

    def _pausable(self, job: QueuedJob, crowd: Crowd, pue: float | None) -> Pausable:
        gpu_w = gpu_power_w(self.site)
        lever = job_lever(job, (gpu_w, gpu_w), crowd.now, Memory(), crowd.margins.slack_s)
        left_s = job.expected_s - job.work_done_s + lever.lost_s
        return Pausable(
            lever,
            replace(request(job, self.site, pue), expected_s=left_s, started=None, keeps_gpus=job.keeps_gpus),
        )


def _with(crowd: Crowd, standing: Sequence[JobRequest]) -> Crowd:
    """A crowd in which these wait, each once, wherever they were counted before."""
    names = {job.job_id for job in standing}
    running = [job for job in crowd.running if job.job_id not in names]
    waiting = [job for job in crowd.waiting if job.job_id not in names]
    return replace(crowd, running=running, waiting=[*waiting, *standing])


def _ran(job: QueuedJob, now: datetime) -> bool:
    return job.started is not None and (now - job.started).total_seconds() >= MIN_RUN_S


def plan_pauses(site: Site, book: SuspendBook, modes: Modes) -> PlanPauses | None:
    """None where the site file does not let the plan pause jobs."""
    return PlanPauses(site, book, lambda: modes.of(ActuatorClass.JOBS)) if site.plan.pauses else None
