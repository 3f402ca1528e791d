"""The queue: order, gangs, exact ends, work that is neither lost nor made."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.errors import CommandError
from igoudar.core.model import Job, JobState
from igoudar.simulators.plant.cluster import STOP_COST_S, Cluster

START = datetime(2025, 1, 6, tzinfo=UTC)
HOUR = timedelta(hours=1)


def job(name: str, gpus: int = 8, length_s: float = 3600.0, at: datetime = START, **more: object) -> Job:
    return Job(name, "ada", gpus, at, length_s, **more)  # type: ignore[arg-type]


def cluster(*free: int) -> Cluster:
    made = Cluster(np.array(free or (16, 16)), seed=3)
    made.now_s = START.timestamp()
    return made


def run_until(made: Cluster, until: datetime) -> None:
    made.advance(made.now_s)
    while made.next_event_s() <= until.timestamp():
        made.advance(made.next_event_s())
    made.advance(until.timestamp())


def test_starts_in_order_of_submission_and_the_first_that_does_not_fit_blocks() -> None:
    made = cluster()
    made.advance(made.now_s, [job("a", 24), job("b", 16), job("c", 4)])
    assert [r.job.job_id for r in made.list() if r.state is JobState.RUNNING] == ["a"]
    run_until(made, START + HOUR)
    assert {r.job.job_id for r in made.list() if r.state is JobState.RUNNING} == {"b", "c"}


def test_ends_at_its_exact_time_whatever_the_steps() -> None:
    made = cluster()
    made.advance(made.now_s, [job("a", length_s=1234.5)])
    run_until(made, START + HOUR)
    assert made.get("a").finished == START + timedelta(seconds=1234.5)
    assert made.work_gpu_s() == 8 * 1234.5


def test_a_gang_stays_in_one_rack_when_one_holds_it_and_spreads_otherwise() -> None:
    made = cluster(16, 10, 16)
    made.advance(made.now_s, [job("small", 9), job("large", 30)])
    assert made.get("small").placed == {1: 9}
    assert sum(made.get("large").placed.values()) == 30


def test_a_held_job_waits_for_its_release_and_a_delayed_one_for_its_time() -> None:
    made = cluster()
    made.submit(job("held"))
    made.submit(job("delayed"))
    made.hold("held")
    made.hold("delayed", START + HOUR)
    run_until(made, START + HOUR / 2)
    assert made.idle is False
    assert made.running == set()
    run_until(made, START + HOUR)
    assert made.get("delayed").started == START + HOUR
    made.release("held")
    made.advance(made.now_s)
    assert made.get("held").state is JobState.RUNNING
    assert made.shifted_count == 2


def test_a_stop_costs_ten_minutes_of_work() -> None:
    made = cluster()
    made.advance(made.now_s, [job("a")])
    run_until(made, START + HOUR / 2)
    made.suspend("a")
    assert made.gpus_free == made.gpus
    made.resume("a")
    run_until(made, START + 2 * HOUR)
    assert made.get("a").finished == START + HOUR + timedelta(seconds=STOP_COST_S)
    assert made.work_gpu_s() == 8 * 3600.0


def test_what_can_never_fit_is_rejected_and_counted() -> None:
    made = cluster()
    made.advance(made.now_s, [job("huge", 33)])
    assert made.get("huge").state is JobState.REJECTED
    assert (made.seen, made.rejected, made.idle) == (1, 1, True)


def test_grace_only_where_the_deadline_allows_it() -> None:
    made = cluster()
    made.grace_s = 600.0
    made.submit(job("loose", deadline=START + 5 * HOUR))
    made.submit(job("tight", deadline=START + timedelta(minutes=65)))
    assert made.get("loose").begin_at == START + timedelta(minutes=10)
    assert made.get("tight").begin_at == START


def test_a_missed_deadline_is_counted_once() -> None:
    made = cluster(8)
    made.advance(made.now_s, [job("a"), job("b", deadline=START + HOUR * 1.5)])
    run_until(made, START + 3 * HOUR)
    assert made.missed == ["b"]


def test_the_expectation_is_near_the_truth_and_always_the_same() -> None:
    jobs = [job(f"j{i}") for i in range(200)]
    expected = [cluster().submit(one).expected_s / 3600.0 for one in jobs]
    assert expected == [cluster().submit(one).expected_s / 3600.0 for one in jobs]
    assert 0.78 < min(expected) < 0.95 < 1.05 < max(expected) < 1.22


def test_orders_that_make_no_sense_are_refused_with_the_state() -> None:
    made = cluster()
    made.advance(made.now_s, [job("a")])
    with pytest.raises(CommandError, match="it is running"):
        made.hold("a")
    with pytest.raises(CommandError, match="no such job"):
        made.release("b")
    with pytest.raises(CommandError, match="submitted twice"):
        made.submit(job("a"))


def test_finished_jobs_are_forgotten_after_a_day_but_stay_counted() -> None:
    made = cluster()
    made.advance(made.now_s, [job("a")])
    run_until(made, START + 60 * HOUR)
    assert made.list(START) == []
    assert (made.finished_count, made.work_gpu_s()) == (1, 8 * 3600.0)


ORDERS = st.lists(
    st.tuples(st.sampled_from(["hold", "release", "suspend", "resume", "wait"]), st.integers(0, 7)),
    max_size=40,
)


@given(gpus=st.lists(st.integers(1, 20), min_size=8, max_size=8), orders=ORDERS)
def test_work_is_conserved_and_gpus_never_overbooked(gpus: list[int], orders: list[tuple[str, int]]) -> None:
    made = cluster(12, 8)
    made.advance(made.now_s, [job(str(i), n, 1000.0 * (i + 1)) for i, n in enumerate(gpus)])
    for order, index in orders:
        made.advance(made.now_s)
        if order == "wait":
            run_until(made, datetime.fromtimestamp(made.now_s + 400.0, UTC))
        else:
            try_order(made, order, str(index))
        assert (made.free >= 0).all()
        assert (made.free <= made.capacity).all()
    made.release_all()
    run_until(made, datetime.fromtimestamp(made.now_s, UTC) + 40 * HOUR)
    assert made.idle
    assert made.work_gpu_s() == pytest.approx(sum(n * 1000.0 * (i + 1) for i, n in enumerate(gpus)))


def try_order(made: Cluster, order: str, job_id: str) -> None:
    try:
        getattr(made, order)(job_id)
    except CommandError:
        return
