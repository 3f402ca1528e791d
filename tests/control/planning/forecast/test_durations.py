import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.forecast.durations import Durations, learned_durations


def test_before_any_job_has_ended_a_day_is_reckoned_with() -> None:
    estimate = Durations().estimate("ana", 8)
    assert (estimate.expected_s, estimate.longest_s) == (86_400.0, 86_400.0)


def test_a_users_own_jobs_count_more_than_those_of_others() -> None:
    book = Durations()
    for _ in range(100):
        book.learn("ana", 8, 600.0)
        book.learn("bob", 8, 36_000.0)
    assert book.estimate("ana", 8).expected_s < 6_000.0
    assert book.estimate("bob", 8).expected_s > 25_000.0
    assert 600.0 < book.estimate("eve", 8).expected_s < 36_000.0


def test_a_job_that_runs_already_is_not_expected_to_end_before() -> None:
    book = Durations()
    for duration in (600.0, 600.0, 600.0, 36_000.0):
        book.learn("ana", 8, duration)
    assert book.estimate("ana", 8, done_s=3_600.0).expected_s > 3_600.0
    assert book.estimate("ana", 8, done_s=100_000.0).longest_s >= 100_000.0


@given(st.lists(st.floats(1.0, 1e7), min_size=1, max_size=40), st.integers(0, 4096), st.floats(0.0, 1e7))
def test_expected_never_exceeds_longest(durations: list[float], gpus: int, done_s: float) -> None:
    book = Durations()
    for duration in durations:
        book.learn("ana", gpus, duration)
    estimate = book.estimate("ana", gpus, done_s)
    assert 0.0 < estimate.expected_s <= estimate.longest_s
    assert estimate.longest_s >= min(done_s, 60 * 86_400.0) * 0.999


def test_most_jobs_end_within_the_longest() -> None:
    draw = np.random.default_rng(3)
    count = 4000
    submitted = np.sort(draw.uniform(0.0, 30 * 86_400.0, count))
    duration = np.exp(draw.normal(8.0, 1.0, count))
    users = ["ana", "bob"] * (count // 2)
    _, longest = learned_durations(users, np.full(count, 4), submitted, duration, 0.0)
    assert (duration <= longest)[500:].mean() == pytest.approx(0.96, abs=0.02)


@given(st.integers(1, 199), st.integers(0, 2**32 - 1))
def test_no_estimate_reads_the_future(row: int, seed: int) -> None:
    draw = np.random.default_rng(5)
    submitted = np.sort(draw.uniform(0.0, 5e5, 200))
    duration = draw.uniform(10.0, 1e5, 200)
    gpus = draw.integers(1, 64, 200)
    users = ["ana"] * 200
    first = learned_durations(users, gpus, submitted, duration, 0.0)
    later = submitted + duration > submitted[row]  # had not ended when `row` was submitted
    changed = duration.copy()
    changed[later] = (submitted[row] - submitted[later]).clip(0.0) + np.random.default_rng(seed).uniform(
        10.0, 1e6, int(later.sum())
    )
    second = learned_durations(users, gpus, submitted, changed, 0.0)
    assert first[0][row] == second[0][row]
    assert first[1][row] == second[1][row]
