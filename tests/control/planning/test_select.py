from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.control.planning.scenes import job_table
from tests.control.planning.views import view

from igoudar.control.planning.headroom import HORIZON_STEPS
from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.select import choose
from igoudar.control.planning.table import Phase


def test_a_lost_job_does_not_take_the_gpus_of_one_that_can_be_kept() -> None:
    """At the second step the first job can't be kept any more, the other one just can; only one fits."""
    scene = view(job_table([(60, 0, 8, 0), (60, 0, 8, 1)]), step=1)
    assert choose(scene, 0.0).tolist() == [1]


def test_a_lost_job_still_runs_at_once_where_there_is_room() -> None:
    scene = view(job_table([(40, 0, 8, 0), (60, 0, 8, 1)]), step=1)
    assert sorted(choose(scene, 0.0).tolist()) == [0, 1]


def test_jobs_run_without_surplus_before_the_cap_falls() -> None:
    scene = view(job_table([(30, 0, 4, 8)] * 2))
    evening = np.concatenate([np.full(2, 100.0), np.full(HORIZON_STEPS - 2, 10.0)])
    assert choose(scene, 0.0).tolist() == []
    assert choose(scene, 0.0, ahead=evening).tolist() == [0, 1]


def test_who_starts_early_leaves_room_for_a_gang_that_is_due_within_its_minimum_run() -> None:
    """The gang of 60 must start in two steps: a start of 50 would still be locked then, 30 leave it room."""
    for early, chosen in ((50, []), (30, [1])):
        scene = view(job_table([(60, 0, 8, 2), (early, 0, 4, 40)]))
        assert choose(scene, 55.0).tolist() == chosen


def test_a_gang_that_is_due_later_holds_nobody_up() -> None:
    scene = view(job_table([(60, 0, 8, 5), (50, 0, 4, 40)]))
    assert choose(scene, 55.0).tolist() == [1]


def test_what_runs_and_could_be_stopped_takes_no_room_from_what_is_due_soon() -> None:
    scene = view(job_table([(80, 0, 8, 6), (30, 0, 8, 40), (20, 0, 4, 40)]), step=4)
    scene.fleet.phase[1], scene.fleet.since_s[1] = Phase.RUNNING, 0.0
    assert sorted(choose(scene, 65.0).tolist()) == [1, 2]


def test_all_of_the_cap_is_used_where_no_burst_came() -> None:
    """Ten gangs of 10 lack a step: all start now, unless a job without slack came an hour ago."""
    crowd = [(10, 0, 20, 4)] * 20
    calm = view(job_table(crowd), end_s=96 * STEP_S)
    burst = view(job_table([(20, 0, 1, 0), *crowd]), end_s=96 * STEP_S)
    burst = replace(burst, active=np.arange(1, 21))
    assert len(choose(calm, 0.0)) == 10
    assert len(choose(burst, 0.0)) == 9


ROWS = st.lists(
    st.tuples(st.integers(1, 70), st.just(0), st.integers(1, 12), st.integers(1, 40)), min_size=1, max_size=10
)


@given(rows=ROWS, wanted=st.floats(0.0, 120.0))
def test_starts_fit_under_the_cap_beside_all_that_is_due_soon(
    rows: list[tuple[int, int, int, int]], wanted: float
) -> None:
    """One minimum run is four steps; whoever starts with more slack than that leaves room for the others."""
    scene = view(job_table(rows))
    run = choose(scene, wanted)
    gpus, slack = scene.jobs.gpus, np.array([row[3] for row in rows])
    soon = (slack >= 1) & (slack < 4)
    early = run[slack[run] >= 4]
    assert gpus[run].sum() <= 100
    if len(early) and soon.any():
        assert gpus[soon].sum() + gpus[early].sum() <= 100
