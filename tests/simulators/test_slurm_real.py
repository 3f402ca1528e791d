"""The follower on a real Slurm."""

from dataclasses import replace

import pytest

from igoudar.core.model import Site
from igoudar.core.model_scheduler import Scheduling, deal
from igoudar.simulators.service import load_inputs
from igoudar.simulators.slurm_follow import Follower, follower_of
from igoudar.simulators.twin import Twin
from tests.peers.slurm import Cluster
from tests.simulators.conftest import START

pytestmark = pytest.mark.xdist_group("slurm")


def following(site: Site, slurm: Cluster) -> tuple[Twin, Follower]:
    rules = Scheduling(
        kind="slurm",
        slurm_conf=str(slurm.conf),
        flexible_partitions=frozenset({"flex"}),
        nodes=deal(slurm.names, [rack.name for rack in site.racks]),
    )
    followed = replace(site, scheduler=rules)
    twin = Twin.fresh(load_inputs(followed, 7, None, None), START, 0.0)
    follower = follower_of(followed, (twin.plant, twin.shadow))
    assert follower is not None
    return twin, follower


async def grown_w(twin: Twin, follower: Follower) -> list[float]:
    """What each rack draws above idle, by what Slurm runs now."""
    await follower.refresh()
    twin.plant.step(1.0)
    return [float(watts) for watts in twin.plant.racks.power_w - twin.plant.racks.idle_w]


async def test_racks_draw_what_slurm_runs_and_a_suspended_job_draws_idle(site: Site, slurm: Cluster) -> None:
    twin, follower = following(site, slurm)
    full_w = float(twin.plant.racks.dynamic_w[0])
    assert await grown_w(twin, follower) == pytest.approx([0.0] * 8)
    flexible = slurm.submit("--partition=flex", "--nodelist=gpu03", gpus=4)
    urgent = slurm.submit("--partition=gpu", "--nodelist=gpu05,gpu06", "--nodes=2", gpus=8)
    for job in (flexible, urgent):
        slurm.wait_state(job, "RUNNING")
    loaded = await grown_w(twin, follower)
    assert loaded == pytest.approx([0, 0, full_w / 2, 0, full_w, full_w, 0, 0])
    assert twin.plant.racks.flexible_w == pytest.approx(full_w / 2)
    slurm.run("scontrol", "suspend", flexible)
    slurm.wait_state(flexible, "SUSPENDED")
    assert (await grown_w(twin, follower))[2] == pytest.approx(0.0)
    slurm.run("scontrol", "resume", flexible)
    slurm.wait_state(flexible, "RUNNING")
    assert (await grown_w(twin, follower))[2] == pytest.approx(full_w / 2)


async def test_a_node_powered_down_draws_nothing(site: Site, slurm: Cluster) -> None:
    twin, follower = following(site, slurm)
    for state in ("drain reason=test", "power_down"):
        slurm.run("scontrol", "update", "nodename=gpu08", *f"state={state}".split())
    slurm.wait(lambda: "POWERED_DOWN" in slurm.run("scontrol", "show", "node", "gpu08"), 30.0)
    try:
        assert (await grown_w(twin, follower))[7] == pytest.approx(-float(twin.plant.racks.idle_w[7]))
    finally:
        slurm.run("scontrol", "update", "nodename=gpu08", "state=power_up")
        slurm.wait(lambda: undrained(slurm), 60.0)


def undrained(slurm: Cluster) -> bool:
    """A node that is still booting can't be taken back yet."""
    slurm.run("scontrol", "update", "nodename=gpu08", "state=resume", check=False)
    return slurm.ready()
