"""Rows carry a reading there and back, whatever it holds."""

import math
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.core.store.samples import at

from igoudar.core.model import Quality, Reading, Reason
from igoudar.core.store.rows import to_readings, to_rows
from igoudar.core.store.series import GAP_POINT, POINTS_PER_DEVICE, SeriesBook

points = st.sampled_from(["active_power_w", "voltage_v", "frequency_hz", "operating_state"])
numbers = st.floats(allow_nan=False, allow_infinity=False)
reasons = st.sampled_from([reason for reason in Reason if reason is not Reason.NONE])


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    values = draw(st.dictionaries(points, numbers, min_size=1))
    flags = {}
    for point in draw(st.sets(points)):
        quality = Quality.UNCERTAIN if point in values else Quality.BAD
        flags[point] = (quality, draw(reasons))
    offset_ms = draw(st.none() | st.integers(-(2**31) + 1, 2**31 - 1))
    received = at(draw(st.integers(0, 10**6)))
    source_at = None if offset_ms is None else received + timedelta(milliseconds=offset_ms)
    return Reading(received, "pdu-1", values, flags, source_at)


@given(readings())
def test_a_reading_comes_back_as_it_was(reading: Reading) -> None:
    book = SeriesBook()
    assert to_readings(to_rows([reading], book), book) == {"pdu-1": reading}


@given(st.lists(readings(), max_size=5))
def test_rows_are_sorted_by_series_and_time(batch: list[Reading]) -> None:
    rows = to_rows(batch, SeriesBook())
    assert rows.equals(rows.sort("series", "time_us", maintain_order=True))


def test_a_value_that_is_no_number_is_never_stored_as_one() -> None:
    reading = Reading(at(0), "pdu-1", {"active_power_w": math.inf, "voltage_v": math.nan})
    rows = to_rows([reading], SeriesBook())
    assert rows["value"].to_list() == [None, None]
    assert rows["quality"].to_list() == [Quality.BAD, Quality.BAD]


def test_a_room_that_is_numbered_first_lies_together() -> None:
    book = SeriesBook()
    book.add_devices(["hall-a/pdu-1", "hall-a/pdu-2"])
    book.number("hall-b/pdu-1", "active_power_w")
    first, second = book.number("hall-a/pdu-1", "voltage_v"), book.number("hall-a/pdu-2", "voltage_v")
    assert (first // POINTS_PER_DEVICE, second // POINTS_PER_DEVICE) == (0, 1)
    assert book.find("hall-a/pdu-1", GAP_POINT) == 0
    assert book.find("hall-a/pdu-1", "unknown") is None
