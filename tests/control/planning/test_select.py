import numpy as np
from tests.control.planning.scenes import job_table
from tests.control.planning.views import view

from igoudar.control.planning.headroom import HORIZON_STEPS
from igoudar.control.planning.select import choose


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
