from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.control.demand_response.cases import (
    GPU_W,
    NOW,
    RULES,
    acting,
    flexible_w,
    job,
    levers,
    remembering,
    sight,
)

from igoudar.control.demand_response.choose import Tier, tier
from igoudar.control.demand_response.cover import left_ratio
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.levers import BatteryLever, JobLever, Levers, Limit, LoadLever, Wishes
from igoudar.control.demand_response.memory import Effect, Memory
from igoudar.core.model import JobState

MW = 1e6
LEAST_S = RULES.pause_at_least_s + RULES.lead_s(10.0)
RUNNING, WAITING, SUSPENDED = JobState.RUNNING, JobState.WAITING, JobState.SUSPENDED


def relief_w(wishes: Wishes, found: Levers) -> float:
    by_id = found.by_id()
    return sum(by_id[pause.job_id].relief_w for pause in wishes.pauses) + sum(
        one.now_w - wishes.caps[one.target] for one in found.caps if one.target in wishes.caps
    )


def rise_w(wishes: Wishes, found: Levers) -> float:
    by_id = found.by_id()
    return sum(by_id[name].rise_w for name in (*wishes.resumes, *wishes.releases))


def left(wishes: Wishes, found: Levers) -> float:
    """What lower power limits leave of a pause's relief."""
    return left_ratio(wishes.caps, found.caps)


@given(levers(), st.floats(0.05, 0.5), st.floats(1.0, 40.0))
def test_the_limit_is_kept_whenever_the_levers_suffice(found: Levers, share: float, base_mw: float) -> None:
    found = replace(found, battery=None)
    load_w = base_mw * MW + flexible_w(found)
    limit_w = (1 - share) * load_w
    wishes, _ = decide(acting(limit_w), sight(load_w), found, Memory(), RULES)
    after_w = load_w - relief_w(wishes, found) + rise_w(wishes, found)
    assert after_w <= RULES.target_w(limit_w) + wishes.short_w + 1.0
    if wishes.short_w > 0:
        most_w = left(wishes, found) * flexible_w(found) + sum(one.relief_w for one in found.caps)
        assert most_w < load_w - RULES.target_w(limit_w) + rise_w(wishes, found) + 1.0


@given(levers(), st.floats(0.05, 0.5), st.floats(0.0, 40.0))
def test_a_deadline_is_given_only_when_nothing_else_covers_and_its_job_is_named(
    found: Levers, share: float, base_mw: float
) -> None:
    found = replace(found, battery=None)
    load_w = base_mw * MW + flexible_w(found)
    assume(load_w > 0)
    limit_w = (1 - share) * load_w
    wishes, _ = decide(acting(limit_w), sight(load_w), found, Memory(), RULES)
    by_id = found.by_id()
    horizon_s = 3600.0 + 3600.0
    costly = {
        pause.job_id
        for pause in wishes.pauses
        if tier(by_id[pause.job_id], NOW, horizon_s, LEAST_S) is Tier.LOSES
    }
    assert costly <= set(wishes.loses)
    if costly:
        kind = [(tier(one, NOW, horizon_s, LEAST_S), one) for one in found.jobs if one.state is RUNNING]
        rest_w = left(wishes, found) * sum(one.relief_w for level, one in kind if level is not Tier.LOSES)
        rest_w += sum(one.relief_w for one in found.caps)
        assert rest_w < load_w - RULES.target_w(limit_w) + 1.0


@given(levers(), st.floats(0.5, 1.5))
def test_only_jobs_that_run_are_paused_and_each_has_a_time_to_run_again(found: Levers, part: float) -> None:
    load_w = 10 * MW + flexible_w(found)
    wishes, _ = decide(acting(part * load_w), sight(load_w), found, Memory(), RULES)
    by_id = found.by_id()
    for pause in wishes.pauses:
        assert by_id[pause.job_id].state is RUNNING
        assert NOW < pause.resume_by <= NOW + timedelta(seconds=RULES.resume_by_max_s)
    for delay in wishes.delays:
        assert by_id[delay.job_id].state is WAITING
        assert delay.until >= NOW
    moved = [pause.job_id for pause in wishes.pauses] + list(wishes.resumes) + list(wishes.releases)
    assert len(moved) == len(set(moved))


def test_what_was_commanded_and_is_not_on_the_meter_is_not_shed_again() -> None:
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(40))
    load_w = 20 * MW
    wishes, _ = decide(acting(0.9 * load_w), sight(load_w), Levers(jobs), Memory(), RULES)
    assert wishes.pauses
    shed_w = sum(100 * GPU_W for _ in wishes.pauses)
    pending = Memory(effects=(Effect(NOW, "all", -shed_w, -shed_w),))
    again, _ = decide(acting(0.9 * load_w), sight(load_w), Levers(jobs), pending, RULES)
    assert again.pauses == ()


@given(st.floats(-0.0075, 0.0075))
def test_between_the_thresholds_nothing_moves(off: float) -> None:
    jobs = (*(job(n, RUNNING, 100, 5, None, 600) for n in range(5)), job(9, SUSPENDED, 1, 1, None, 0))
    limit_w = 20 * MW
    load_w = RULES.target_w(limit_w) + off * limit_w * 0.999
    memory = replace(remembering(jobs[-1]), room_since=NOW - timedelta(hours=1))
    wishes, _ = decide(acting(limit_w), sight(load_w), Levers(jobs), memory, RULES)
    assert wishes.nothing


def test_work_goes_on_only_when_there_has_been_room_for_a_while() -> None:
    waiting = job(1, SUSPENDED, 100, 5, 8, 0)
    found, limit_w = Levers((waiting,)), 20 * MW
    load = sight(18 * MW)
    wishes, memory = decide(acting(limit_w), load, found, remembering(waiting), RULES)
    assert wishes.resumes == ()
    assert memory.room_since == NOW
    memory = replace(memory, room_since=NOW - timedelta(seconds=RULES.resume_after_s))
    wishes, memory = decide(acting(limit_w), load, found, memory, RULES)
    assert wishes.resumes == ()
    later = replace(load, now=NOW + timedelta(seconds=waiting.rise_w / RULES.ramp_w_per_min * 60.0 + 1.0))
    wishes, _ = decide(acting(limit_w), later, found, memory, RULES)
    assert wishes.resumes == ("job-1",)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=60), st.sampled_from([10.0, 5.0, 300.0]))
def test_what_a_stricter_limit_has_stopped_comes_back_by_the_ramp_under_a_laxer_one(
    gpus: list[int], cycle_s: float
) -> None:
    standing = {f"job-{n}": job(n, SUSPENDED, many, 1, None, 0) for n, many in enumerate(gpus)}
    memory, load_w, back = remembering(*standing.values()), 10 * MW, list[tuple[float, float]]()
    limit_w = 2 * (load_w + sum(one.rise_w for one in standing.values()))
    for turn in range(int(2 * (RULES.resume_after_s + 60.0 * limit_w / RULES.ramp_w_per_min) / cycle_s)):
        at_s = turn * cycle_s
        seen = replace(sight(load_w), now=NOW + timedelta(seconds=at_s), cycle_s=cycle_s)
        found = Levers(tuple(standing[name] for name in memory.paused))
        wishes, memory = decide(acting(limit_w, hours=99), seen, found, memory, RULES)
        back += [(at_s, standing[name].rise_w) for name in wishes.resumes]
        load_w += rise_w(wishes, found)
        paused = {name: one for name, one in memory.paused.items() if name not in wishes.resumes}
        memory = replace(memory, paused=paused)
    assert not memory.paused
    burst_w = RULES.ramp_w_per_min * max(60.0, cycle_s) / 60.0
    most_w = max(burst_w, *(one.rise_w for one in standing.values()))
    for first_s, _ in back:
        for last_s in sorted({at_s for at_s, _ in back if at_s >= first_s}):
            given_w = sum(power_w for at_s, power_w in back if first_s <= at_s <= last_s)
            ramped_w = RULES.ramp_w_per_min * (last_s - first_s) / 60.0
            assert given_w <= ramped_w + most_w + 1.0


def test_jobs_go_on_in_the_order_of_their_latest_start() -> None:
    standing = [job(n, SUSPENDED, 100, 1, slack, 0) for n, slack in enumerate((5.0, 2.0, 3.5, None))]
    room_w = 2.5 * 108 * GPU_W
    limit = Limit(20 * MW, None, None, acting=False)
    load = sight(RULES.target_w(20 * MW) - room_w)
    wishes, _ = decide(limit, load, Levers(tuple(standing)), remembering(*standing), RULES)
    assert wishes.resumes == ("job-1", "job-2")


def test_a_job_whose_slack_is_used_up_runs_and_another_stands_for_it() -> None:
    urgent = job(1, SUSPENDED, 100, 2, 0.01, 0)
    others = [job(n, RUNNING, 100, 2, slack, 600) for n, slack in ((2, 3.0), (3, 9.0))]
    limit_w = 20 * MW
    load = sight(RULES.target_w(limit_w))
    memory = remembering(urgent)
    wishes, _ = decide(acting(limit_w), load, Levers((urgent, *others)), memory, RULES)
    assert wishes.resumes == ("job-1",)
    assert [pause.job_id for pause in wishes.pauses] == ["job-3", "job-2"]  # 108 % of one is more than one
    assert wishes.loses == ()


def test_when_no_other_can_stand_for_it_the_deadline_is_named() -> None:
    urgent = job(1, SUSPENDED, 100, 2, 0.01, 0)
    others = [job(n, RUNNING, 100, 2, 0.05, 600) for n in (2, 3)]
    limit_w = 20 * MW
    wishes, _ = decide(
        acting(limit_w), sight(RULES.target_w(limit_w)), Levers((urgent, *others)), remembering(urgent), RULES
    )
    assert wishes.resumes == wishes.pauses == ()
    assert wishes.loses == ("job-1",)


def test_fresh_jobs_wait_until_after_the_event_or_to_their_latest_start() -> None:
    early = job(1, WAITING, 10, 1, 0.5, 0)
    late = job(2, WAITING, 10, 1, 20, 0)
    after = job(3, WAITING, 10, 1, 20, 0, begin_s=7200)
    limit_w = 20 * MW
    found = Levers((early, late, after))
    wishes, _ = decide(acting(limit_w), sight(RULES.target_w(limit_w)), found, Memory(), RULES)
    delays = {delay.job_id: delay.until for delay in wishes.delays}
    assert delays.keys() == {"job-1", "job-2"}
    assert delays["job-1"] == early.latest
    assert delays["job-2"] >= NOW + timedelta(hours=1)


def test_a_job_that_did_not_obey_is_left_alone_for_a_while() -> None:
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(3))
    memory = Memory(refused={"job-0": NOW + timedelta(minutes=5)})
    wishes, _ = decide(acting(10 * MW), sight(10 * MW), Levers(jobs), memory, RULES)
    assert "job-0" not in [pause.job_id for pause in wishes.pauses]


def test_without_the_meter_nothing_new_is_done() -> None:
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(3))
    wishes, memory = decide(acting(1 * MW), sight(None), Levers(jobs), Memory(), RULES)
    assert wishes.nothing
    assert memory.room_since is None


def test_the_battery_covers_an_import_limit_first_as_far_as_it_lasts() -> None:
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(100))
    found = Levers(jobs, battery=BatteryLever(0.0, 20 * MW, 6e6))  # 6 MWh for an hour: 6 MW
    limit_w = 10 * MW
    wishes, _ = decide(acting(None, limit_w), sight(25 * MW, 18 * MW), found, Memory(), RULES)
    # Until the pauses are on the meter it fills in for them as well.
    assert wishes.battery_w == pytest.approx(18 * MW - RULES.target_w(limit_w))
    assert relief_w(wishes, found) >= 18 * MW - 6 * MW - RULES.target_w(limit_w)
    assert relief_w(wishes, found) < 3.3 * MW
    paused = Memory(battery_w=wishes.battery_w, battery_moved_at=NOW - timedelta(minutes=5))
    found = replace(found, battery=BatteryLever(wishes.battery_w, 20 * MW, 6e6))
    wishes, _ = decide(acting(None, limit_w), sight(22 * MW, 7 * MW), found, paused, RULES)
    assert wishes.battery_w == pytest.approx(8.15 * MW - (RULES.target_w(limit_w) - 7 * MW))


def test_relief_that_is_not_on_the_meter_does_not_lower_the_battery() -> None:
    """It fills in until the pauses are metered; the pauses themselves are not asked for twice."""
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(100))
    found = Levers(jobs, battery=BatteryLever(8 * MW, 20 * MW, 6e6))
    asked = Memory(battery_w=8 * MW, battery_at=NOW, battery_moved_at=NOW - timedelta(minutes=5))
    pending = replace(asked, effects=(Effect(NOW, "all", -2 * MW, -2 * MW),))
    load = sight(25 * MW, RULES.target_w(10 * MW))
    wishes, _ = decide(acting(None, 10 * MW), load, found, pending, RULES)
    assert wishes.battery_w == pytest.approx(8 * MW)
    assert wishes.pauses == ()
    wishes, _ = decide(
        acting(None, 10 * MW), sight(23 * MW, RULES.target_w(10 * MW) - 2 * MW), found, asked, RULES
    )
    assert wishes.battery_w == pytest.approx(6 * MW)


def test_a_facility_limit_leaves_the_battery_and_the_other_loads_alone() -> None:
    found = Levers(
        tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(100)),
        loads=(LoadLever("electrolyser-1", 2 * MW, 2 * MW),),
        battery=BatteryLever(0.0, 20 * MW, 6e7),
    )
    wishes, _ = decide(acting(20 * MW), sight(25 * MW, 18 * MW), found, Memory(), RULES)
    assert wishes.battery_w is None
    assert wishes.loads == {}


def test_other_loads_come_after_pauses_and_before_deadlines_that_would_be_lost() -> None:
    safe, costly = job(1, RUNNING, 100, 5, 20, 600), job(2, RUNNING, 1000, 5, 0.01, 600)
    found = Levers((safe, costly), loads=(LoadLever("electrolyser-1", 1 * MW, 2 * MW),))
    need_w = 100 * GPU_W + 0.5 * MW
    limit_w = 10 * MW
    load = sight(20 * MW, RULES.target_w(limit_w) + need_w)
    wishes, _ = decide(acting(None, limit_w), load, found, Memory(), RULES)
    assert [pause.job_id for pause in wishes.pauses] == ["job-1"]
    assert wishes.loads == {"electrolyser-1": pytest.approx(0.5 * MW)}


def test_a_battery_that_does_not_obey_is_not_counted_on() -> None:
    jobs = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(100))
    found = Levers(jobs, battery=BatteryLever(1 * MW, 20 * MW, 6e7))
    memory = Memory(battery_w=8 * MW, battery_at=NOW - timedelta(minutes=5))
    wishes, _ = decide(acting(None, 10 * MW), sight(25 * MW, 17 * MW), found, memory, RULES)
    assert relief_w(wishes, found) > 6 * MW


def test_locked_levers_are_not_used() -> None:
    rules = replace(RULES, levers=frozenset({"loads"}))
    jobs: tuple[JobLever, ...] = tuple(job(n, RUNNING, 100, 5, None, 600) for n in range(10))
    found = Levers(jobs, battery=BatteryLever(0.0, 20 * MW, 6e7))
    wishes, _ = decide(acting(5 * MW, 5 * MW), sight(10 * MW, 10 * MW), found, Memory(), rules)
    assert wishes.nothing
    assert wishes.short_w == pytest.approx(10 * MW - RULES.target_w(5 * MW))


def test_what_the_facility_is_over_no_battery_covers() -> None:
    bank = Levers(battery=BatteryLever(0.0, 20 * MW, 60 * MW))
    wishes, _ = decide(acting(9 * MW, 5 * MW), sight(10 * MW, 10 * MW), bank, Memory(), RULES)
    assert wishes.short_w == pytest.approx(10 * MW - RULES.target_w(9 * MW))
    assert wishes.battery_w
