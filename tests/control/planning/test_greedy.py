from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.policies import greedy, run_now
from igoudar.control.planning.requests import JobRequest, Margins, Supply, Verb

T0 = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
MARGINS = Margins()


def job(
    name: str, *, gpus: int = 8, hours: float = 1, deadline_h: float | None = 24, power_w: float = 1e4
) -> JobRequest:
    deadline = T0 + HOUR * deadline_h if deadline_h is not None else None
    return JobRequest(name, gpus, power_w, T0, hours * 3600, deadline, begin_at=T0 + HOUR)


def supply(surplus_w: float | None, gpus_free: int = 64) -> Supply:
    return Supply(T0, surplus_w, gpus=64, gpus_free=gpus_free)


jobs = st.lists(
    st.builds(
        job,
        st.uuids().map(str),
        gpus=st.integers(1, 64),
        hours=st.floats(0.01, 60),
        deadline_h=st.one_of(st.none(), st.floats(-5, 90)),
        power_w=st.floats(0, 1e6),
    ),
    max_size=25,
    unique_by=lambda request: request.job_id,
)
supplies = st.builds(supply, st.one_of(st.none(), st.floats(-1e6, 1e6)), st.integers(0, 64))


@given(supplies, jobs)
def test_every_job_is_answered_once_and_no_wait_is_bare(given_: Supply, waiting: list[JobRequest]) -> None:
    decisions = greedy(given_, [], waiting, MARGINS)
    assert sorted(d.job_id for d in decisions) == sorted(j.job_id for j in waiting)
    for decision in decisions:
        assert (decision.begin_at > T0) is (decision.verb is Verb.WAIT)


@given(supplies, jobs)
def test_a_wait_keeps_its_deadline_even_when_the_run_is_longer_than_expected(
    given_: Supply, waiting: list[JobRequest]
) -> None:
    by_id = {request.job_id: request for request in waiting}
    for decision in greedy(given_, [], waiting, MARGINS):
        request = by_id[decision.job_id]
        if decision.verb is Verb.WAIT and request.deadline:
            longest = timedelta(seconds=request.expected_s * MARGINS.duration_factor)
            assert decision.begin_at + longest <= request.deadline


@given(supplies, jobs)
def test_surplus_and_gpus_are_never_handed_out_twice(given_: Supply, waiting: list[JobRequest]) -> None:
    by_id = {request.job_id: request for request in waiting}
    started = [by_id[d.job_id] for d in greedy(given_, [], waiting, MARGINS) if d.code == "control.surplus"]
    assert sum(request.power_w for request in started) <= max(0.0, given_.surplus_w or 0.0) + 1e-6
    assert sum(request.gpus for request in started) <= given_.gpus_free


@given(jobs)
def test_no_telemetry_no_claim(waiting: list[JobRequest]) -> None:
    codes = {d.code for d in greedy(supply(None), [], waiting, MARGINS)}
    assert codes <= {"control.hold", "control.forced", "control.patience"}


def test_surplus_starts_the_most_urgent_first() -> None:
    decisions = greedy(supply(1.5e4), [], [job("late", deadline_h=20), job("soon", deadline_h=10)], MARGINS)
    assert [(d.job_id, d.verb) for d in decisions] == [("soon", Verb.START), ("late", Verb.WAIT)]
    assert decisions[1].code == "control.wait"


def test_forced_when_the_slack_is_used_up() -> None:
    (decision,) = greedy(supply(0), [], [job("tight", hours=2, deadline_h=3)], MARGINS)
    assert decision.code == "control.forced"


def test_jobs_that_share_their_gpus_do_not_all_wait_for_the_same_last_minute() -> None:
    waiting = [job(f"gang-{i}", gpus=48, hours=4, deadline_h=24) for i in range(4)]
    begins = sorted(d.begin_at for d in greedy(supply(0), [], waiting, MARGINS))
    apart = [later - earlier for earlier, later in pairwise(begins)]
    assert all(gap >= 4 * HOUR for gap in apart)
    assert begins[0] > T0


def test_running_jobs_take_room_from_the_last_minute() -> None:
    busy = JobRequest("busy", 64, 1e4, T0, 20 * 3600, started=T0)
    (alone,) = greedy(supply(0), [], [job("a", hours=2, deadline_h=24)], MARGINS)
    (crowded,) = greedy(supply(0), [busy], [job("a", hours=2, deadline_h=24)], MARGINS)
    assert crowded.begin_at < alone.begin_at


def test_no_deadline_waits_a_day_at_most() -> None:
    (decision,) = greedy(supply(0), [], [job("best", deadline_h=None)], MARGINS)
    assert decision.begin_at <= T0 + 24 * HOUR


def test_run_now_keeps_the_order_of_submission() -> None:
    assert [d.verb for d in run_now(supply(None), [job("a"), job("b")])] == [Verb.START, Verb.START]
