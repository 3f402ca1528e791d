"""Lesson 24: replanning keeps what runs running, minimum times hold, and a plan does start in the end."""

from collections.abc import Callable
from itertools import groupby

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igoudar.control.planning.policy import STEP_S, Band, Forecast, Orders, View
from igoudar.control.planning.rolling import Rolling
from igoudar.control.planning.select import PAUSE_S
from igoudar.control.planning.table import Booleans, Fleet
from igoudar.control.planning.urgency import forced
from igoudar.lab.engine import Played, play
from igoudar.lab.periods import Period
from tests.control.planning.scenes import LIMITS, STEPS, job_table, knows, period

MIN_RUN_STEPS, PAUSE_STEPS = 4, int(PAUSE_S / STEP_S)
JOBS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 40), st.integers(1, 16), st.integers(0, 30)),
    min_size=1,
    max_size=10,
)
SUPPLY = st.lists(st.integers(0, 120_000), min_size=24, max_size=24)


class Watched:
    """Rolling, and who had to run at each step."""

    name = "rolling"

    def __init__(self) -> None:
        self._rolling, self.forced = Rolling(LIMITS), np.zeros((0, 0), np.bool_)

    def decide(self, view: View) -> Orders:
        if not len(self.forced):
            self.forced = np.zeros((len(view.jobs), STEPS), np.bool_)
        self.forced[view.active, view.step] = forced(view, view.active)
        return self._rolling.decide(view)


def runs_of(played: Played) -> Booleans:
    """Who ran in which step, (job, step)."""
    found = np.zeros((len(fleet_of(played).stops), STEPS), np.bool_)
    for step, rows in enumerate(played.schedule_row):
        found[rows, step] = True
    return found


def fleet_of(played: Played) -> Fleet:
    assert played.fleet is not None
    return played.fleet


def wavering(day: Period, low: float, high: float) -> Callable[[int], Forecast]:
    """A forecast that changes its mind at every step."""
    steady = knows(day)

    def issue(step: int) -> Forecast:
        told = steady(step)
        wind = told.wind.p50_w * (low if step % 2 else high)
        return Forecast(
            told.issued_s, told.pv, Band(wind, wind, wind), told.urgent, told.arrivals_gpu_s, told.pue
        )

    return issue


def test_lesson_24_replanning_at_every_step_does_not_start_stop_running_work() -> None:
    day = period(job_table([(20, 0, 24, 40), (20, 4, 20, 30), (10, 10, 30, 20)]), np.full(STEPS, 90_000.0))
    played = play(day, LIMITS, Rolling(LIMITS), wavering(day, 0.3, 1.5))
    assert fleet_of(played).stops.tolist() == [0, 0, 0]
    for ran in runs_of(played):
        assert sum(on for on, _ in groupby(ran)) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=JOBS, hourly_w=SUPPLY)
def test_lesson_24_minimum_on_and_off_times_hold(
    rows: list[tuple[int, int, int, int]], hourly_w: list[int]
) -> None:
    inside = [row for row in rows if row[1] + row[2] <= STEPS]
    day = period(job_table(inside or [(1, 0, 1, 0)]), np.repeat(np.array(hourly_w, float), 4))
    policy = Watched()
    played = play(day, LIMITS, policy, wavering(day, 0.2, 1.8))
    for row, ran in enumerate(runs_of(played)):
        _blocks_hold(ran, policy.forced[row])


def _blocks_hold(ran: Booleans, forced_at: Booleans) -> None:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], ran, [False]]).astype(int)))
    starts, ends = edges[::2], edges[1::2]
    assert (ends[:-1] - starts[:-1] >= MIN_RUN_STEPS).all()  # the last block ends with the job
    for resumed, stopped in zip(starts[1:], ends[:-1], strict=True):
        assert resumed - stopped >= PAUSE_STEPS or forced_at[resumed]


@pytest.mark.parametrize("promised_w", [0.0, 100_000.0])
def test_lesson_24_a_plan_does_start_in_the_end(promised_w: float) -> None:
    """Wind that is always forecast for the next hour and never comes does not make a job late."""
    day = period(job_table([(30, 0, 8, 40), (10, 8, 4, 60)]), np.zeros(STEPS))
    steady = knows(day)

    def promising(step: int) -> Forecast:
        told = steady(step)
        wind = np.where(np.arange(192) < 4, 0.0, promised_w)
        return Forecast(
            told.issued_s, told.pv, Band(wind, wind, wind), told.urgent, told.arrivals_gpu_s, told.pue
        )

    fleet = fleet_of(play(day, LIMITS, Rolling(LIMITS), promising))
    assert (fleet.finished_s <= day.jobs.deadline_s).all()
