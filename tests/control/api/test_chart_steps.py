"""A chart's steps fall where roll-ups do, and cover its window in at most its width."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.api.reports import chart_steps

START = datetime(2026, 11, 22, 6, 0, 7, tzinfo=UTC)


@given(st.integers(0, 10**6), st.integers(1, 10**8), st.integers(1, 2000))
def test_steps_cover_the_window_in_at_most_its_width(offset_s: int, length_s: int, width: int) -> None:
    start = START + timedelta(seconds=offset_s)
    end = start + timedelta(seconds=length_s)
    begin, step = chart_steps(start, end, width)
    assert begin <= start
    assert end - begin <= width * step
    unit = next((unit for unit in (900, 60) if step >= timedelta(seconds=2 * unit)), 1)
    assert begin.timestamp() % unit == 0
    assert step.total_seconds() % unit == 0


def test_a_day_in_a_thousand_steps_is_read_from_minutes() -> None:
    begin, step = chart_steps(START, START + timedelta(days=1), 1000)
    assert (begin.second, step) == (0, timedelta(minutes=2))
