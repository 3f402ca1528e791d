"""The watts budget, nodes, checks at the start, and a controller that goes away, with a real Slurm."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.control.actuation.schedulers.slurm.rig import FLEX, adapter, clock, in_site_minutes, listed
from tests.peers.slurm import Cluster, cluster

from igoudar.control.actuation.schedulers import RefusedError
from igoudar.control.actuation.schedulers.slurm import budget
from igoudar.control.actuation.schedulers.slurm.lines import pairs
from igoudar.core.errors import CommandError, ConfigError, LinkError
from igoudar.core.model import JobState

pytestmark = pytest.mark.xdist_group("slurm")

TOTAL_W = 8 * 8 * 700


def reserved(slurm: Cluster) -> dict[str, str]:
    said = slurm.run("scontrol", "-o", "show", "reservation", "igoudar-watts", check=False)
    return pairs(said.encode())[0] if "ReservationName" in said else {}


async def test_a_budget_keeps_jobs_from_starting_and_lets_them_start_again(slurm: Cluster) -> None:
    at = clock(1.0)
    scheduler = adapter(slurm, at)
    running = slurm.submit(*FLEX, "--licenses=watts:5600", gpus=8)
    slurm.wait_state(running, "RUNNING")
    until = await scheduler.set_budget(7000.0, at.now() + timedelta(hours=2))
    assert timedelta(minutes=14) < until - at.now() <= timedelta(minutes=15, seconds=1)
    assert reserved(slurm)["Licenses"] == f"watts:{TOTAL_W - 7000}"
    assert reserved(slurm)["NodeCnt"] == "0"  # it takes watts, and no nodes
    second = slurm.submit(*FLEX, "--licenses=watts:2800", gpus=4)
    slurm.wait(lambda: slurm.jobs()[second]["state_reason"] == "Licenses")
    assert slurm.state(running) == "RUNNING"  # what runs keeps its watts
    await scheduler.set_budget(9000.0, at.now() + timedelta(hours=2))
    slurm.wait_state(second, "RUNNING")
    await scheduler.set_budget(TOTAL_W, at.now() + timedelta(hours=2))
    assert not reserved(slurm)


async def test_a_budget_below_what_runs_stops_nothing(slurm: Cluster) -> None:
    at = clock(1.0)
    running = slurm.submit(*FLEX, "--licenses=watts:5600", gpus=8)
    slurm.wait_state(running, "RUNNING")
    scheduler = adapter(slurm, at)
    await scheduler.set_budget(0.0, at.now() + timedelta(minutes=10))
    assert reserved(slurm)["Licenses"] == f"watts:{TOTAL_W}"
    assert slurm.state(running) == "RUNNING"
    await scheduler.clear_budget()
    await scheduler.clear_budget()  # nothing is left to give back
    assert not reserved(slurm)


async def test_there_is_no_budget_where_urgent_jobs_ask_for_watts(slurm: Cluster) -> None:
    at = clock(1.0)
    job = slurm.submit("--partition=gpu", "--licenses=watts:700")
    with pytest.raises(RefusedError) as refused:
        await adapter(slurm, at).set_budget(7000.0, at.now() + timedelta(minutes=10))
    assert refused.value.reason == "urgent_watts"
    assert not reserved(slurm)
    slurm.run("scancel", job)


async def test_a_budget_is_renewed_only_when_it_must_be(slurm: Cluster) -> None:
    at = clock(60.0)
    scheduler = adapter(slurm, at)
    ends = in_site_minutes(at, 60 * 20)  # 20 wall minutes
    await scheduler.set_budget(20_000.0, ends)
    first = reserved(slurm)["EndTime"]
    await scheduler.set_budget(20_000.0, ends)
    assert reserved(slurm)["EndTime"] == first
    sooner = in_site_minutes(at, 60 * 3)
    assert await scheduler.set_budget(20_000.0, sooner) <= sooner + timedelta(minutes=2)
    assert reserved(slurm)["EndTime"] < first
    later = await adapter(slurm, at).set_budget(20_000.0, ends)  # within five minutes of its end
    assert later > sooner
    with pytest.raises(RefusedError) as refused:
        await scheduler.set_budget(20_000.0, at.now())
    assert refused.value.reason == "expired"


async def test_a_reservation_ends_when_nobody_renews_it(
    slurm: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "SHORTEST", timedelta(seconds=2))
    at = clock(1.0)
    await adapter(slurm, at).set_budget(0.0, at.now() + timedelta(seconds=5))
    end = reserved(slurm)
    assert end["StartTime"] < end["EndTime"]
    job = slurm.submit(*FLEX, "--licenses=watts:700")
    slurm.wait(lambda: slurm.jobs()[job]["state_reason"] in ("Licenses", "Reservation"))
    slurm.wait_state(job, "RUNNING", within_s=30)


async def test_only_an_idle_and_drained_node_is_turned_off(slurm: Cluster) -> None:
    scheduler = adapter(slurm, clock())
    job = slurm.submit(*FLEX, "--nodelist=gpu02")
    slurm.wait_state(job, "RUNNING")
    slurm.run("scontrol", "update", "NodeName=gpu02", "State=DRAIN", "Reason=test")
    for node, reason in (("gpu01", "not_drained"), ("gpu02", "not_drained"), ("nowhere", "unknown_node")):
        with pytest.raises(RefusedError) as refused:
            await scheduler.power_down(node)
        assert refused.value.reason == reason
    slurm.run("scontrol", "update", "NodeName=gpu01", "State=DRAIN", "Reason=test")
    with pytest.raises(RefusedError):
        await scheduler.power_up("gpu01")
    await scheduler.power_down("gpu01")
    slurm.wait(lambda: "POWERED_DOWN" in slurm.run("scontrol", "show", "node", "gpu01"), 30)
    assert (await scheduler.queue()).flexible_gpus == 6 * 72
    await scheduler.power_up("gpu01")
    slurm.wait(slurm._in_service, 60)
    assert slurm.state(job) == "RUNNING"


async def test_a_controller_that_is_down_is_a_fault_of_the_link_and_recovers(slurm: Cluster) -> None:
    at = clock()
    scheduler = adapter(slurm, at)
    job = slurm.submit(*FLEX, "--begin=now+1hour", "--comment=x")
    running = slurm.submit(*FLEX)
    slurm.wait_state(running, "RUNNING")
    await scheduler.queue()
    slurm.stop_controller()
    try:
        scheduler._programs.timeout_s = 1.0
        for call in (scheduler.queue, lambda: scheduler.suspend(running)):
            with pytest.raises(LinkError):
                await call()
        fresh = adapter(slurm, at)
        fresh._programs.timeout_s = 1.0
        await fresh.start()  # a Slurm that is down does not keep the site from starting
    finally:
        slurm.start_controller()
    slurm.wait(slurm.ready, 30)
    assert (await listed(scheduler, job)).state is JobState.HELD
    await fresh.suspend(running)
    await scheduler.resume(running)
    assert slurm.state(running) == "RUNNING"


async def test_what_the_site_file_says_is_checked_at_the_start(slurm: Cluster) -> None:
    at = clock()
    await adapter(slurm, at).start()
    for changes, said in (
        ({"flexible_qos": frozenset({"low"})}, "sacctmgr does not answer"),
        ({"flexible_partitions": frozenset({"flexx"})}, "nearest known partition is 'flex'"),
        ({"watts_licence": "power"}, "no licence 'power'"),
        ({"slurm_conf": "/nowhere/slurm.conf"}, "can't be read"),
    ):
        with pytest.raises(ConfigError, match=said):
            await adapter(slurm, at, **changes).start()
    with pytest.raises(LinkError, match="no program"):
        await adapter(slurm, at, programs="/nowhere").queue()
    asked: list[str] = []
    eager = adapter(slurm, at)
    run = eager._programs.run
    eager._programs = SimpleNamespace(run=lambda verb: asked.append(verb.words[-1]) or run(verb))
    await asyncio.gather(*(eager._ready() for _ in range(50)))
    assert asked.count("config") == 1
    late = adapter(slurm, at, flexible_partitions=frozenset({"flexx"}))
    with pytest.raises(CommandError, match="no partition"):
        await late.queue()  # found late, it stops no loop


async def test_a_cluster_of_64_nodes() -> None:
    with cluster(64) as large:
        at = clock(1.0)
        jobs = [large.submit(*FLEX, "--begin=now+1hour", gpus=8) for _ in range(20)]
        scheduler = adapter(large, at)
        queue = await scheduler.queue()
        assert (queue.gpus, len(queue.jobs)) == (576, 20)  # 64 nodes that stand for 8 racks of 72
        assert {job.gpus for job in queue.jobs} == {9}
        until = at.now() + timedelta(hours=2)
        async with asyncio.TaskGroup() as group:
            for job in jobs:
                group.create_task(scheduler.delay(job, until))
        begins = [job.begin_at for job in (await scheduler.queue()).jobs]
        assert all(begin is not None and begin >= until for begin in begins)
