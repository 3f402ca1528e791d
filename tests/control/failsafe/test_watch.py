"""When a pause must end: never later than promised, whatever the clocks do."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.failsafe.heartbeat import Beat
from igoudar.control.failsafe.suspended import Suspended
from igoudar.control.failsafe.watch import LEAST_SILENCE_S, MARGIN_S, Deadlines, Pause, Pulse, left_s
from igoudar.core.clock import SiteClock

AT = datetime(2025, 3, 1, 12, tzinfo=UTC)


def clock(speed: float = 1.0, jump_s: float = 0.0) -> SiteClock:
    """A site clock that shows `AT` at monotonic 100 s, plus a jump."""
    return SiteClock(AT + timedelta(seconds=jump_s), 100.0, speed)


def entry(minutes: float) -> Suspended:
    return Suspended(AT, AT + timedelta(minutes=minutes))


def test_a_beat_that_changes_is_a_living_control_and_one_that_stands_still_is_not() -> None:
    pulse = Pulse(since_s=0.0)
    for cycle, now_s in enumerate((1.0, 20.0, 49.0)):
        pulse.note(Beat(7, cycle, 0.5), now_s)
        assert not pulse.silent(now_s)
    for now_s in (60.0, 78.9):
        pulse.note(Beat(7, 2, 0.5), now_s)
        assert not pulse.silent(now_s)
    assert pulse.silent(49.0 + LEAST_SILENCE_S)


def test_a_long_cycle_has_three_of_its_periods() -> None:
    pulse = Pulse(since_s=0.0)
    pulse.note(Beat(7, 1, 20.0), 0.0)
    assert not pulse.silent(59.0)
    assert pulse.silent(60.0)


def test_a_control_that_never_beats_is_dead_after_thirty_seconds() -> None:
    pulse = Pulse(since_s=5.0)
    pulse.note(None, 34.0)
    assert not pulse.silent(34.9)
    assert pulse.silent(35.0)


def test_a_restarted_control_that_counts_from_one_again_lives() -> None:
    pulse = Pulse(since_s=0.0)
    pulse.note(Beat(7, 1, 0.5), 1.0)
    pulse.note(Beat(8, 1, 0.5), 40.0)
    assert not pulse.silent(41.0)


def test_a_deadline_is_kept_on_the_wall_whatever_the_speed() -> None:
    assert left_s(entry(30), clock(speed=60.0), 100.0) == 30.0
    assert left_s(entry(30), clock(speed=60.0), 110.0) == 20.0
    assert left_s(entry(30), None, 100.0) == 1800.0


def test_a_jump_of_the_clock_after_the_first_look_changes_nothing() -> None:
    pauses, deadlines = {"17": entry(10)}, Deadlines()
    deadlines.note(pauses, clock(), 100.0)
    for jump_s in (-86_400.0, 86_400.0):
        deadlines.note(pauses, clock(jump_s=jump_s), 150.0)
        assert not deadlines.due(600.0)
        assert deadlines.due(700.0 - MARGIN_S) == [Pause("17", entry(10))]


@given(st.floats(-1e7, 1e7), st.floats(0.1, 1440.0), st.floats(60.0, 86_400.0), st.floats(0.0, 1e5))
def test_no_clock_makes_a_pause_longer_than_it_was_meant(
    jump_s: float, speed: float, whole_s: float, now_s: float
) -> None:
    pause = Suspended(AT, AT + timedelta(seconds=whole_s))
    left = left_s(pause, clock(speed, jump_s), now_s)
    assert 0.0 <= left <= whole_s / speed * (1 + 1e-9)


def test_a_pause_that_is_renewed_gets_its_new_time_and_one_that_is_over_is_forgotten() -> None:
    deadlines = Deadlines()
    deadlines.note({"17": entry(10)}, clock(), 100.0)
    deadlines.note({"17": entry(20)}, clock(), 200.0)
    assert not deadlines.due(800.0)
    assert deadlines.due(1300.0)
    deadlines.note({}, clock(), 900.0)
    assert not deadlines.due(1e9)
