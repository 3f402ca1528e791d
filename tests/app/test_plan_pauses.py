"""The plan pauses jobs of a real Slurm; each goes on by its time, with control or, once killed, without."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers.slurm.scheduler import SlurmScheduler
from igoudar.control.failsafe.suspended import Suspended, SuspendedJobs
from igoudar.core.model import JobState
from igoudar.core.site import load_site
from tests.app.apart import Apart, apart
from tests.app.live import wait_until
from tests.app.slurm_site import site_on
from tests.peers.slurm import Cluster

pytestmark = pytest.mark.xdist_group("slurm")
SPEED, EVENING = "600", "2026-03-02T19:00:00"
FLEX = ("--partition=flex", "--time=1")  # a minute of Slurm's is ten hours of the site's
RUNS, IS_OVER = "sleep 600", "true"
BETWEEN = timedelta(minutes=70)  # before the first must run again: the second is not to end with it
CALM = {  # nothing but the grid until the sun is up, and then more than all need
    'ac = "600 kW"\ninverter = "300 kW"': 'ac = "6 MW"\ninverter = "3 MW"',
    'energy = "1 MWh"\npower = "500 kW"': 'energy = "10 kWh"\npower = "10 kW"',
    "derating = 0.76": "derating = 0.001",
}
WORD = """
[plan]
pauses = true

[prices]
import_mwh = 600.0

[guard]
resume_by_max = "2 h"
"""


@pytest.fixture
def parts(slurm: Cluster, tmp_path: Path) -> Iterator[Apart]:
    """A calm evening: two jobs have run for a while, five are over; the plan may pause one of all."""
    path = Path(site_on(slurm, tmp_path))
    text = path.read_text() + WORD
    for found, put in CALM.items():
        assert found in text
        text = text.replace(found, put)
    path.write_text(text)
    submit(slurm, 2, RUNS, gpus=8)
    submit(slurm, 5, IS_OVER)
    with apart(tmp_path / "state", str(path)) as running:
        running.start("simulate", options=("--speed", SPEED, "--start", EVENING))
        running.start("collect", "control", "failsafe")
        running.controlled()
        with running.api() as api:
            api.set_mode("auto", "a test of pauses")
        yield running


def submit(slurm: Cluster, count: int, script: str, gpus: int = 1) -> None:
    for _ in range(count):
        slurm.submit(*FLEX, script=script, gpus=gpus)


async def test_jobs_of_slurm_that_the_plan_pauses_run_again_by_their_time_with_control_and_without(
    parts: Apart, slurm: Cluster
) -> None:
    first, first_by = paused(parts, set())
    assert slurm.state(first) == "SUSPENDED"
    told(parts, first)
    await keeps_its_gpus(parts, first)
    wait_until("a time between the two", lambda: parts.clock.now() > first_by - BETWEEN)
    submit(slurm, 3, IS_OVER)  # of ten jobs the plan may pause two
    second, second_by = paused(parts, {first})
    runs_by(parts, slurm, first, first_by)
    wait_until("it is told", lambda: deeds(parts, first)[1:] == [("control", "resume", "done")])
    parts.end("control")
    assert slurm.state(second) == "SUSPENDED"
    runs_by(parts, slurm, second, second_by)
    parts.start("control")
    parts.controlled()
    wait_until("its deed is told", lambda: ("failsafe", "resume", "done") in deeds(parts, second))
    assert deeds(parts, second) == [("control", "suspend", "done"), ("failsafe", "resume", "done")]
    assert SuspendedJobs(parts.state).read() == {}


def paused(parts: Apart, before: set[str]) -> tuple[str, datetime]:
    """The next job that the plan pauses, once it has, and by when it must run again."""

    def entries() -> list[tuple[str, Suspended]]:
        kept = SuspendedJobs(parts.state).read().items()
        return [(job, entry) for job, entry in kept if job not in before and deeds(parts, job)]

    ((job, entry),) = wait_until("a pause by the plan", entries)
    return job, entry.resume_by


def told(parts: Apart, job: str) -> None:
    """To a person who asks why it stands."""

    def codes() -> list[str]:
        said: list[dict[str, Any]] = json.loads(parts.command("job", "why", job, "--json").stdout)
        return [row["reason"]["code"] for row in said if row["reason"]]

    wait_until("why", lambda: codes() == ["control.paused", "control.paused", "control.plan_pauses"])


async def keeps_its_gpus(parts: Apart, job: str) -> None:
    """What runs and what stands has its GPUs, and nobody else gets them."""
    site = load_site(parts.site, load_profiles())
    queue = await SlurmScheduler(site, parts.clock).queue()
    having = {one.job_id: one for one in queue.jobs if one.state in (JobState.RUNNING, JobState.SUSPENDED)}
    assert (having[job].state, having[job].keeps_gpus) == (JobState.SUSPENDED, True)
    assert queue.gpus_free == queue.flexible_gpus - sum(one.gpus for one in having.values())


def runs_by(parts: Apart, slurm: Cluster, job: str, by: datetime) -> None:
    slurm.wait_state(job, "RUNNING", within_s=40.0)
    assert parts.clock.now() <= by


def deeds(parts: Apart, job: str) -> list[tuple[str, str, str]]:
    """Who did what to it, oldest first."""
    with parts.api() as api:
        return [(row.who, row.verb, row.result) for row in reversed(api.actions(target=job))]
