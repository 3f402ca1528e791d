"""A site that names Slurm gets it, and commands reach it through the link that control uses."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.control.actuation.schedulers.slurm.rig import FLEX, clock, rules
from tests.peers.slurm import Cluster

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Error, Rejected, Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.links import SchedulerLink
from igoudar.control.actuation.schedulers.choice import open_scheduler
from igoudar.core.clock import SiteClock
from igoudar.core.errors import ConfigError
from igoudar.core.model import Site
from igoudar.core.site import load_site

pytestmark = pytest.mark.xdist_group("slurm")


@dataclass
class NoBook:
    """Keeps nothing: what is on disk before a suspend is tested elsewhere."""

    def suspended(self, job_id: str, resume_by: datetime, command: Command) -> None: ...

    def resumed(self, job_id: str, at: datetime) -> None: ...


def site(slurm: Cluster, **changes: object) -> Site:
    return replace(load_site("jazari-lab", load_profiles()), scheduler=rules(slurm, **changes))


def commands(at: SiteClock) -> Callable[..., Command]:
    def build(target: str, point: str, value: float | None = None, hours: float = 1.0) -> Command:
        now = at.now()
        return Command(
            command_id=f"{target}-{point}",
            actuator=ActuatorClass.JOBS,
            target=target,
            point=point,
            issued_at=now,
            expires_at=now + timedelta(minutes=5),
            origin=Origin.PLAN,
            who="control",
            code="control.hold",
            value=value,
            until=now + timedelta(hours=hours),
        )

    return build


async def test_commands_become_results(slurm: Cluster, tmp_path: Path) -> None:
    at = clock(1.0)
    build = commands(at)
    flexible, urgent = slurm.submit(*FLEX), slurm.submit("--partition=gpu")
    for job in (flexible, urgent):
        slurm.wait_state(job, "RUNNING")
    async with open_scheduler(site(slurm), tmp_path, at) as scheduler:
        link = SchedulerLink(scheduler, NoBook(), tmp_path, at.now)
        assert await link.carry(build(urgent, "suspend")) == Rejected("not_flexible")
        assert await link.carry(build(flexible, "requeue")) == Rejected("not_opted_in")
        assert await link.carry(build("999999", "delay")) == Rejected("unknown_job")
        assert await link.carry(build("1; reboot", "release")) == Rejected("unknown_job")
        assert await link.carry(build(flexible, "cancel")) == Rejected("unknown_verb")
        assert isinstance(await link.carry(build(flexible, "suspend")), Success)
        assert isinstance(await link.carry(build(flexible, "resume")), Success)
        assert isinstance(await link.carry(build("slurm", "budget", 20_000.0)), Success)
        slurm.stop_controller()
        try:
            scheduler._programs.timeout_s = 1.0  # type: ignore[attr-defined]
            assert isinstance(await link.carry(build(flexible, "suspend")), Error)
        finally:
            slurm.start_controller()
    slurm.wait(slurm.ready, 30)
    assert slurm.state(flexible) == slurm.state(urgent) == "RUNNING"


async def test_a_site_file_that_slurm_contradicts_does_not_start(slurm: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sacctmgr"):
        async with open_scheduler(site(slurm, flexible_qos=frozenset({"low"})), tmp_path, clock()):
            pass
