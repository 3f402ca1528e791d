from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.alarms.rules import Condition, advance
from igoudar.core.model import AlarmRule, Kind

T0 = datetime(2026, 3, 1, tzinfo=UTC)
INLET = AlarmRule(
    "inlet_high", Kind.RACK_SENSORS, "inlet_c", 2, high=27.0, deadband=0.5, on_delay_s=60, off_delay_s=60
)


def run(rule: AlarmRule, values: list[float | None], step_s: float = 30) -> list[bool]:
    condition, seen = Condition(), []
    for index, value in enumerate(values):
        condition = advance(rule, condition, value, T0 + timedelta(seconds=index * step_s))
        seen.append(condition.active)
    return seen


def test_on_delay() -> None:
    assert run(INLET, [28, 28, 28]) == [False, False, True]


def test_a_dip_restarts_the_delay() -> None:
    assert not any(run(INLET, [28, 28, 26, 28, 28]))


def test_deadband_and_off_delay() -> None:
    assert run(INLET, [28, 28, 28, 26.8, 26.8, 26.8]) == [False, False, True, True, True, True]
    assert run(INLET, [28, 28, 28, 26.4, 26.4, 26.4])[-1] is False


def test_square_wave_faster_than_the_delays_is_no_alarm_and_slower_is_one() -> None:
    assert not any(run(INLET, [28, 20] * 50))
    seen = run(INLET, [28, 28, 28] + [20, 28] * 50)
    assert seen.count(True) == len(seen) - 2


def test_low_limit() -> None:
    rule = AlarmRule("soc_low", Kind.BATTERY, "soc_pct", 3, low=12.0, deadband=2.0)
    assert run(rule, [50, 11, 13, 14.5]) == [False, True, True, False]


@given(st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), max_size=60))
def test_silence_changes_nothing(values: list[float | None]) -> None:
    condition = Condition()
    for index, value in enumerate(values):
        before = condition
        condition = advance(INLET, condition, value, T0 + timedelta(seconds=30 * index))
        if value is None:
            assert condition == before
        if condition.active and not before.active:
            assert value is not None
            assert value >= 27.0
