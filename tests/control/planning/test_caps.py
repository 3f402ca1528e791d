"""Capped power: the curve in the program, in the orders and on the plant; nothing of it unless allowed."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.control.planning.kept import Kept, rows_of_a_day
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period
from tests.control.planning.views import view

from igoudar.control.planning.caps import lowered
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.segments import CapSegments, cap_curve, segments
from igoudar.control.planning.policy import STEP_S, Limits, Orders, View
from igoudar.control.planning.rolling import Rolling
from igoudar.control.planning.table import Phase
from igoudar.core.errors import CommandError
from igoudar.core.throughput import throughput_of_dynamic
from igoudar.lab.engine import Played, play
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period

CURVE = cap_curve(0.85)
CAPPED = replace(LIMITS, cap_curve=CURVE)
PLAIN = replace(LIMITS, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0, peak_price_per_mw=0.0)


class Fixed:
    """Everything at one cap."""

    name = "fixed"

    def __init__(self, ratio: float) -> None:
        self.ratio = ratio

    def decide(self, view: View) -> Orders:
        return Orders(view.active, power_ratio=np.full(len(view.active), self.ratio))


def day_of(rows: list[tuple[int, int, int, int]], hourly_w: list[int]) -> Period:
    inside = [row for row in rows if row[1] + row[2] <= STEPS] or [(1, 0, 1, 0)]
    return period(job_table(inside), np.repeat(np.array(hourly_w, float), 4))


def cost(played: Played, limits: Limits) -> float:
    imported = played.site["import_w"]
    missing_wh = max(0.0, 0.5 * limits.battery_wh - played.site["soc_wh"][-1]) / limits.efficiency
    energy_mwh = (float(imported.sum()) / 4.0 + missing_wh) / 1e6
    return limits.price_per_mwh * energy_mwh + limits.peak_price_per_mw * float(imported.max()) / 1e6


def test_the_curve_is_the_sites_and_only_what_saves_more_than_stopping_is_a_segment() -> None:
    assert np.allclose(CURVE, ((0.85, 0.9), (1.0, 1.0)))
    assert segments(cap_curve(0.5)) == [(pytest.approx(0.15), pytest.approx(2 / 3))]
    dynamic = cap_curve(0.85, above_idle=True)
    for share, work in dynamic:
        assert throughput_of_dynamic(share) == pytest.approx(work)


@pytest.mark.parametrize("least", [0.05, 0.22, 0.5])
def test_a_least_cap_below_the_useful_part_of_the_curve_gives_no_free_power(least: float) -> None:
    for above_idle in (False, True):
        curve = cap_curve(least, above_idle=above_idle)
        assert curve[0][0] >= 0.0
        (useful,) = segments(curve)
        assert useful == pytest.approx(segments(cap_curve(0.85, above_idle=above_idle))[0])


@pytest.mark.parametrize("least", [0.05, 0.5])
def test_few_jobs_with_slack_are_capped_no_lower_than_is_worth_it(least: float) -> None:
    limits = replace(LIMITS, cap_curve=cap_curve(least))
    patient = replace(view(job_table([(10, 0, 8, 40), (10, 0, 8, 1)])), limits=limits)
    orders = lowered(patient, Orders(patient.active), 9e3)
    assert orders.power_ratio is not None
    assert orders.power_ratio.tolist() == pytest.approx([0.85, 1.0])


def test_a_least_cap_of_full_power_is_no_cap() -> None:
    assert PlanModel(replace(LIMITS, cap_curve=cap_curve(1.0)), Grid.of(), 3).terms == ()


def test_without_caps_the_program_is_the_plain_one() -> None:
    plain, capped = PlanModel(LIMITS, Grid.of(), 3), PlanModel(CAPPED, Grid.of(), 3)
    assert plain.terms == ()
    assert np.array_equal(plain.columns.missing, capped.columns.missing)
    assert capped.size > plain.size


def test_a_capped_job_does_its_work_slower_and_with_less_energy() -> None:
    day = day_of([(10, 0, 9, 40)], [0] * 24)
    full, slow = (play(day, replace(PLAIN, cap_curve=CURVE), Fixed(ratio)) for ratio in (1.0, 0.85))
    assert full.fleet is not None
    assert slow.fleet is not None
    assert slow.fleet.finished_s[0] == pytest.approx(full.fleet.finished_s[0] / 0.9)
    energy = [float(played.site["flexible_w"].sum()) for played in (full, slow)]
    assert energy[1] == pytest.approx(energy[0] * 0.85 / 0.9)


@pytest.mark.parametrize(("limits", "ratio"), [(PLAIN, 0.9), (CAPPED, 0.8), (CAPPED, 1.1)])
def test_a_cap_that_may_not_be_is_refused(limits: Limits, ratio: float) -> None:
    with pytest.raises(CommandError, match="capped where none may be"):
        play(day_of([(10, 0, 9, 40)], [0] * 24), limits, Fixed(ratio))


def test_caps_save_energy_that_would_be_imported_and_none_on_surplus() -> None:
    limits = replace(PLAIN, peak_price_per_mw=600.0)
    rows = [(10, 4 * n, 8, 40) for n in range(10)]
    for hourly_w, saves in (([0] * 24, True), ([150_000] * 24, False)):
        day = day_of(rows, hourly_w)
        policy = Kept(replace(limits, cap_curve=CURVE))
        capped, plain = (
            play(day, policy._model.limits, policy, knows(day)),
            play(day, limits, Rolling(limits), knows(day)),
        )
        assert capped.fleet is not None
        assert (capped.fleet.finished_s <= day.jobs.deadline_s + 1e-6).all()
        was_capped = any(o.power_ratio is not None and o.power_ratio.min() < 1.0 for o in policy.orders)
        assert was_capped is saves
        if saves:
            assert cost(capped, limits) < cost(plain, limits)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows_of_a_day, st.lists(st.integers(0, 120_000), min_size=24, max_size=24))
def test_energy_work_and_caps_are_kept_and_no_capped_policy_beats_the_bound(
    rows: list[tuple[int, int, int, int]], hourly_w: list[int]
) -> None:
    day = day_of(rows, hourly_w)
    best = bound(day, CAPPED)
    policy = Kept(CAPPED)
    everything = [Fixed(0.85)] if day.jobs.gpus.sum() <= 80 else []  # they fit together
    for one in (policy, *everything):
        played = play(day, CAPPED, one, knows(day))
        check_site(played)
        late = played.fleet is not None and (played.fleet.finished_s > day.jobs.deadline_s + 1e-6).any()
        assert late or best.cost <= cost(played, CAPPED) + 1e-6
    assert best.cost <= bound(day, LIMITS).cost + 1e-6
    check_work(day, played=play(day, CAPPED, Kept(CAPPED), knows(day)))
    check_plans(policy)


def check_site(played: Played) -> None:
    site = played.site
    came = site["pv_w"] + site["wind_w"] - site["curtailed_w"] + site["import_w"] + site["battery_w"]
    went = site["urgent_w"] + site["flexible_w"] + site["cooling_w"] + site["export_w"]
    assert came == pytest.approx(went, abs=1e-3)
    flexible = np.array([power.sum() for power in played.schedule_power_w])
    assert flexible == pytest.approx(site["flexible_w"], abs=1e-6)


def check_work(day: Period, played: Played) -> None:
    """A job's energy lies between its work at the lowest cap and at full power, its stops' included."""
    fleet = played.fleet
    assert fleet is not None
    row = np.concatenate(played.schedule_row)
    energy = np.bincount(row, np.concatenate(played.schedule_power_w), len(day.jobs)) * STEP_S
    whole = day.jobs.gpus * LIMITS.gpu_w * day.jobs.duration_s
    done = (fleet.phase == Phase.DONE) & (fleet.stops == 0)
    assert (energy[done] <= whole[done] + 1e-3).all()
    assert (energy[done] >= whole[done] * 0.85 / 0.9 - 1e-3).all()


def check_plans(policy: Kept) -> None:
    """In every course and slot: what is saved is inside the curve, and work is power and what caps regain."""
    model = policy._model
    (term,) = (term for term in model.terms if isinstance(term, CapSegments))
    ((width, loss),) = term.parts
    for solved in policy.solved[::12]:
        for course in range(model.courses):
            flexible = solved.value[model.columns.flexible[course]]
            late = solved.value[model.columns.late[course]]
            saved = solved.value[term.saved[course, 0]]
            assert (saved <= width * (flexible + saved) + 1e-6).all()
            done = np.diff(solved.value[model.columns.work[course]].sum(axis=0), prepend=0.0)
            assert done / model.grid.hours == pytest.approx(flexible + late + (1 - loss) * saved, abs=1e-6)
