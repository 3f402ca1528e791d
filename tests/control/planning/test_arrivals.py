from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.planning.scenes import job_table
from tests.control.planning.views import view

from igoudar.control.planning.arrivals import burst_gpus, to_come
from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.urgency import needed_gpus

STEPS = 200
JOBS = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 48), st.integers(1, 16), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)


def test_what_came_evenly_comes_again_after_its_slack() -> None:
    """A gang of 8 each hour, 4 steps of work and 6 of slack: spread over three days."""
    scene = view(job_table([(8, 4 * hour, 4, 6) for hour in range(12)]), step=48, end_s=STEPS * STEP_S)
    load = to_come(scene, STEPS)
    assert load[5] == 0.0
    assert load[12:140] == pytest.approx(8.0 / 6)


def test_what_comes_last_is_due_by_the_end_of_the_period() -> None:
    """Long slack does not reach beyond it: all that would still end inside runs just before it."""
    scene = view(job_table([(8, 0, 4, 80)]), step=48, end_s=80 * STEP_S)
    load = to_come(scene, STEPS)
    assert load[:28] == pytest.approx(0.0)
    assert load[28:32] == pytest.approx(28 * 8 / 288), "the steps in which it may come, at one in 288"
    assert load[32:] == pytest.approx(0.0)


def test_before_anything_came_nothing_is_expected() -> None:
    scene = view(job_table([(8, 5, 4, 6)]), end_s=STEPS * STEP_S)
    assert to_come(scene, STEPS) == pytest.approx(0.0)


@given(rows=JOBS, end=st.integers(49, 180))
def test_the_work_to_come_is_what_can_still_end_inside(
    rows: list[tuple[int, int, int, int]], end: int
) -> None:
    scene = view(job_table(rows), step=48, end_s=end * STEP_S)
    load = to_come(scene, STEPS)
    length = np.ceil(scene.jobs.longest_s / STEP_S)
    work = scene.jobs.gpus * length * np.maximum(0, end - 48 - length) / 288
    assert load.min() >= -1e-9
    assert float(load.sum()) == pytest.approx(float(work.sum()))


def test_jobs_to_come_make_work_needed_now() -> None:
    """A busy half day behind: what waits must not wait for a time that those to come will fill."""
    scene = view(job_table([(100, 0, 3, 20) for step in range(96)] + [(60, 40, 20, 24)]), step=48)
    scene = replace(scene, active=np.array([len(scene.jobs) - 1]))
    busy = replace(scene, period_end_s=STEPS * STEP_S)
    assert needed_gpus(scene, scene.active) == 0
    assert needed_gpus(busy, busy.active) > 0


def test_a_burst_is_the_worst_hour_of_jobs_without_slack() -> None:
    """Two gangs of 8 in one hour; one of 30 can wait, one of 40 lacks slack only by the period's end."""
    rows = [(8, 0, 4, 0), (8, 1, 4, 1), (30, 1, 4, 9), (5, 5, 4, 0), (40, 6, 4, 88)]
    scene = view(job_table(rows), step=8, end_s=96 * STEP_S)
    assert burst_gpus(scene) == 16.0
    scene.jobs.deadline_s[-1] = 11 * STEP_S
    assert burst_gpus(scene) == 45.0
    assert burst_gpus(replace(scene, period_end_s=11 * STEP_S)) == 16.0
    assert burst_gpus(replace(scene, now_s=0.0)) == 8.0
