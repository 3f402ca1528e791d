import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.control.planning.scenes import job_table
from tests.control.planning.views import view

from igoudar.control.planning.headroom import HORIZON_STEPS
from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.urgency import forced, lost, needed_gpus, needed_work, slack_s, waits_s

Row = tuple[int, int, int, int]
JOBS = st.lists(
    st.tuples(st.integers(1, 40), st.just(0), st.integers(1, 16), st.integers(0, 40)), min_size=1, max_size=12
)


def test_nothing_is_needed_now_of_what_finds_room_later() -> None:
    scene = view(job_table([(40, 0, 4, 20), (40, 0, 4, 20)]))
    assert needed_gpus(scene, scene.active) == 0


def test_what_finds_no_room_later_is_needed_now() -> None:
    """Three gangs of 40 are 160 GPU steps over the 80 that may be claimed; each step before takes 80."""
    for slack, needed in ((3, 0), (2, 80)):
        scene = view(job_table([(40, 0, 4, slack)] * 3))
        assert needed_gpus(scene, scene.active) == needed


def test_headroom_that_shrinks_makes_work_needed_now() -> None:
    scene = view(job_table([(60, 0, 4, 8)]))
    evening = np.concatenate([[100.0], np.full(HORIZON_STEPS - 1, 20.0)])
    assert needed_gpus(scene, scene.active) == 0
    assert needed_gpus(scene, scene.active, evening) == 64


def test_of_far_off_hours_known_jobs_may_claim_less() -> None:
    """80 GPUs may be claimed for half a day on end, not for a whole one."""
    near, far = (view(job_table([(20, 0, steps, 6)] * 4)) for steps in (42, 90))
    assert needed_gpus(near, near.active) == 0
    assert needed_gpus(far, far.active) == 70


@given(rows=JOBS)
def test_forced_jobs_are_needed_and_less_headroom_needs_no_less(
    rows: list[tuple[int, int, int, int]],
) -> None:
    scene = view(job_table(rows))
    must = int(scene.jobs.gpus[forced(scene, scene.active)].sum())
    wide, tight = np.full(HORIZON_STEPS, 100.0), np.full(HORIZON_STEPS, 50.0)
    assert must <= needed_gpus(scene, scene.active, wide) <= needed_gpus(scene, scene.active, tight)


def test_a_job_is_lost_when_running_at_once_would_not_keep_its_deadline() -> None:
    scene = view(job_table([(1, 0, 4, 0), (1, 0, 4, 1)]), step=1)
    assert scene.now_s == STEP_S
    assert lost(scene, scene.active).tolist() == [True, False]


@given(rows=JOBS)
def test_the_work_needed_begins_with_the_gpus_needed_now(rows: list[tuple[int, int, int, int]]) -> None:
    scene = view(job_table(rows))
    needed = needed_work(scene, scene.active, np.array([0, HORIZON_STEPS - 1]))
    assert int(np.ceil(needed[0] - 1e-6)) == needed_gpus(scene, scene.active)
    assert needed[-1] <= scene.jobs.gpus @ scene.jobs.duration_s / STEP_S + 1e-6


def test_work_is_needed_before_the_step_that_is_overfull() -> None:
    """Three gangs of 40, from step 3 on at the latest: 160 GPU steps too many, 80 in each step before."""
    scene = view(job_table([(40, 0, 4, 3)] * 3))
    assert needed_work(scene, scene.active, np.arange(8)).tolist() == [0, 80, 160, 240, 320, 400, 480, 480]


def test_a_big_gang_must_start_while_the_cap_still_carries_it() -> None:
    """Four steps of work and ten of slack; there are 60 GPUs for the next eight steps only, then 40."""
    scene = view(job_table([(50, 0, 4, 10), (40, 0, 4, 10), (70, 0, 4, 10)]))
    ahead = np.where(np.arange(HORIZON_STEPS) < 8, 60.0, 40.0)
    assert (waits_s(scene, scene.active, ahead) / STEP_S).tolist() == [4, 10, 10]


@given(rows=JOBS, ahead=st.lists(st.integers(0, 50), min_size=60, max_size=60))
def test_a_gang_that_waits_no_longer_than_it_may_finds_room_if_there_is_any(
    rows: list[tuple[int, int, int, int]], ahead: list[int]
) -> None:
    scene = view(job_table(rows))
    gpus = np.array(ahead, np.float64)
    waits, slack = waits_s(scene, scene.active, gpus), slack_s(scene, scene.active)
    lengths = (scene.jobs.duration_s // STEP_S).astype(int)
    for row, length, wait, most in zip(scene.jobs.gpus, lengths, waits, slack, strict=True):
        assert wait <= most
        if wait < most:
            first = int(wait // STEP_S)
            assert gpus[first : first + length].min() >= row
