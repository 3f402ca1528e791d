"""The adapter on a real Slurm, at a speed of the site's clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.peers.slurm import Cluster

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.core.clock import SiteClock, wall_clock
from igoudar.core.model_scheduler import Scheduling, deal
from igoudar.core.site import load_site

FLEX = ("--partition=flex", "--time=60")
SPEED = 60.0


def rules(cluster: Cluster, **changes: object) -> Scheduling:
    """Of a site whose nodes stand for the racks of jazari-lab, one each."""
    racks = [f"a1-{number:02d}" for number in range(1, 9)]
    said = Scheduling(
        kind="slurm",
        slurm_conf=str(cluster.conf),
        flexible_partitions=frozenset({"flex"}),
        watts_licence="watts",
        nodes=deal(cluster.names, racks),
    )
    return replace(said, **changes)  # type: ignore[arg-type]


def clock(speed: float = SPEED) -> SiteClock:
    return replace(wall_clock(), origin=datetime(2026, 3, 1, 12, tzinfo=UTC), speed=speed)


def adapter(cluster: Cluster, at: SiteClock, **changes: object) -> SlurmScheduler:
    site = replace(load_site("jazari-lab", load_profiles()), scheduler=rules(cluster, **changes))
    return SlurmScheduler(site, at)


async def listed(scheduler: SlurmScheduler, job_id: str, since: datetime | None = None) -> QueuedJob:
    """A job as control sees it."""
    jobs = (await scheduler.queue(since)).jobs
    return next(job for job in jobs if job.job_id == job_id)


def in_site_minutes(at: SiteClock, minutes: float) -> datetime:
    return at.now() + timedelta(minutes=minutes)
