"""What the failsafe does to a real Slurm: it resumes, also what its own rules would not let it touch."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.peers.slurm import Cluster

from igoudar.control.actuation.schedulers.slurm.program import Programs
from igoudar.control.failsafe.deeds import RESUMED, read_deeds
from igoudar.control.failsafe.keeper import Failsafe
from igoudar.control.failsafe.schedulers import SlurmResumes
from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.control.failsafe.watch import LEAST_SILENCE_S
from igoudar.core.errors import LinkError

pytestmark = pytest.mark.xdist_group("slurm")


async def test_a_silent_control_s_jobs_run_again(slurm: Cluster, tmp_path: Path) -> None:
    job, other = (slurm.submit("--partition=flex", f"--nodelist={node}") for node in ("gpu01", "gpu02"))
    now = datetime.now(UTC)
    for name in (job, other):
        slurm.wait_state(name, "RUNNING")
        slurm.run("scontrol", "suspend", name)
    SuspendedJobs(tmp_path).note(job, now, now + timedelta(hours=1))
    resumes = SlurmResumes(Programs(str(slurm.conf)))
    assert await resumes.suspended() == {job, other}
    failsafe = Failsafe.open(tmp_path, resumes, 0.0)
    await failsafe.step(1.0)
    assert slurm.state(job) == "SUSPENDED"
    await failsafe.step(LEAST_SILENCE_S)
    await failsafe.step(LEAST_SILENCE_S + 1.0)
    assert (slurm.state(job), slurm.state(other)) == ("RUNNING", "SUSPENDED")
    (deed,) = read_deeds(tmp_path)
    assert (deed.state, deed.attempts) == (RESUMED, 1)


async def test_a_controller_that_is_down_is_asked_again(slurm: Cluster, tmp_path: Path) -> None:
    job = slurm.submit("--partition=flex")
    now = datetime.now(UTC)
    slurm.wait_state(job, "RUNNING")
    slurm.run("scontrol", "suspend", job)
    SuspendedJobs(tmp_path).note(job, now, now + timedelta(hours=1))
    resumes = SlurmResumes(Programs(str(slurm.conf)))
    failsafe = Failsafe.open(tmp_path, resumes, 0.0)
    slurm.stop_controller()
    try:
        with pytest.raises(LinkError):
            await resumes.suspended()
        await failsafe.step(LEAST_SILENCE_S)
        assert not failsafe.idle
    finally:
        slurm.start_controller()
    await failsafe.step(LEAST_SILENCE_S + 60.0)
    await failsafe.step(LEAST_SILENCE_S + 61.0)
    assert slurm.state(job) == "RUNNING"
    assert failsafe.idle
