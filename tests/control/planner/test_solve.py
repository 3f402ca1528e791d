from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from tests.control.planner.conftest import GPUS, NOW, job, powers

from igoudar.control.planner.ask import Ask, NoPlan, Plan
from igoudar.control.planner.frame import limits, with_ceilings
from igoudar.control.planner.solve import Planner
from igoudar.control.planner.starts import starts
from igoudar.control.planning.policy import Ceiling
from igoudar.core.i18n import codes
from igoudar.core.model import JobState

Make = Callable[..., Ask]


def solved(ask: Ask) -> Plan:
    found = Planner({}).answer(ask)
    assert isinstance(found, Plan), found
    return found


def test_a_plan_balances_every_step_and_keeps_the_limits(ask_of: Make, site: Any) -> None:
    plan = solved(ask_of(*(job(f"job-{n}", gpus=16, due_h=10 + n) for n in range(20))))
    p = plan.powers
    assert all(len(column) == 192 for column in p.values())
    assert np.all(p["import_w"] <= site.grid.import_limit_w + 1)
    assert np.all(np.abs(p["battery_w"]) <= site.battery.power_w + 1)
    assert np.all(p["supply_p10_w"] <= p["supply_p90_w"] + 1)
    assert np.all(plan.gpus <= GPUS + 1e-6)
    given = p["supply_p50_w"] - p["curtailed_w"] + p["import_w"] + p["battery_w"]
    taken = p["urgent_w"] + p["flexible_w"] + p["cooling_w"] + p["drives_w"] + p["export_w"]
    assert np.allclose(given, taken, atol=1e3)


def test_every_waiting_job_has_a_start_before_it_is_late_and_a_reason_that_is_told(ask_of: Make) -> None:
    waiting = [job(f"job-{n}", gpus=16, hours=1 + n % 4, due_h=8 + n) for n in range(20)]
    plan = solved(ask_of(*waiting))
    for one in waiting:
        start = plan.start_of(one.job_id)
        assert start is not None
        assert one.deadline is not None
        assert start + timedelta(seconds=one.expected_s) <= one.deadline
        why = plan.job_reasons[one.job_id]
        assert why.code in codes("en")
        assert why.code in codes("fr")
        assert isinstance(why.params["hour_cost"], float)
    assert {why.code for reasons in plan.step_reasons for why in reasons} <= set(codes("en"))


def test_a_late_job_starts_now_whatever_the_plan_wants(ask_of: Make) -> None:
    plan = solved(ask_of(job("late", hours=3, due_h=1), plant=powers(0.0, 0.0)))
    assert plan.starts["late"] == 0


def test_a_limit_that_gives_way_is_named_with_its_amount(ask_of: Make, site: Any) -> None:
    plant = powers(0.0, 0.0, 2_500e3)  # more urgent load than the grid and the battery may give
    plan = solved(ask_of(plant=plant, soc_pct=10.0))
    (why,) = plan.gave_way
    assert why.code == "planner.gave_way_import_limit"
    over_w = 2_500e3 * 1.1 - site.grid.import_limit_w
    assert over_w - site.battery.power_w <= why.params["power_w"] <= over_w


def test_an_announced_limit_on_import_is_prepared_for_by_the_battery_and_said(
    ask_of: Make, site: Any
) -> None:
    ask = ask_of(plant=powers(0.0, 0.0, 400e3), soc_pct=20.0)
    now_s = ask.view.now_s
    limit = Ceiling("import", now_s + 12 * 3600.0, now_s + 15 * 3600.0, 250e3)  # by night
    plain, held = solved(ask), solved(replace(ask, view=with_ceilings(ask.view, (limit,))))
    assert plain.precharge_w is not None
    assert held.precharge_w is not None
    assert not plain.precharge_w.any()
    assert held.precharge_w[:48].max() > 10e3
    assert not held.precharge_w[48:].any()
    assert held.powers["import_w"][48:60].max() <= 250e3 + 1
    assert plain.powers["import_w"][48:60].max() > 250e3
    (why,) = {why.code for why in held.step_reasons[50]} & {"planner.step_limit_import"}
    assert why in codes("fr")


def test_an_announced_limit_that_no_plan_keeps_is_named_with_its_amount(ask_of: Make) -> None:
    ask = ask_of(plant=powers(0.0, 0.0, 400e3))
    now_s = ask.view.now_s
    limit = Ceiling("facility", now_s + 3600.0, now_s + 2 * 3600.0, 300e3)
    plan = solved(replace(ask, view=with_ceilings(ask.view, (limit,))))
    (why,) = plan.gave_way
    assert why.code == "planner.gave_way_limit_facility"
    assert why.params["power_w"] == pytest.approx(400e3 * 1.1 - 300e3, rel=0.1)
    assert {"planner.gave_way_limit_facility", "planner.gave_way_limit_import"} <= set(codes("fr"))


def test_no_jobs_no_history_and_nothing_known_is_a_plan_with_notes(ask_of: Make) -> None:
    ask = ask_of()
    plan = solved(Ask(ask.view, ask.most, {n: type(r)(r.steps[-1:], 10) for n, r in ask.seen.items()}, 0.0))
    assert {why.code for why in plan.notes} >= {"control.forecast_wind_untaught"}


def test_a_second_question_is_answered_by_the_same_program(ask_of: Make) -> None:
    planner = Planner({})
    first, second = planner.answer(ask_of(job("a"))), planner.answer(ask_of(job("a")))
    assert not isinstance(first, NoPlan)
    assert not isinstance(second, NoPlan)
    assert np.allclose(first.powers["import_w"], second.powers["import_w"], atol=1e3)


def test_starts_hand_out_least_slack_first_and_never_beyond_the_gpus(ask_of: Make) -> None:
    tight, loose = job("tight", gpus=100, due_h=9), job("loose", gpus=100, due_h=30)
    runs = job("runs", gpus=50, state=JobState.RUNNING, started=NOW)
    view = ask_of(loose, runs, tight).view
    begin, used = starts(view, np.full(192, 160.0))
    by_name = {view.jobs.job_id[row]: step for row, step in begin.items()}
    assert by_name["tight"] == 0
    assert by_name["loose"] > 0
    assert used.max() <= 160.0


def test_caps_are_planned_only_where_the_site_lets_the_plan_cap(ask_of: Make, site: Any) -> None:
    waiting = [job(f"job-{n}", gpus=16, hours=6, due_h=30) for n in range(20)]
    ask = ask_of(*waiting, plant=powers(0.0, 0.0, 500e3))
    allowed = limits(replace(site, plan=replace(site.plan, caps=True)), GPUS)
    plain, capped = solved(ask), solved(replace(ask, view=replace(ask.view, limits=allowed)))
    assert plain.saved_w is not None
    assert capped.saved_w is not None
    assert not plain.saved_w.any()
    assert capped.saved_w.max() > 1e3
    share = capped.saved_w / np.maximum(1.0, capped.powers["flexible_w"] + capped.saved_w)
    assert share.max() <= 0.15 / 0.78 + 1e-3  # 85 % of full power, of what is above the idle draw


def test_caps_that_may_not_go_below_full_power_leave_the_plan_without_any(ask_of: Make, site: Any) -> None:
    full = replace(site.emergency, cap_least_ratio=1.0)
    allowed = limits(replace(site, plan=replace(site.plan, caps=True), emergency=full), GPUS)
    ask = ask_of(job("job-1"))
    plan = solved(replace(ask, view=replace(ask.view, limits=allowed)))
    assert plan.saved_w is not None
    assert not plan.saved_w.any()


def test_an_announced_limit_falls_on_its_own_quarter_hours_whenever_the_plan_is_made(ask_of: Make) -> None:
    ask = ask_of(plant=powers(0.0, 0.0, 400e3))
    into_s = 600.0  # of the quarter-hour
    now_s = ask.view.now_s - ask.view.now_s % 900.0 + into_s
    time = ask.view.time + timedelta(seconds=now_s - ask.view.now_s)
    limit = Ceiling("facility", now_s - into_s + 2 * 900.0, now_s - into_s + 3 * 900.0, 300e3)
    late = with_ceilings(replace(ask.view, now_s=now_s, time=time), (limit,))
    reasons = solved(replace(ask, view=late)).step_reasons
    told = [step for step, whys in enumerate(reasons) if any("step_limit" in why.code for why in whys)]
    assert told == [2]


def test_full_gpus_are_a_reason_though_caps_keep_their_power_down(ask_of: Make, site: Any) -> None:
    waiting = [job(f"job-{n}", gpus=16, hours=6, due_h=13) for n in range(40)]
    ask = ask_of(*waiting, plant=powers(0.0, 0.0, 200e3))
    allowed = limits(replace(site, plan=replace(site.plan, caps=True)), GPUS)
    plan = solved(replace(ask, view=replace(ask.view, limits=allowed)))
    assert plan.saved_w is not None
    full = plan.gpus >= 0.999 * GPUS
    assert (full & (plan.saved_w > 1e3)).any()
    told = [any(why.code == "planner.step_gpus" for why in reasons) for reasons in plan.step_reasons]
    assert told == full.tolist()


def test_caps_are_no_reason_where_no_job_runs(ask_of: Make, site: Any) -> None:
    waiting = [job(f"job-{n}", gpus=16, hours=6, due_h=30) for n in range(20)]
    ask = ask_of(*waiting, plant=powers(0.0, 0.0, 2_500e3))  # urgent load leaves no room under the cap
    allowed = limits(replace(site, plan=replace(site.plan, caps=True)), GPUS)
    plan = solved(replace(ask, view=replace(ask.view, limits=allowed)))
    assert not plan.powers["flexible_w"].any()
    assert not any(why.code == "planner.step_caps" for reasons in plan.step_reasons for why in reasons)
