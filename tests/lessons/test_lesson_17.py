"""Counters: rollover and reset told apart, energy never negative and never invented; clocks measured."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.drift import ClockWatch
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.quality import Memory
from igoudar.collectors.readers import Values
from igoudar.core.counters import CounterRule, Event, counter_rule, energy, step
from igoudar.core.model import Profile, Quality, Reason
from tests.collectors.rigs import START

PROFILES = load_profiles()
METER = PROFILES["schneider-iem3000"]
ENERGY = "active_energy_import_wh"
RATED = CounterRule(modulus=2.0**32, most_per_s=1e6 / 3600, quantum=1.0)  # 1 MW, in Wh


@pytest.mark.parametrize("bits", [16, 32])
def test_lesson_17_a_rollover_goes_on_counting(bits: int) -> None:
    rule = CounterRule(modulus=2.0**bits, most_per_s=10.0, quantum=1.0)
    assert step(2.0**bits - 30, 20, 5, rule) == (50.0, Event.ROLLOVER)


def test_lesson_17_a_modulus_of_the_products_own() -> None:
    rule = CounterRule(modulus=1e6, most_per_s=10.0)
    assert step(999_990, 20, 5, rule) == (30.0, Event.ROLLOVER)


def test_lesson_17_a_counter_with_a_scale_factor_rolls_over_at_its_power_of_ten() -> None:
    rule = CounterRule(modulus=2.0**32, decimal=True, most_per_s=1e4, quantum=100.0)
    assert step(2.0**32 * 100 - 500, 700, 5, rule) == (1200.0, Event.ROLLOVER)


def test_lesson_17_a_reset_counts_what_is_known_to_have_flowed() -> None:
    assert step(1e6, 400, 5, RATED) == (400.0, Event.RESET)


@pytest.mark.parametrize("after", [2e6, 5e5])
def test_lesson_17_what_the_rated_power_forbids_counts_as_nothing(after: float) -> None:
    assert step(1e6, after, 5, RATED) == (0.0, Event.JUMP)


def test_lesson_17_a_float_that_rounds_down_is_no_reset() -> None:
    assert step(1e9, 1e9 - 64, 5, RATED) == (0.0, Event.GROWTH)


def test_lesson_17_without_a_rule_two_readings_of_one_instant_count_what_they_say() -> None:
    assert step(5.0, 7.0, 0.0) == (2.0, Event.GROWTH)
    assert step(7.0, 5.0, 0.0) == (5.0, Event.RESET)


@given(st.lists(st.tuples(st.floats(0, 3600), st.floats(0, 2.0**32)), min_size=2, max_size=20))
def test_lesson_17_energy_is_never_negative_and_never_more_than_rated(
    raw: list[tuple[float, float]],
) -> None:
    at, readings = 0.0, list[tuple[float, float]]()
    for after_s, value in raw:
        at += after_s
        readings.append((at, value))
    counted = energy(readings, RATED).amount
    largest = max(value for _, value in readings)
    most = RATED.most_per_s * at + len(raw) * (RATED.quantum + 1e-6 * largest)
    assert 0 <= counted <= most * (1 + 1e-9) + readings[0][0] * RATED.most_per_s


@given(st.integers(2, 40), st.floats(0, 250), st.integers(0, 2**32 - 1))
def test_lesson_17_a_wrapping_register_counts_what_flowed(polls: int, wh: float, start: int) -> None:
    """A 32-bit register of Wh under a steady load, polled each second, whatever it began at."""
    true = [start + wh * i for i in range(polls)]
    readings = [(float(i), float(int(value) % 2**32)) for i, value in enumerate(true)]
    counted = energy(readings, RATED).amount
    assert counted == pytest.approx(true[-1] - true[0], abs=2)


def test_lesson_17_the_rule_of_a_counter_comes_from_its_profile() -> None:
    socomec = PROFILES["socomec-countis-e"]
    rule = counter_rule(socomec, socomec.points[ENERGY])
    assert (rule.modulus, rule.decimal, rule.quantum) == (2.0**32 * 1e3, False, 1e3)
    sunspec = PROFILES["sunspec-inverter"]
    assert counter_rule(sunspec, sunspec.points["energy_wh"]).decimal
    desalination = PROFILES["generic-desalination"]
    assert counter_rule(desalination, desalination.points["energy_wh"]).most_per_s == 1e9 / 3600


def flags_of(values: list[float], profile: Profile = METER) -> list[tuple[Quality, Reason] | None]:
    memory, found = Memory(profile), []
    for i, value in enumerate(values):
        answer = memory.judge(Values({ENERGY: value}, {}), START + timedelta(seconds=5 * i))
        found.append(answer.flags.get(ENERGY))
        assert (ENERGY in answer.values) == (found[-1] is None or found[-1][0] is not Quality.BAD)
    return found


def test_lesson_17_one_reading_of_zero_is_held_back_and_costs_nothing() -> None:
    doubt = (Quality.BAD, Reason.COUNTER_RESET)
    assert flags_of([1e6, 1.1e6, 0.0, 1.2e6]) == [None, None, doubt, None]


def test_lesson_17_a_reset_is_believed_when_it_is_confirmed() -> None:
    doubt, reset = (Quality.BAD, Reason.COUNTER_RESET), (Quality.UNCERTAIN, Reason.COUNTER_RESET)
    assert flags_of([1e6, 10.0, 20.0, 30.0]) == [None, doubt, reset, None]


def test_lesson_17_a_replaced_counter_is_believed_when_it_is_confirmed() -> None:
    doubt, reset = (Quality.BAD, Reason.STEP), (Quality.UNCERTAIN, Reason.COUNTER_RESET)
    assert flags_of([1e6, 9e12, 9e12 + 5, 9e12 + 9]) == [None, doubt, reset, None]


def test_lesson_17_a_clock_that_is_off_and_runs_fast_is_measured() -> None:
    watch = ClockWatch()
    for second in range(0, 7200, 10):
        late_s = 0.3 * (second % 70 == 0)  # some answers take their time
        watch.note(float(second), second * (1 + 50e-6) + 42.0 - late_s)
    assert watch.offset_s == pytest.approx(42.0 + 7200 * 50e-6, abs=0.05)
    assert watch.drift_ppm == pytest.approx(50, abs=5)


def test_lesson_17_a_device_that_tells_its_time_has_its_clock_watched() -> None:
    memory = Memory(PROFILES["liebert-hpc"])
    told = START.timestamp() - 90
    answer = memory.judge(Values({"device_time_s": told}, {}), START)
    assert answer.source_at == datetime.fromtimestamp(told, UTC)
    assert memory.clock.offset_s == -90
    assert memory.clock.drift_ppm is None
