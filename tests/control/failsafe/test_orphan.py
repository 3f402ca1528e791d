"""The failsafe of a real scheduler outlives the supervisor that started it, for as long as it is needed."""

import signal
import subprocess
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from tests.app.live import wait_until
from tests.app.slurm_site import site_on
from tests.peers.slurm import Cluster

from igoudar.control.failsafe.suspended import SuspendedJobs
from igoudar.core.clock import wall_clock

pytestmark = pytest.mark.xdist_group("slurm")
PAUSE = timedelta(seconds=20)
SUPERVISOR = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], start_new_session=True)
time.sleep(600)
"""


def test_it_keeps_its_promises_without_a_supervisor_and_then_ends(slurm: Cluster, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    wall_clock().save(state / "clock.json")
    words = ["-m", "igoudar.app.main", "failsafe", site_on(slurm, tmp_path), "--state", str(state)]
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, sys.executable, *words])
    failsafe = psutil.Process(wait_until("the failsafe", lambda: watcher(state)))
    job = slurm.submit("--partition=flex")
    slurm.wait_state(job, "RUNNING")
    now = wall_clock().now()
    SuspendedJobs(state).note(job, now, now + PAUSE)
    slurm.run("scontrol", "suspend", job)
    supervisor.send_signal(signal.SIGKILL)
    supervisor.wait()
    try:
        slurm.wait_state(job, "RUNNING", within_s=40.0)
        assert wall_clock().now() <= now + PAUSE
        wait_until("its end", lambda: not failsafe.is_running() or failsafe.status() == psutil.STATUS_ZOMBIE)
    finally:
        with suppress(psutil.NoSuchProcess):
            failsafe.kill()


def watcher(state: Path) -> int | None:
    """The number of the process that holds the lock."""
    lock = state / "failsafe.lock"
    return int(lock.read_text()) if lock.exists() and lock.read_text() else None
