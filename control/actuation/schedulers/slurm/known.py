"""What is known of Slurm's jobs: read once a second at most however many ask, never older than a change."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.jobs import SlurmJob, read_jobs
from igoudar.control.actuation.schedulers.slurm.marks import Mark, read_mark, writable
from igoudar.control.actuation.schedulers.slurm.program import Programs

FRESH_S = 1.0  # wall


@dataclass(slots=True)
class Known:
    """The jobs of one cluster by what people call them."""

    programs: Programs
    _jobs: dict[str, SlurmJob] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _touched: dict[str, float] = field(default_factory=dict)
    _memory: dict[int, Mark] = field(default_factory=dict)  # of jobs whose comment is an administrator's
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self) -> list[SlurmJob]:
        """All jobs, now.

        Raises:
            LinkError: Slurm does not answer, or not in a known form.
        """
        async with self._turn:
            await self._read()
        return list(self._jobs.values())

    async def job(self, job_id: str, allowed: Callable[[SlurmJob], None]) -> SlurmJob:
        """One job that `allowed` lets pass, as it was within the last second; none is refused by old news.

        Raises:
            RefusedError: there is none, or it may not be touched.
            LinkError: Slurm does not answer, or not in a known form.
        """
        async with self._turn:
            fresh = self._fresh(job_id)
            if not fresh:
                await self._read()
        try:
            return self._found(job_id, allowed)
        except RefusedError:
            if not fresh:
                raise
        await self.read()
        return self._found(job_id, allowed)

    def mark(self, job: SlurmJob) -> Mark:
        """What we did to a job."""
        return read_mark(job.mark) if writable(job.mark) else self._memory.get(job.number, Mark())

    def touch(self, job: SlurmJob, mark: Mark | None = None) -> None:
        """A job was changed just now: what was read before is no longer so."""
        self._touched[job.job_id] = time.monotonic()
        if mark is not None and not writable(job.mark):
            self._memory[job.number] = mark

    def _found(self, job_id: str, allowed: Callable[[SlurmJob], None]) -> SlurmJob:
        found = self._jobs.get(job_id)
        if found is None:
            fix = "`igoudar job list` shows them"
            raise RefusedError("unknown_job", "no such job", where=f"job {job_id[:60]!r}", fix=fix)
        allowed(found)
        return found

    def _fresh(self, job_id: str) -> bool:
        read_at = self._read_at
        return time.monotonic() - read_at < FRESH_S and self._touched.get(job_id, float("-inf")) < read_at

    async def _read(self) -> None:
        began = time.monotonic()
        listed = await asyncio.to_thread(read_jobs, await self.programs.run(verbs.JOBS))
        self._jobs = {job.job_id: job for job in whole(listed)}
        self._read_at = began
        self._touched = {job_id: at for job_id, at in self._touched.items() if at >= began}
        numbers = {job.number for job in listed}
        self._memory = {number: mark for number, mark in self._memory.items() if number in numbers}


def whole(jobs: list[SlurmJob]) -> list[SlurmJob]:
    """Jobs with the parts of each heterogeneous one put together, under its leader's number."""
    leaders = {job.number: job for job in jobs if not job.leader or job.leader == job.number}
    for job in jobs:
        first = leaders.get(job.leader)
        if job.leader and first is not None and job.number != job.leader:
            leaders[job.leader] = replace(
                first,
                gpus=first.gpus + job.gpus,
                nodes=tuple(dict.fromkeys((*first.nodes, *job.nodes))),
                partitions=tuple(dict.fromkeys((*first.partitions, *job.partitions))),
            )
    return list(leaders.values())
