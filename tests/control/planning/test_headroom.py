from dataclasses import replace

import numpy as np
from tests.control.planning.scenes import job_table
from tests.control.planning.views import view

from igoudar.control.planning.headroom import DAY_STEPS, HORIZON_STEPS, LastDay, headroom
from igoudar.control.planning.policy import Band, Forecast

JOB = job_table([(1, 0, 1, 0)])


def test_room_follows_the_forecast_and_then_its_last_day() -> None:
    urgent = Band(*(np.concatenate([np.full(DAY_STEPS, 20_000.0), np.full(DAY_STEPS, 40_000.0)]),) * 3)
    flat = np.zeros(2 * DAY_STEPS)
    told = Forecast(0.0, Band(flat, flat, flat), Band(flat, flat, flat), urgent, flat, flat + 1.08)
    gpus = headroom(replace(view(JOB, urgent_w=30_000.0), forecast=told))
    assert gpus.shape == (HORIZON_STEPS,)
    assert gpus[0] == 70.0, "the present is known"
    assert set(gpus[1:DAY_STEPS]) == {80.0}
    assert set(gpus[DAY_STEPS:]) == {60.0}


def test_room_without_a_forecast_is_as_now() -> None:
    assert set(headroom(view(JOB, urgent_w=30_000.0))) == {70.0}


def test_the_last_day_comes_again_and_before_it_is_seen_its_worst() -> None:
    lately = LastDay()
    for step in range(DAY_STEPS - 1):
        gpus = lately.headroom(view(JOB, step=step, urgent_w=60_000.0 if step == 10 else 20_000.0))
    assert gpus[0] == 80.0
    assert set(gpus[1:]) == {40.0}
    gpus = lately.headroom(view(JOB, step=DAY_STEPS - 1, urgent_w=20_000.0))
    assert np.flatnonzero(gpus == 40.0).tolist() == [11 + DAY_STEPS * day for day in range(7)]
