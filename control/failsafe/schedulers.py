"""The little of a scheduler that the failsafe needs, and nothing more: who is suspended, and resume."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from igoudar.control.actuation.schedulers.choice import scheduler_address
from igoudar.control.actuation.schedulers.simulated import SimulatedScheduler
from igoudar.control.actuation.schedulers.slurm import verbs
from igoudar.control.actuation.schedulers.slurm.jobs import read_jobs
from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.control.failsafe.keeper import Resumes
from igoudar.core.model import JobState, Site


@dataclass(frozen=True, slots=True)
class SimulatedResumes:
    """The simulated cluster."""

    cluster: SimulatedScheduler

    async def suspended(self) -> set[str]:
        """The jobs that are suspended now."""
        jobs = (await self.cluster.queue()).jobs
        return {job.job_id for job in jobs if job.state is JobState.SUSPENDED}

    async def resume(self, job_id: str) -> None:
        """Queue it again."""
        await self.cluster.resume(job_id)


@dataclass(frozen=True, slots=True)
class SlurmResumes:
    """Slurm, without the rules that ask whether a job may be touched: what we paused may always go on."""

    programs: Programs

    async def suspended(self) -> set[str]:
        """The jobs that are suspended now."""
        return {job.job_id for job in read_jobs(await self.programs.run(verbs.JOBS)) if job.suspended}

    async def resume(self, job_id: str) -> None:
        """Go on with it."""
        await self.programs.run(verbs.resume(job_id))


@asynccontextmanager
async def open_resumes(site: Site, state: Path) -> AsyncIterator[Resumes]:
    """Of the scheduler that the site names."""
    if site.scheduler.kind == "slurm":
        yield SlurmResumes(Programs(site.scheduler.slurm_conf, site.scheduler.programs))
        return
    cluster = SimulatedScheduler(lambda: scheduler_address(state))
    try:
        yield SimulatedResumes(cluster)
    finally:
        await cluster.close()
