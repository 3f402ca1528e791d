"""Lesson 25: a passing cloud moves nothing; thresholds up and down that can't cross; delays, not spikes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.dispatch import (
    DOWN_SHARE,
    SUSTAINED,
    UP_SHARE,
    Guidance,
    Steady,
    dispatch,
)
from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.requests import JobRequest, Margins, Supply, Verb
from igoudar.control.planning.rolling import Rolling
from igoudar.lab.engine import play
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
GPUS, MARGINS = 512, Margins()
JOB = JobRequest("a", 8, 50e3, T0, 3600.0, T0 + timedelta(hours=20), begin_at=T0 + timedelta(hours=10))
FLICKER = st.lists(st.booleans(), min_size=5, max_size=60)


def supply(surplus_w: float, minute: int) -> Supply:
    return Supply(T0 + timedelta(minutes=minute), surplus_w, GPUS, GPUS)


@given(FLICKER)
def test_lesson_25_nothing_starts_on_surplus_that_has_not_lasted(sunny: list[bool]) -> None:
    steady, last_dark = Steady(), timedelta()
    for minute, sun in enumerate([False, *sunny]):
        (decision,), steady = dispatch(supply(90e3 if sun else 0.0, minute), [], [JOB], MARGINS, None, steady)
        last_dark = last_dark if sun else timedelta(minutes=minute)
        if decision.verb is Verb.START:
            assert timedelta(minutes=minute) - last_dark > SUSTAINED


@given(st.lists(st.floats(100 - 0.045 * GPUS, 100 - 0.025 * GPUS), min_size=2, max_size=30), st.booleans())
def test_lesson_25_a_plan_that_wavers_between_the_thresholds_changes_nothing(
    plans: list[float], holding: bool
) -> None:
    assert UP_SHARE < DOWN_SHARE
    steady = Steady(holding=holding)
    for minute, gpus in enumerate(plans):
        _, steady = dispatch(supply(0.0, minute), [], [JOB], MARGINS, Guidance(gpus, 100), steady)
        assert steady.holding is holding


@pytest.mark.parametrize("clouds", [1, 3])
def test_lesson_25_a_cloud_of_a_quarter_hour_stops_no_job(clouds: int) -> None:
    sun = np.full(STEPS, 90_000.0)
    sun[20 : 20 + 8 * clouds : 8] = 25_000.0
    jobs = job_table([(10, step, 24, 12) for step in range(0, 40, 8)])
    day = period(jobs, sun)
    played = play(day, LIMITS, Rolling(LIMITS), knows(day))
    assert played.fleet is not None
    assert int(played.fleet.stops.sum()) == 0


def test_lesson_25_without_a_battery_clouds_stop_each_job_once_an_hour_at_most() -> None:
    bare = replace(LIMITS, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0)
    sun = np.tile([90_000.0, 20_000.0], STEPS // 2)
    jobs = job_table([(20, 0, 24, 60), (20, 0, 16, 70)])
    played = play(period(jobs, sun), bare, Rolling(bare), knows(period(jobs, sun)))
    assert played.fleet is not None
    assert (played.fleet.stops <= jobs.duration_s / jobs.min_run_s).all()
    assert jobs.min_run_s.min() > STEP_S
