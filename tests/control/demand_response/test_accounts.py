from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.demand_response import debt
from igoudar.control.demand_response.debt import Debts
from igoudar.control.demand_response.intervals import MINUTE, Counters, Tally, told
from igoudar.control.demand_response.memory import Memory, Paused, dumped, loaded
from igoudar.core.model import JobState

T0 = datetime(2026, 3, 3, 6, tzinfo=UTC)
STATES = (JobState.RUNNING, JobState.SUSPENDED, JobState.WAITING, JobState.FINISHED, None)


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(STATES), st.floats(0, 1e4), st.booleans()),
        max_size=40,
    )
)
def test_debt_is_conserved_whatever_happens_to_the_jobs(
    steps: list[tuple[str, JobState | None, float, bool]],
) -> None:
    debts, states = Debts(), dict.fromkeys("abc", JobState.RUNNING)
    for name, state, seconds, stops in steps:
        if stops and states.get(name) is JobState.RUNNING:
            debts = debt.paused(debts, name, 7, 600.0)
            states[name] = JobState.SUSPENDED
        elif state is None:
            states.pop(name, None)
        else:
            states[name] = state
        debts = debt.passed(debts, seconds, states)
        owed = debts.paid_gpu_s + debts.dropped_gpu_s + debts.rest_gpu_s
        assert owed == pytest.approx(debts.incurred_gpu_s, abs=1e-3)
        assert debts.rest_gpu_s >= 0


def test_a_debt_is_paid_by_the_work_that_follows() -> None:
    debts = debt.paused(Debts(), "a", 10, 60.0)
    debts = debt.passed(debts, 600.0, {"a": JobState.SUSPENDED})
    assert debts.rest_gpu_s == 6600.0
    debts = debt.passed(debts, 300.0, {"a": JobState.RUNNING})
    assert (debts.rest_gpu_s, debts.paid_gpu_s) == (3600.0, 3000.0)
    debts = debt.passed(debts, 900.0, {"a": JobState.RUNNING})
    assert (debts.rest_gpu_s, debts.paid_gpu_s, debts.jobs) == (0.0, 6600.0, {})


def metered(powers_w: list[float], every_s: float = 5.0) -> Counters:
    counters, energy_wh = Counters(), 0.0
    counters.note({"meter-1+": (T0, 0.0)})
    for step, power_w in enumerate(powers_w, 1):
        energy_wh += power_w * every_s / 3600
        counters.note({"meter-1+": (T0 + timedelta(seconds=step * every_s), energy_wh)})
    return counters


def test_each_minute_is_told_once_by_its_energy() -> None:
    counters = metered([100.0] * 12 + [90.0] * 11 + [300.0] + [100.0] * 6)
    tally = told(Tally(), counters, MINUTE, T0, None, 105.0)
    assert (tally.met, tally.missed) == (1, 1)
    assert tally.worst_w == pytest.approx((90 * 11 + 300) / 12 - 105.0)
    assert told(tally, counters, MINUTE, T0, None, 105.0) == tally


def jittered(power_w: float, late_s: list[float], stamp_s: float) -> Counters:
    """A counter read every 15 s on a fast clock, each reading stamped by so much too late."""
    counters = Counters(stamp_s=stamp_s)
    for step, off_s in enumerate(late_s):
        true_s, stamp = 15.0 * step, T0 + timedelta(seconds=15.0 * step + off_s)
        counters.note({"meter-1+": (stamp, power_w * true_s / 3600)}, (stamp, power_w))
    return counters


@given(st.lists(st.floats(0.0, 3.0), min_size=20, max_size=20), st.floats(0.5, 1.5))
def test_a_minute_is_not_missed_or_met_by_the_stamps_of_its_readings_alone(
    late_s: list[float], ratio: float
) -> None:
    limit_w = 30e6
    counters = jittered(ratio * limit_w, late_s, stamp_s=3.0)
    tally = told(Tally(), counters, MINUTE, T0 + MINUTE, None, limit_w)
    assert tally.met + tally.missed >= 2
    assert (tally.met == 0) if ratio > 1.0 + 1e-5 else (tally.missed == 0 or ratio > 1.0)


def test_an_excess_that_stamps_cannot_explain_is_missed_whatever_single_readings_say() -> None:
    counters = metered([100.0] * 11 + [300.0] + [100.0] * 12)
    counters.stamp_s = 0.1
    counters.note({}, (T0 + timedelta(seconds=30), 100.0))
    assert told(Tally(), counters, MINUTE, T0, None, 105.0).missed == 1


def test_the_last_interval_is_cut_at_the_end() -> None:
    counters = metered([100.0] * 18)
    tally = told(Tally(), counters, MINUTE, T0, T0 + timedelta(seconds=75), 105.0)
    assert (tally.met, tally.missed, tally.next_at) == (2, 0, T0 + timedelta(seconds=75))


def test_a_silent_meter_makes_an_interval_unknown_not_met() -> None:
    counters = metered([100.0] * 3)
    counters.note({"meter-1+": (T0 + timedelta(seconds=700), 20.0)})
    tally = told(Tally(), counters, MINUTE, T0, None, 105.0)
    assert (tally.met, tally.missed) == (0, 0)
    assert tally.unknown == 11


def test_a_counter_that_was_reset_tells_nothing_of_before() -> None:
    counters = metered([1e6] * 6)
    counters.note({"meter-1+": (T0 + timedelta(seconds=35), 0.0)})
    counters.note({"meter-1+": (T0 + timedelta(seconds=65), 0.9)})
    assert counters.mean_w(T0, T0 + MINUTE) is None


def test_the_memory_survives_its_json() -> None:
    memory = Memory(
        paused={"a": Paused(T0, 8, 1e4, T0 + MINUTE)},
        delayed={"b": T0},
        battery_w=3.0,
        debts=debt.paused(Debts(), "a", 8, 60.0),
        at=T0,
    )
    assert loaded(dumped(memory)) == memory
    assert loaded({"nonsense": 1}) == loaded(None) == Memory()
