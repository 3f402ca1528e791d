"""The failsafe as a process of its own, beside a simulated cluster, with a control that the test plays."""

import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from igoudar.control.failsafe.deeds import read_deeds
from igoudar.control.failsafe.heartbeat import Heartbeat
from igoudar.control.failsafe.watch import Why
from tests.app.apart import Apart, apart
from tests.app.live import wait_until
from tests.app.lone_cluster import Cluster

pytestmark = pytest.mark.xdist_group("apart")


def watched(parts: Apart) -> None:
    """Return when the failsafe that was started last is the one that watches."""
    lock, pid = parts.state / "failsafe.lock", str(parts.running["failsafe"].pid)
    wait_until("it is watched", lambda: lock.exists() and lock.read_text() == pid)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Apart]:
    with apart(tmp_path / "state") as running:
        running.start("simulate")
        yield running


def test_a_resume_by_is_kept_with_control_dead_and_once_only(parts: Apart) -> None:
    cluster = Cluster(parts)
    cluster.run_job("kept")
    parts.start("failsafe")
    resume_by = cluster.pause("kept", timedelta(minutes=6))
    wait_until("it runs again", lambda: cluster.state("kept") == "running", 20)
    assert parts.clock.now() <= resume_by
    (deed,) = wait_until("a record", lambda: [d for d in read_deeds(parts.state) if d.over])
    assert (deed.pause.job_id, deed.why, deed.attempts) == ("kept", Why.RESUME_BY, 1)
    parts.end("failsafe")
    cluster.ask("POST", "/v1/jobs/kept/suspend", x=1)  # by somebody who promised nothing
    parts.start("failsafe")
    cluster.run_job("next")
    cluster.pause("next", timedelta(minutes=3))
    wait_until("the next one runs again", lambda: cluster.state("next") == "running", 20)
    assert cluster.state("kept") == "suspended"


def test_a_killed_failsafe_keeps_the_promise_when_it_is_back(parts: Apart) -> None:
    cluster = Cluster(parts)
    cluster.run_job("kept")
    parts.start("failsafe")
    cluster.pause("kept", timedelta(minutes=4))
    parts.end("failsafe", signal.SIGKILL)
    parts.start("failsafe")
    wait_until("it runs again", lambda: cluster.state("kept") == "running", 20)


def test_when_the_site_is_stopped_nothing_stays_paused(parts: Apart) -> None:
    cluster = Cluster(parts)
    cluster.run_job("kept")
    Heartbeat(parts.state).beat(0.5)
    parts.start("failsafe")
    cluster.pause("kept", timedelta(hours=10))
    watched(parts)
    parts.end("failsafe", signal.SIGTERM)
    assert cluster.state("kept") == "suspended"  # control lives: this process beats
    Heartbeat(parts.state).stop()
    parts.start("failsafe")
    watched(parts)
    parts.end("failsafe", signal.SIGTERM)
    wait_until("it runs again", lambda: cluster.state("kept") == "running", 20)
    (deed,) = read_deeds(parts.state)
    assert deed.why is Why.STOPPED


def test_a_second_failsafe_waits_for_the_first(parts: Apart) -> None:
    cluster = Cluster(parts)
    cluster.run_job("kept")
    parts.start("failsafe")
    first = parts.running.pop("failsafe")
    parts.start("failsafe")
    cluster.pause("kept", timedelta(minutes=3))
    wait_until("it runs again", lambda: cluster.state("kept") == "running", 20)
    first.send_signal(signal.SIGTERM)
    first.wait(timeout=20)
    cluster.pause("kept", timedelta(minutes=3))
    wait_until("it runs again", lambda: cluster.state("kept") == "running", 20)
    assert [deed.attempts for deed in read_deeds(parts.state)] == [1, 1]
