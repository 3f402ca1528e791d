"""What is known of Slurm's jobs: read once a second at most however many ask, never older than a change."""

import asyncio
import time
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

    async def job(self, job_id: str) -> SlurmJob:
        """One job as it is, but for the last second.

        Raises:
            RefusedError: there is none.
            LinkError: Slurm does not answer, or not in a known form.
        """
        async with self._turn:
            if not self._fresh(job_id):
                await self._read()
        found = self._jobs.get(job_id)
        if found is None:
            fix = "`igoudar job list` shows them"
            raise RefusedError("unknown_job", "no such job", where=f"job {job_id[:60]!r}", fix=fix)
        return found

    def mark(self, job: SlurmJob) -> Mark:
        """What we did to a job."""
        return read_mark(job.mark) if writable(job.mark) else self._memory.get(job.number, Mark())

    def touch(self, job: SlurmJob, mark: Mark | None = None) -> None:
        """A job was changed just now: what was read before is no longer so."""
        self._touched[job.job_id] = time.monotonic()
        if mark is not None and not writable(job.mark):
            self._memory[job.number] = mark

    def _fresh(self, job_id: str) -> bool:
        read_at = self._read_at
        return time.monotonic() - read_at < FRESH_S and self._touched.get(job_id, float("-inf")) < read_at

    async def _read(self) -> None:
        began = time.monotonic()
        listed = read_jobs(await self.programs.run(verbs.JOBS))
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
