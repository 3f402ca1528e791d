"""The lower bound: exact where it can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from tests.control.planning.scenes import LIMITS, job_table, period

from igoudar.lab.oracle import bound, grouped

PLAIN = replace(LIMITS, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0, peak_price_per_mw=0.0)


def test_a_job_without_supply_costs_its_own_energy() -> None:
    day = period(job_table([(10, 0, 8, 20)]), np.full(96, 20_000.0 * 1.08))
    assert bound(day, PLAIN).cost == pytest.approx(60.0 * 10_000.0 * 1.08 * 2.0 / 1e6)


def test_a_peak_price_spreads_a_job_over_its_window() -> None:
    day = period(job_table([(10, 0, 8, 8)]), np.full(96, 20_000.0 * 1.08))
    spread = bound(day, replace(PLAIN, peak_price_per_mw=600.0))
    assert spread.import_w.max() == pytest.approx(5_000.0 * 1.08)


def test_charge_that_the_end_lacks_is_paid_with_its_losses() -> None:
    day = period(job_table([(1, 0, 1, 0)]), np.zeros(96))
    cheap = bound(day, replace(PLAIN, battery_wh=200_000.0, battery_w=50_000.0, soc_max_wh=200_000.0))
    assert cheap.cost == pytest.approx(bound(day, PLAIN).cost)  # nothing is won by emptying it


def test_a_deadline_that_no_one_can_keep_does_not_bind() -> None:
    jobs = job_table([(10, 0, 8, 0)])
    late = replace(jobs, deadline_s=jobs.deadline_s - 900.0)
    assert grouped(late, PLAIN, 96).end.tolist() == [96]


def test_an_infeasible_site_gives_way_and_says_by_how_much() -> None:
    day = period(job_table([(60, 0, 8, 0), (60, 0, 8, 0)]), np.zeros(96))
    best = bound(day, PLAIN)
    assert best.over_cap_w.max() == pytest.approx(40_000.0)  # 20 kW urgent + 120 kW of jobs, 100 kW allowed
    assert best.over_cap_w.sum() * 0.25 == pytest.approx(80_000.0)
    assert best.cost == pytest.approx(60.0 * (120_000.0 * 2 + 20_000.0 * 24) * 1.08 / 1e6)


def test_the_bound_moves_no_charge_without_a_reason_and_its_bill_has_no_wear() -> None:
    windy = period(job_table([(10, 0, 8, 20)]), np.full(96, 90_000.0))
    best = bound(windy, replace(LIMITS, peak_price_per_mw=600.0))
    assert np.abs(best.battery_w).max() == pytest.approx(0.0, abs=1.0)
    assert best.cost == pytest.approx(0.0, abs=1e-6)
