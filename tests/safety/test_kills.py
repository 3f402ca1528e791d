"""Control killed at random moments: whenever it dies, the plant is safe in time and no job stays paused."""

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.core.errors import CommandError
from tests.app.apart import Apart, apart
from tests.app.live import wait_until
from tests.app.lone_cluster import Cluster

from .machine import PV, SLACK, asked, reversion_s, safe_after_s

pytestmark = pytest.mark.xdist_group("apart")
MOMENT_S = 4.0  # wall: control dies at most so long after it has set something
PAUSE_S, DELAY_S = 8.0, 10.0  # wall
LATE = timedelta(minutes=2)  # site time: two steps of the simulated cluster, on a busy machine
HEAD = (
    "job_id,user,num_gpu,submit_time,iterations,model_name,duration,interval,expect_time_list,"
    "expect_value_list,best_effort,job_type\n"
)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Apart]:
    """A site whose cluster has the test's jobs only: the one job of its trace is made to fit nowhere."""
    trace = tmp_path / "jobs.csv"
    trace.write_text(f"{HEAD}0,nobody,1,0,1,m,1,1,1,1,1,best\n")
    with apart(tmp_path / "state") as running:
        running.start("simulate", options=("--speed", "60", "--jobs", str(trace)))
        wait_until("devices", (running.state / "endpoints.json").exists)
        running.start("failsafe")
        yield running


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_control_killed_at_random_moments(
    parts: Apart, kills: int, record_property: Callable[[str, object], None]
) -> None:
    dice, cluster = random.Random(kills), Cluster(parts)  # noqa: S311 - moments, not secrets
    bar_s = SLACK * reversion_s(parts, PV)
    parts.start("collect")
    taken_s = [one_kill(parts, cluster, dice.uniform(0.0, MOMENT_S), number) for number in range(kills)]
    record_property("plant safe after [s], worst", round(max(taken_s)))
    record_property("bar", round(bar_s))
    assert max(taken_s) <= bar_s
    parts.start("control")
    parts.controlled()
    with parts.api() as api:
        told = [row.target for row in api.actions(1000) if row.who == "failsafe" and row.result == "done"]
    assert len(told) == len(set(told))  # none was resumed twice
    assert SuspendedJobs(parts.state).read() == {}
    assert int((parts.state / "writer.epoch").read_text()) == kills + 1  # one holder after the other
    verified = parts.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def one_kill(parts: Apart, cluster: Cluster, moment_s: float, number: int) -> float:
    """Control drives a machine, pauses and delays jobs, and dies; seconds until the plant was safe."""
    parts.start("control")
    parts.controlled()
    machine, paused = asked(parts, PV), f"paused-{number}"
    cluster.run_job(paused)
    delayed, begin_at = delayed_job(parts, cluster)
    resume_by = act(parts, paused, "suspend", PAUSE_S)
    dies_at = later(parts, moment_s)
    wait_until("the moment", lambda: parts.clock.now() >= dies_at)
    killed_at = parts.clock.now()
    parts.end("control")
    taken_s = safe_after_s(parts, machine, killed_at)
    machine.close()
    in_time(parts, cluster, paused, resume_by)
    in_time(parts, cluster, delayed, begin_at + LATE)
    cluster.ask("POST", f"/v1/jobs/{paused}/suspend", x=1)  # out of the way, by somebody else
    return taken_s


def delayed_job(parts: Apart, cluster: Cluster) -> tuple[str, datetime]:
    """A job that control has delayed, and until when; on a busy machine some start before it can."""
    names = (f"delayed-{uuid.uuid4().hex[:8]}" for _ in range(20))
    for name in names:
        cluster.ask("POST", "/v1/submit", job_id=name, gpus=1, duration_s=600.0)
        with suppress(CommandError):
            return name, act(parts, name, "delay", DELAY_S)
    raise AssertionError("no job could be delayed")


def in_time(parts: Apart, cluster: Cluster, job: str, by: datetime) -> None:
    """The job runs, or has run, by a time; control is dead."""
    done = ("running", "finished", "None")
    wait_until(f"{job} by {by}", lambda: cluster.state(job) in done or parts.clock.now() > by + LATE)
    assert cluster.state(job) in done


def later(parts: Apart, wall_s: float) -> datetime:
    return parts.clock.now() + timedelta(seconds=wall_s * parts.clock.speed)


def act(parts: Apart, job: str, verb: str, wall_s: float) -> datetime:
    """Have control do it until so many wall seconds from now."""
    until = later(parts, wall_s)
    with parts.api() as api:
        assert api.job_action(job, verb, "a test", until).result == "done"
    return until
