"""A cooling setpoint on its way: in its envelope, no faster than its ramp, no warmer than inlets let it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.planning.setpoint import (
    AIR,
    MARGIN_K,
    STEP_K,
    Course,
    next_c,
    room_k,
    step_s,
    whole_steps,
)
from igoudar.core.model_plan import WarmerSupply

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KELVIN = st.floats(-5.0, 40.0)


@st.composite
def supplies(draw: st.DrawFn) -> WarmerSupply:
    found_c = draw(st.integers(100, 300)) / 10
    return WarmerSupply(found_c, found_c + draw(st.integers(1, 50)) / 10)


@given(
    supply=supplies(),
    steps=st.integers(0, 10),
    wish=KELVIN,
    room=st.floats(-10.0, 10.0),
    may_move=st.booleans(),
)
def test_one_look_moves_it_by_a_step_at_most_and_never_out_of_the_envelope(
    supply: WarmerSupply, steps: int, wish: float, room: float, may_move: bool
) -> None:
    stands_c = supply.setpoint_c + min(steps * STEP_K, whole_steps(supply.warmer_k))
    found_c = next_c(supply, stands_c, wish, room, may_move=may_move)
    assert supply.setpoint_c <= found_c <= supply.most_c + 1e-9
    assert abs(found_c - stands_c) <= (STEP_K + 1e-9 if may_move else 0.0)
    assert found_c <= max(stands_c, stands_c + room) + 1e-9
    if room < -1e-6 and may_move and stands_c > supply.setpoint_c:
        assert found_c < stands_c


@given(
    supply=supplies(),
    looks=st.lists(st.tuples(st.integers(1, 600), KELVIN, st.floats(-2.0, 5.0)), max_size=40),
    ramp=st.sampled_from([2.0, 5.0, 20.0]),
)
def test_over_any_time_it_moves_no_faster_than_its_ramp(
    supply: WarmerSupply, looks: list[tuple[int, float, float]], ramp: float
) -> None:
    course, at, value_c = Course(), NOW, supply.setpoint_c
    told = [(at, value_c)]
    course.note(value_c, at)
    for seconds, wish, room in looks:
        at += timedelta(seconds=seconds)
        value_c = next_c(supply, value_c, wish, room, may_move=course.still_s(at) >= step_s(ramp))
        course.note(value_c, at)
        told.append((at, value_c))
    for start, low in told:
        for end, high in told:
            hours = abs((end - start).total_seconds()) / 3600
            assert abs(high - low) <= STEP_K + ramp * hours + 1e-6


@given(raised=st.lists(st.integers(0, 4), min_size=1, max_size=20))
def test_what_the_air_does_not_show_yet_is_what_was_raised_in_the_last_quarter_of_an_hour(
    raised: list[int],
) -> None:
    course, value_c, values = Course(), 20.0, []
    for minute, steps in enumerate(raised):
        value_c += steps * STEP_K
        values.append(value_c)
        course.note(value_c, NOW + timedelta(minutes=5 * minute))
    last = len(raised) - 1
    now = NOW + timedelta(minutes=5 * last)
    assert course.coming_k(now) == values[-1] - values[max(0, last - AIR // timedelta(minutes=5))]
    assert course.coming_k(now + AIR) == 0.0


def test_beyond_the_inlets_limit_it_gets_colder_and_near_it_no_warmer() -> None:
    assert room_k(-0.1, 0.0) == -0.1
    assert room_k(MARGIN_K / 2, 0.0) == 0.0
    assert room_k(3.0, 1.0) == 3.0 - 1.0 - MARGIN_K
    assert Course().coming_k(NOW) == 0.0
