"""Which power limits an event may lower."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.actuation.sight import Sight
from igoudar.control.demand_response.cap_levers import cap_levers
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.levers import Levers, Limit
from igoudar.control.demand_response.levers import Sight as MeterSight
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.rules import rules_of
from igoudar.control.picture import Picture
from igoudar.control.roster import roster
from igoudar.core.model import JobState, Reading, Site
from igoudar.core.model_caps import CapAgent, Capping
from igoudar.core.model_scheduler import Scheduling
from igoudar.core.site import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHELF = {"active_power_w": 110e3, "power_limit_w": 132e3, "limit_enabled_state": 0.0}
LIMITS = {"limit_low_w": 29_040.0, "limit_high_w": 132e3}


@pytest.fixture(scope="module")
def site() -> Site:
    return replace(load_site("jazari-lab", load_profiles()), scheduler=Scheduling(kind="slurm"))


def sight(site: Site, values: dict[str, dict[str, float]], *jobs: QueuedJob) -> Sight:
    readings = {name: Reading(NOW, name, found) for name, found in values.items()}
    picture = Picture(NOW, readings, dict.fromkeys(readings, NOW))
    return Sight(roster(site, load_profiles(), 1.0), picture, {job.job_id: job for job in jobs})


def job(name: str, *racks: str, flexible: bool, state: JobState = JobState.RUNNING) -> QueuedJob:
    return QueuedJob(name, name, "u", 8, state, flexible, NOW, 3600.0, racks=racks)


def test_a_shelf_of_a_rack_without_urgent_jobs_is_a_lever(site: Site) -> None:
    seen = sight(
        site,
        {f"shelf-a1-{n:02}": {**SHELF, **LIMITS} for n in range(1, 5)},
        job("urgent", "a1-01", flexible=False),
        job("over", "a1-02", flexible=False, state=JobState.FINISHED),
        job("mine", "a1-01", "a1-03", flexible=True),
    )
    found = {lever.target: lever for lever in cap_levers(seen, 0.85)}
    assert set(found) == {"shelf-a1-02", "shelf-a1-03", "shelf-a1-04"}
    lever = found["shelf-a1-02"]
    assert (lever.now_w, lever.limit_w, lever.full_w, lever.gpus) == (110e3, 132e3, 132e3, 72)
    assert lever.least_w == pytest.approx(0.85 * 132e3)


def test_a_limit_that_stands_is_the_limit_now_and_the_shelfs_own_least_holds(site: Site) -> None:
    values = {**SHELF, "power_limit_w": 120e3, "limit_enabled_state": 1.0, **LIMITS, "limit_low_w": 125e3}
    (lever,) = cap_levers(sight(site, {"shelf-a1-01": values}), 0.85)
    assert (lever.limit_w, lever.least_w) == (120e3, 125e3)


def test_a_cap_that_an_urgent_job_came_under_is_lifted_at_once(site: Site) -> None:
    values = {**SHELF, **LIMITS, "power_limit_w": 112e3, "limit_enabled_state": 1.0}
    seen = sight(site, {"shelf-a1-01": values}, job("urgent", "a1-01", flexible=False))
    found = cap_levers(seen, 0.85)
    assert [(one.target, one.relief_w, one.binds_urgent) for one in found] == [("shelf-a1-01", 0.0, True)]
    held = Memory(caps={"shelf-a1-01": 112e3})
    limit = Limit(facility_w=1e6, until=NOW + timedelta(hours=1), acting=True)
    meters = MeterSight(NOW, 1.2e6, 1.2e6, NOW)  # over the limit: other caps would only go lower
    rules = rules_of(site.emergency, site.it_w, 1.0, 3600.0)
    wishes, _ = decide(limit, meters, Levers(caps=found), held, rules)
    assert wishes.caps == {"shelf-a1-01": 132e3}


def test_a_shelf_that_is_not_heard_and_a_rack_nobody_knows_are_no_levers(site: Site) -> None:
    assert cap_levers(sight(site, {}), 0.85) == ()
    heard = {"shelf-a1-01": {**SHELF, **LIMITS}}
    simulated = replace(site, scheduler=Scheduling())
    assert cap_levers(sight(simulated, heard), 0.85) == ()
    assert cap_levers(replace(sight(site, heard), jobs=None), 0.85) == ()


def test_a_node_with_an_agent_is_a_lever_where_its_rack_has_no_shelf(site: Site) -> None:
    agents = tuple(CapAgent(f"n{n}", f"https://n{n}:8470", ("a1-01",), 4) for n in (1, 2))
    bare = replace(
        site,
        devices=tuple(d for d in site.devices if d.kind.value != "power_shelf"),
        caps=Capping(agents, minimum_w=500.0, default_w=1200.0),
    )
    seen = sight(bare, {"gpu-a1-01": {"gpu_power_w": 72_000.0}})
    first, second = cap_levers(seen, 0.85)
    assert (first.target, second.target) == ("n1", "n2")
    assert (first.now_w, first.full_w, first.gpus) == (4000.0, 4800.0, 4)
    assert first.least_w == pytest.approx(0.85 * 4800.0)
    assert cap_levers(sight(bare, {}), 0.85) == ()
    urgent = job("urgent", "a1-01", flexible=False)
    bound = cap_levers(sight(bare, {"gpu-a1-01": {"gpu_power_w": 72_000.0}}, urgent), 0.85)
    assert [(one.relief_w, one.binds_urgent) for one in bound] == [(0.0, True)] * 2
