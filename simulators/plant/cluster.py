"""The simulated cluster: gangs of GPUs, FIFO start of released jobs, exact finishing times."""

import bisect
import heapq
from collections.abc import Iterable
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from igoudar.core.errors import CommandError
from igoudar.core.model import Job, JobState
from igoudar.simulators.plant.job_record import JobRecord, expected_s, place

__all__ = ["EPSILON_S", "STOP_COST_S", "Cluster", "JobRecord"]

STOP_COST_S = 600.0  # of a job's work: one suspend and resume
KEEP_FINISHED_S = 86_400.0
EPSILON_S = 1e-6


class Cluster:
    """Jobs on racks; any that is not held or delayed starts in order of submission when its gang fits."""

    def __init__(self, flexible_gpus: NDArray[np.int64], seed: int) -> None:
        self.capacity = flexible_gpus
        self.free = flexible_gpus.copy()
        self.seed = seed
        self.grace_s = 0.0
        self.now_s = 0.0
        self.jobs: dict[str, JobRecord] = {}
        self.queue: list[tuple[float, str]] = []  # (submitted, id) of waiting, held and suspended jobs
        self.ends: list[tuple[float, str]] = []  # heap of finishing times; stale entries are skipped
        self.begins: list[tuple[float, str]] = []  # heap of the ends of delays; stale entries are skipped
        self.running: set[str] = set()
        self.slowed: set[str] = set()  # run below their full pace
        self.finished_ids: list[tuple[float, str]] = []
        self.seen = self.finished_count = self.rejected = self.shifted_count = 0
        self.missed: list[str] = []
        self.finished_gpu_s = 0.0
        self._dirty = True

    @property
    def gpus(self) -> int:
        """GPUs for flexible jobs."""
        return int(self.capacity.sum())

    @property
    def gpus_free(self) -> int:
        """GPUs for flexible jobs that are free now."""
        return int(self.free.sum())

    @property
    def busy(self) -> NDArray[np.int64]:
        """Running flexible GPUs per rack."""
        return self.capacity - self.free

    @property
    def idle(self) -> bool:
        """True when no job waits or runs."""
        return not self.queue and not self.running

    def work_gpu_s(self) -> float:
        """Useful work so far [GPU-seconds]; what a stop threw away is not in it."""
        partly = (r for r in self.jobs.values() if r.finished_s is None)
        return self.finished_gpu_s + sum(r.work_done_s(self.now_s) * r.job.gpus for r in partly)

    def list(self, finished_since: datetime | None = None) -> "list[JobRecord]":
        """Jobs that wait or run, and those that finished since an instant (none when not given)."""
        since = float("inf") if finished_since is None else finished_since.timestamp()
        return [r for r in self.jobs.values() if r.finished_s is None or r.finished_s >= since]

    def get(self, job_id: str) -> JobRecord:
        """One job.

        Raises:
            CommandError: no such job.
        """
        if job_id not in self.jobs:
            raise CommandError("no such job", where=f"job {job_id}", fix="`igoudar job list` shows all jobs")
        return self.jobs[job_id]

    def submit(self, job: Job) -> JobRecord:
        """Take a job in; one that can never fit is rejected."""
        if job.job_id in self.jobs:
            raise CommandError("submitted twice", where=f"job {job.job_id}", fix="give it another job id")
        submitted = job.submitted.timestamp()
        record = JobRecord(job, expected_s(job, self.seed), submitted, begin_s=submitted + self._grace(job))
        self.jobs[job.job_id] = record
        self.seen += 1
        if 0 < job.gpus <= self.gpus:
            self._enqueue(record)
        else:
            self._reject(record)
        return record

    def _reject(self, record: JobRecord) -> None:
        record.state, record.finished_s = JobState.REJECTED, max(self.now_s, record.submitted_s)
        self.rejected += 1
        self.finished_ids.append((record.finished_s, record.job.job_id))

    def _grace(self, job: Job) -> float:
        """Time for control to decide before a job starts by itself; none where the deadline is near."""
        if not job.flexible or self.grace_s <= 0:
            return 0.0
        if job.deadline is None:
            return self.grace_s
        slack = (job.deadline - job.submitted).total_seconds() - max(
            job.duration_s, expected_s(job, self.seed)
        )
        return self.grace_s if slack > 4.0 * self.grace_s else 0.0

    def _enqueue(self, record: JobRecord) -> None:
        bisect.insort(self.queue, (record.submitted_s, record.job.job_id))
        self._delay(record, record.begin_s)

    def hold(self, job_id: str, until: datetime | None = None) -> JobRecord:
        """Keep a waiting job from starting, until an instant or until it is released."""
        record = self._expect(job_id, JobState.WAITING, JobState.HELD)
        record.state = JobState.HELD if until is None else JobState.WAITING
        record.shifted = True
        self._delay(record, record.begin_s if until is None else until.timestamp())
        return record

    def release(self, job_id: str) -> JobRecord:
        """Let a waiting or held job start as soon as its gang fits."""
        record = self._expect(job_id, JobState.WAITING, JobState.HELD)
        record.state = JobState.WAITING
        self._delay(record, min(record.begin_s, self.now_s))
        return record

    def suspend(self, job_id: str) -> JobRecord:
        """Stop a running job and free its GPUs; ten minutes of its work are lost."""
        record = self._expect(job_id, JobState.RUNNING)
        record.done_s = max(0.0, record.work_done_s(self.now_s) - STOP_COST_S)
        record.state, record.stops, record.shifted = JobState.SUSPENDED, record.stops + 1, True
        self._free(record)
        self._enqueue(record)
        return record

    def resume(self, job_id: str) -> JobRecord:
        """Queue a suspended job again; it keeps its place by submission."""
        record = self._expect(job_id, JobState.SUSPENDED)
        record.state = JobState.WAITING
        self._delay(record, self.now_s)
        return record

    def release_all(self) -> None:
        """Release every held job and resume every suspended one; delays stay."""
        for _, job_id in self.queue:
            if self.jobs[job_id].state is not JobState.WAITING:
                self.jobs[job_id].state, self.jobs[job_id].begin_s = JobState.WAITING, self.now_s
        self._dirty = True

    def _expect(self, job_id: str, *states: JobState) -> JobRecord:
        record = self.get(job_id)
        if record.state not in states:
            allowed = " or ".join(states)
            raise CommandError(
                f"it is {record.state}", where=f"job {job_id}", fix=f"this works on a job that is {allowed}"
            )
        return record

    def next_event_s(self) -> float:
        """When something happens by itself next: an end or the end of a delay (inf = never)."""
        for heap, is_live in ((self.ends, self._is_end), (self.begins, self._is_begin)):
            while heap and not is_live(*heap[0]):
                heapq.heappop(heap)
        return min((heap[0][0] for heap in (self.ends, self.begins) if heap), default=float("inf"))

    def _is_end(self, end_s: float, job_id: str) -> bool:
        record = self.jobs.get(job_id)
        return record is not None and record.state is JobState.RUNNING and end_s == record.end_s

    def _is_begin(self, begin_s: float, job_id: str) -> bool:
        record = self.jobs.get(job_id)
        waits = record is not None and record.state is JobState.WAITING and begin_s == record.begin_s
        return waits and begin_s > self.now_s + EPSILON_S

    def _delay(self, record: JobRecord, begin_s: float) -> None:
        record.begin_s = begin_s
        heapq.heappush(self.begins, (begin_s, record.job.job_id))
        self._dirty = True

    def advance(self, now_s: float, arrivals: Iterable[Job] = ()) -> None:
        """Move to `now_s`: end what is done, take in what arrives, start what fits."""
        self._dirty = self._dirty or self.next_event_s() <= now_s + EPSILON_S
        self.now_s = now_s
        while self.ends and self.ends[0][0] <= now_s + EPSILON_S:
            end_s, job_id = heapq.heappop(self.ends)
            if self._is_end(end_s, job_id):
                self._finish(self.jobs[job_id], end_s)
        for job in arrivals:
            self.submit(job)
        if self._dirty:
            self._start_ready()
        self._forget()

    def _finish(self, record: JobRecord, end_s: float) -> None:
        job = record.job
        record.state, record.done_s, record.finished_s = JobState.FINISHED, job.duration_s, end_s
        self._free(record)
        self.finished_count += 1
        self.finished_gpu_s += job.duration_s * job.gpus
        self.finished_ids.append((end_s, job.job_id))
        if job.deadline is not None and end_s > job.deadline.timestamp() + EPSILON_S:
            self.missed.append(job.job_id)

    def _start_ready(self) -> None:
        """Start released jobs in order of submission; the first whose gang does not fit blocks the rest."""
        self._dirty = False
        started = 0
        for key in list(self.queue):
            record = self.jobs[key[1]]
            if record.state is not JobState.WAITING or record.begin_s > self.now_s + EPSILON_S:
                continue
            if record.job.gpus > self.gpus_free:
                break
            self._start(record)
            started += 1
        if started:
            self.queue = [key for key in self.queue if key[1] not in self.running]

    def _start(self, record: JobRecord) -> None:
        record.placed = place(self.free, record.job.gpus)
        for rack, gpus in record.placed.items():
            self.free[rack] -= gpus
        self.shifted_count += record.shifted and record.began_s is None
        record.state, record.since_s = JobState.RUNNING, self.now_s
        record.began_s = self.now_s if record.began_s is None else record.began_s
        self.running.add(record.job.job_id)
        heapq.heappush(self.ends, (record.end_s, record.job.job_id))

    def _free(self, record: JobRecord) -> None:
        for rack, gpus in record.placed.items():
            self.free[rack] += gpus
        record.placed, record.pace = {}, 1.0
        self.running.discard(record.job.job_id)
        self.slowed.discard(record.job.job_id)
        self._dirty = True

    def _forget(self) -> None:
        """Drop finished jobs after a day, so that a long run does not grow."""
        while self.finished_ids and self.finished_ids[0][0] < self.now_s - KEEP_FINISHED_S:
            _, job_id = self.finished_ids.pop(0)
            self.jobs.pop(job_id, None)
