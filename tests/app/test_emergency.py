"""A shed on a whole site with a real Slurm: the meter falls, urgent jobs run on, everything comes back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from igoudar.control.schema_events import EventView
from tests.app.live import Live, up, wait_until
from tests.app.slurm_site import site_on
from tests.peers.slurm import Cluster

pytestmark = pytest.mark.xdist_group("slurm")
SPEED, URGENT = 10.0, 3  # of the 8 nodes


@pytest.fixture
def jobs(slurm: Cluster) -> dict[str, list[str]]:
    """A full cluster: whole nodes of urgent jobs, flexible ones of one and of two GPUs."""
    urgent = [slurm.submit("--partition=gpu", "--time=60", gpus=8) for _ in range(URGENT)]
    for job in urgent:
        slurm.wait_state(job, "RUNNING")
    count = 4 * (len(slurm.names) - URGENT)
    flexible = [slurm.submit("--partition=flex", "--time=60", gpus=2) for _ in range(count)]
    for job in flexible:
        slurm.wait_state(job, "RUNNING")
    return {"urgent": urgent, "flexible": flexible}


@pytest.fixture
def live(slurm: Cluster, jobs: dict[str, list[str]], tmp_path: Path) -> Iterator[Live]:
    file = Path(site_on(slurm, tmp_path))
    file.write_text(file.read_text() + "\n[emergency]\nramp_mw_per_min = 0.5\n")
    with up(tmp_path / "state", str(file), "--speed", str(SPEED)) as site:
        with site.api() as api:
            api.set_mode("auto", "the test of an emergency")
        yield site


def test_a_shed_lowers_the_meter_and_touches_no_urgent_job(
    live: Live, slurm: Cluster, jobs: dict[str, list[str]]
) -> None:
    started = {job: slurm.jobs()[job]["start_time"] for job in jobs["urgent"]}
    wait_until("a baseline of the full site", lambda: _full(live))
    dry = live.command("site", "shed", "25%", "--for", "1h", "--dry-run", "--json")
    assert json.loads(dry.stdout)["acts"] is True, dry.stderr
    event_id = json.loads(live.command("site", "shed", "25%", "--for", "1h", "--yes", "--json").stdout)["id"]
    event = wait_until("the limit", lambda: _reached(live, event_id))
    assert event.baseline_w is not None
    assert event.limit_w == pytest.approx(0.75 * event.baseline_w)
    paused = [job for job in jobs["flexible"] if slurm.state(job) == "SUSPENDED"]
    assert paused
    assert json.loads((live.state / "suspended.json").read_text())["jobs"].keys() == set(paused)
    assert [slurm.state(job) for job in jobs["urgent"]] == ["RUNNING"] * URGENT
    assert live.command("site", "cancel", event_id, "--yes").returncode == 0
    wait_until("everything back", lambda: _event(live, event_id).state == "cancelled", 120)
    assert all(slurm.state(job) == "RUNNING" for job in (*jobs["urgent"], *jobs["flexible"]))
    assert {job: slurm.jobs()[job]["start_time"] for job in jobs["urgent"]} == started


def _full(live: Live) -> bool:
    with live.api() as api:
        events, status = api.events(), api.status()
        if events.load_w is None or status.it_w is None or status.it_w < 0.95 * 8 * 132e3:
            return False
        tried = live.command("site", "shed", "25%", "--for", "1h", "--dry-run", "--json")
    return tried.returncode == 0 and json.loads(tried.stdout)["baseline_w"] > 0.95 * events.load_w


def _event(live: Live, event_id: str) -> EventView:
    with live.api() as api:
        return next(event for event in api.events().events if event.id == event_id)


def _reached(live: Live, event_id: str) -> EventView | None:
    event = _event(live, event_id)
    return event if event.reached_at else None
