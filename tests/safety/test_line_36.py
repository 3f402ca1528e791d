"""36. Scheduler actions expire by themselves: shown on a real Slurm, with control killed."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers.slurm.lines import pairs
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.failsafe.watch import LEAST_SILENCE_S
from igoudar.core.clock import wall_clock
from igoudar.core.errors import IgoudarError
from igoudar.core.site import load_site
from tests.app.apart import Apart, apart
from tests.app.live import wait_until
from tests.app.slurm_site import site_on
from tests.peers.slurm import Cluster

pytestmark = pytest.mark.xdist_group("slurm")
FLEX = ("--partition=flex", "--time=60")
LATE_S = 8.0  # Slurm's own scheduling pass, on a busy machine


@pytest.fixture
def parts(slurm: Cluster, tmp_path: Path) -> Iterator[Apart]:
    with apart(tmp_path / "state", site_on(slurm, tmp_path)) as running:
        running.start("simulate", "collect", "control", "failsafe")
        running.controlled()
        with running.api() as api:
            api.set_mode("auto", "line 36")
        yield running


def ask(parts: Apart, job: str, verb: str, wall_s: float) -> datetime:
    """Have control do it until so many wall seconds from now; that time on the wall."""
    wait_until("control knows the job", lambda: _acted(parts, job, verb, wall_s))
    return datetime.now(UTC) + timedelta(seconds=wall_s)


def _acted(parts: Apart, job: str, verb: str, wall_s: float) -> bool:
    until = parts.clock.now() + timedelta(seconds=wall_s * parts.clock.speed)
    with suppress(IgoudarError), parts.api() as api:
        return api.job_action(job, verb, "line 36", until).result == "done"
    return False


def begin(slurm: Cluster, job: str) -> datetime:
    return datetime.fromtimestamp(slurm.jobs()[job]["eligible_time"], UTC)


def test_line_36_with_control_killed_delays_end_and_pauses_are_ended(parts: Apart, slurm: Cluster) -> None:
    paused, long_paused = (slurm.submit(*FLEX, gpus=2) for _ in range(2))
    delayed = slurm.submit(*FLEX, "--begin=now+20", gpus=2)
    for job in (paused, long_paused):
        slurm.wait_state(job, "RUNNING")
    resume_by = ask(parts, paused, "suspend", 25.0)
    ask(parts, long_paused, "suspend", 600.0)
    begin_at = ask(parts, delayed, "delay", 30.0)
    assert slurm.jobs()[delayed]["priority"] > 0  # not a hold
    assert abs(begin(slurm, delayed) - begin_at) < timedelta(seconds=LATE_S)
    assert SuspendedJobs(parts.state).read().keys() == {paused, long_paused}

    parts.end("control")
    killed_at = datetime.now(UTC)
    assert slurm.state(paused) == "SUSPENDED"
    slurm.wait_state(paused, "RUNNING", within_s=40.0)
    assert datetime.now(UTC) <= resume_by
    slurm.wait_state(delayed, "RUNNING", within_s=60.0)
    assert datetime.now(UTC) <= begin_at + timedelta(seconds=LATE_S)
    slurm.wait_state(long_paused, "RUNNING", within_s=60.0)
    assert datetime.now(UTC) <= killed_at + timedelta(seconds=LEAST_SILENCE_S + LATE_S)
    told_when_back(parts, {paused, long_paused})


def told_when_back(parts: Apart, jobs: set[str]) -> None:
    """The failsafe's deeds are in the audit, once each, and no promise is open."""
    parts.start("control")
    parts.controlled()
    with parts.api() as api:
        rows = wait_until("the audit", lambda: [row for row in api.actions(200) if row.who == "failsafe"])
        assert wait_until("an alarm", lambda: [a for a in api.alarms().alarms if a.source == "failsafe"])
    assert sorted((row.target, row.verb, row.result) for row in rows) == [
        (job, "resume", "done") for job in sorted(jobs)
    ]
    assert SuspendedJobs(parts.state).read() == {}
    verified = parts.command("audit", "verify")
    assert verified.returncode == 0, verified.stderr


async def test_line_36_a_reservation_ends_within_a_quarter_of_an_hour(slurm: Cluster, tmp_path: Path) -> None:
    site = load_site(site_on(slurm, tmp_path), load_profiles())
    clock = replace(wall_clock(), speed=1.0)
    scheduler = SlurmScheduler(site, clock)
    await scheduler.set_budget(10_000.0, clock.now() + timedelta(hours=5))
    (found,) = pairs(slurm.run("scontrol", "-o", "show", "reservation").encode())
    ends = datetime.fromisoformat(found["EndTime"]).replace(tzinfo=UTC)
    assert timedelta(0) < ends - datetime.now(UTC) <= timedelta(minutes=15, seconds=1)
