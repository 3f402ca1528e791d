"""The reference with everything known: gangs can follow it, and the best of its candidates counts."""

from dataclasses import replace

import numpy as np
import pytest
from tests.control.planning.scenes import LIMITS, job_table, period

from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.policy import Ceiling
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import Played, play
from igoudar.lab.events import Announced
from igoudar.lab.foresight import Foresight
from igoudar.lab.oracle import bound
from igoudar.lab.periods import Period
from igoudar.lab.reachable import Following, best_known, billed, reachable, with_reserve

GUSTY = period(
    job_table([(10, step, 8, 24) for step in range(0, 40, 4)]),
    np.repeat([70_000.0, 20_000.0, 20_000.0, 90_000.0, 10_000.0, 40_000.0], 16),
)


def test_a_reserve_brings_deadlines_forward_by_a_part_of_the_slack_only() -> None:
    late, tight, loose = (job_table([(1, 0, 8, slack)]) for slack in (0, 2, 40))
    late = replace(late, deadline_s=late.deadline_s - 900.0)
    for jobs, earlier_s in ((late, 0.0), (tight, 2 * 900.0), (loose, 0.3 * 40 * 900.0)):
        moved = with_reserve(period(jobs, np.zeros(96)), 0.7).jobs
        assert jobs.deadline_s - moved.deadline_s == pytest.approx([earlier_s])


def test_gangs_follow_the_bound_where_they_can() -> None:
    day = period(job_table([(10, 0, 8, 60)]), np.repeat([20_000.0 * 1.08, 100_000.0], 48))
    best = bound(day, LIMITS)
    played = reachable(day, LIMITS)
    assert best.cost <= billed(played.site, LIMITS) + 1e-6
    assert played.fleet is not None
    assert played.fleet.first_start_s[0] >= 48 * 900.0  # when the wind is there


def test_the_best_of_the_candidates_counts() -> None:
    cost = billed(best_known(GUSTY, LIMITS).site, LIMITS)
    assert bound(GUSTY, LIMITS).cost - 1e-6 <= cost <= min(_planned(GUSTY), _followed(GUSTY)) + 1e-6
    assert cost <= billed(reachable(GUSTY, LIMITS).site, LIMITS) + 1e-6


def test_who_keeps_an_announced_limit_better_counts_before_who_is_cheaper() -> None:
    room, limit = replace(LIMITS, ceilings=True), Ceiling("facility", 60 * 900.0, 84 * 900.0, 25e3)
    day = replace(GUSTY, limits=(Announced(limit, 0.0),))
    plan = bound(with_reserve(day, 0.5), room)
    followed = play(day, room, Following(day, room, plan))
    assert _above_wh(followed, limit) > 0.0
    assert _above_wh(best_known(day, room), limit) <= _above_wh(followed, limit) + 500.0


def _above_wh(played: Played, limit: Ceiling) -> float:
    site = played.site
    inside = slice(int(limit.start_s // 900), int(limit.end_s // 900))
    load_w = (site["urgent_w"] + site["flexible_w"] + site["cooling_w"])[inside]
    return float(np.maximum(0.0, load_w - limit.limit_w).sum()) / 4.0


def _planned(day: Period) -> float:
    knowing = Rolling(LIMITS, knowledge=Foresight(day), grid=Grid.of(horizon_h=day.end_s / 3600.0))
    return billed(play(day, LIMITS, knowing).site, LIMITS)


def _followed(day: Period) -> float:
    plan = bound(with_reserve(day, 0.7), LIMITS)
    return billed(play(day, LIMITS, Following(day, LIMITS, plan)).site, LIMITS)
