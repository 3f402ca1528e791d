from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.dispatch import Guidance, Steady, dispatch
from igoudar.control.planning.latest import latest_starts
from igoudar.control.planning.policies import greedy
from igoudar.control.planning.requests import Decision, JobRequest, Margins, Supply, Verb

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GPUS = 512
MARGINS = Margins()


def job(
    name: str, *, gpus: int = 8, power_w: float = 10e3, hours: float = 1, due_h: float = 20
) -> JobRequest:
    deadline = T0 + due_h * HOUR
    return JobRequest(name, gpus, power_w, T0, hours * 3600, deadline, begin_at=T0 + 10 * HOUR)


def supply(surplus_w: float | None, now: datetime = T0, free: int = GPUS) -> Supply:
    return Supply(now, surplus_w, GPUS, free)


def codes(decisions: list[Decision]) -> list[str]:
    return [decision.code for decision in decisions]


jobs = st.lists(
    st.builds(
        job,
        name=st.uuids().map(str),
        gpus=st.integers(1, 64),
        power_w=st.floats(1e3, 100e3),
        hours=st.floats(0.1, 10),
        due_h=st.floats(0.2, 30),
    ),
    max_size=8,
)
surplus = st.one_of(st.none(), st.floats(-1e6, 1e6))
plans = st.one_of(st.none(), st.builds(Guidance, st.floats(0, GPUS), st.integers(0, GPUS)))


@given(jobs, surplus)
def test_without_a_plan_it_is_the_greedy(waiting: list[JobRequest], surplus_w: float | None) -> None:
    decisions, _ = dispatch(supply(surplus_w), [], waiting, MARGINS)
    assert decisions == greedy(supply(surplus_w), [], waiting, MARGINS)


@given(jobs, surplus, plans, st.booleans())
def test_no_plan_sets_a_begin_time_after_the_latest_start_nor_stops_a_forced_one(
    waiting: list[JobRequest], surplus_w: float | None, guidance: Guidance | None, holding: bool
) -> None:
    latest = latest_starts(T0, GPUS, [], waiting, MARGINS)
    decisions, _ = dispatch(supply(surplus_w), [], waiting, MARGINS, guidance, Steady(holding=holding))
    assert {d.job_id for d in decisions} == {j.job_id for j in waiting}
    for decision in decisions:
        assert decision.begin_at <= max(T0, latest[decision.job_id])
        if latest[decision.job_id] <= T0:
            assert decision.verb is Verb.START


@given(jobs, surplus, plans)
def test_what_starts_fits_into_the_free_gpus(
    waiting: list[JobRequest], surplus_w: float | None, guidance: Guidance | None
) -> None:
    by_name = {j.job_id: j for j in waiting}
    decisions, _ = dispatch(supply(surplus_w, free=40), [], waiting, MARGINS, guidance)
    chosen = [d for d in decisions if d.code in ("control.plan", "control.surplus")]
    assert sum(by_name[d.job_id].gpus for d in chosen) <= 40


def test_a_gap_between_clouds_starts_nothing_until_it_has_lasted() -> None:
    waiting, steady, told = [job("a", power_w=50e3)], Steady(), []
    for minute, surplus_w in enumerate([0.0, 90e3, 0.0, 90e3, 90e3, 90e3, 90e3, 90e3, 90e3, 90e3]):
        now = T0 + timedelta(minutes=minute)
        decisions, steady = dispatch(supply(surplus_w, now), [], waiting, MARGINS, None, steady)
        told += codes(decisions)
    assert told == ["control.wait"] * 8 + ["control.surplus"] * 2


def test_a_blind_minute_forgets_what_was_seen() -> None:
    waiting = [job("a", power_w=50e3)]
    _, steady = dispatch(supply(90e3), [], waiting, MARGINS)
    decisions, steady = dispatch(supply(None), [], waiting, MARGINS, None, steady)
    assert codes(decisions) == ["control.hold"]
    assert steady == Steady()


def test_the_plan_starts_more_than_the_surplus_carries_least_slack_first() -> None:
    waiting = [job("loose", due_h=20), job("tight", due_h=5), job("mid", due_h=10)]
    decisions, _ = dispatch(supply(0.0), [], waiting, MARGINS, Guidance(100 + 17, 100))
    starts = [d.job_id for d in decisions if d.verb is Verb.START]
    assert starts == ["tight", "mid"]
    assert {d.code for d in decisions if d.verb is Verb.START} == {"control.plan"}


def test_holding_back_begins_later_than_it_ends() -> None:
    waiting = [job("a")]

    def holds(plan_gpus: float, before: Steady) -> tuple[bool, Steady]:
        decisions, after = dispatch(supply(90e3), [], waiting, MARGINS, Guidance(plan_gpus, 100), before)
        return codes(decisions) == ["control.plan_holds"], after

    told, steady = holds(80, Steady())  # 20 over: less than 5 % of 512
    assert not told
    told, steady = holds(70, steady)
    assert told
    told, steady = holds(80, steady)  # still more than 2 % over
    assert told
    told, steady = holds(95, steady)
    assert not told


def paused(name: str, **more: float) -> JobRequest:
    """A job that stands on GPUs of its own."""
    return replace(job(name, **more), keeps_gpus=True)  # type: ignore[arg-type]


def test_a_paused_job_that_keeps_its_gpus_needs_no_free_ones_to_go_on() -> None:
    for guidance in (None, Guidance(100.0, 0)):
        decisions, _ = dispatch(supply(20e3, free=0), [], [paused("a"), job("b")], MARGINS, guidance)
        assert [d.job_id for d in decisions if d.verb is Verb.START] == ["a"]


def test_nobody_is_placed_on_the_gpus_of_a_job_that_stands_on_them() -> None:
    stands, waits = paused("a", gpus=300, due_h=20), job("b", gpus=300, hours=2, due_h=20)
    latest = latest_starts(T0, GPUS, [], [stands, waits], MARGINS)
    assert latest["a"] == MARGINS.end_by(stands) - MARGINS.longest(stands)
    assert latest["b"] <= T0  # there is no room beside it
    assert latest_starts(T0, GPUS, [], [replace(stands, keeps_gpus=False), waits], MARGINS)["b"] > T0
