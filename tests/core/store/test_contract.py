"""What every telemetry store promises; one suite over all of them."""

import itertools
import math
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.core.store.conftest import HOSTILE
from tests.core.store.samples import POWER, at, reading

from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.protocol import Series, TelemetryReader, TelemetryStore

GAPS = Series("pdu-1", "_gap")
DAY = timedelta(days=1)
_windows = itertools.count(1)


def values(reader: TelemetryReader, series: Series = POWER) -> list[float | None]:
    found: list[float | None] = reader.range([series], at(-3600), at(3600))["value"].to_list()
    return found


def test_what_was_appended_is_read_back_by_another_reader(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    store.append([Reading(at(0), "pdu-1", {"active_power_w": 10.5, "voltage_v": 231.0})])
    store.append([Reading(at(5), "pdu-1", {"active_power_w": 20.0, "voltage_v": -0.25})])
    frame = reader.range([POWER, Series("pdu-1", "voltage_v")], at(0), at(10)).sort("point", "time")
    assert frame.rows() == [
        ("pdu-1", "active_power_w", at(0), 10.5, 0, 0),
        ("pdu-1", "active_power_w", at(5), 20.0, 0, 0),
        ("pdu-1", "voltage_v", at(0), 231.0, 0, 0),
        ("pdu-1", "voltage_v", at(5), -0.25, 0, 0),
    ]
    assert dict(frame.schema) == {
        "device": pl.String(),
        "point": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
        "quality": pl.UInt8(),
        "reason": pl.UInt8(),
    }


def test_a_range_holds_its_start_and_not_its_end(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([reading(second, float(second)) for second in range(5)])
    assert reader.range([POWER], at(1), at(3))["value"].to_list() == [1.0, 2.0]
    assert reader.range([POWER], at(3), at(3)).is_empty()
    everything = reader.range([POWER], datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert everything["value"].to_list() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_times_are_kept_to_the_microsecond_and_in_order(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    later, sooner = at(1) + timedelta(microseconds=2), at(1) + timedelta(microseconds=1)
    store.append([Reading(one, "pdu-1", {"active_power_w": 1.0}) for one in (later, sooner)])
    assert reader.range([POWER], at(0), at(2))["time"].to_list() == [sooner, later]


def test_latest_is_the_newest_reading_of_each_device(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([reading(0, 10.0), reading(0, 1.0, "pdu-2"), reading(9, 5.0, "turbine-1")])
    store.append([reading(5, 20.0)])
    assert reader.latest() == {
        "pdu-1": reading(5, 20.0),
        "pdu-2": reading(0, 1.0, "pdu-2"),
        "turbine-1": reading(9, 5.0, "turbine-1"),
    }
    assert set(reader.latest(["pdu-2", "unknown"])) == {"pdu-2"}
    assert reader.latest([]) == {}


def test_latest_shows_nothing_of_the_reading_before(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([reading(0, 10.0), Reading(at(5), "pdu-1", {"voltage_v": 229.0})])
    assert reader.latest() == {"pdu-1": Reading(at(5), "pdu-1", {"voltage_v": 229.0})}


def test_a_bad_value_is_null_with_its_reason(store: TelemetryStore, reader: TelemetryReader) -> None:
    bad = Reading(at(0), "pdu-1", {"voltage_v": 230.0}, {"active_power_w": (Quality.BAD, Reason.SENTINEL)})
    store.append([bad])
    assert reader.range([POWER], at(0), at(1)).row(0)[3:] == (None, Quality.BAD, Reason.SENTINEL)
    assert reader.latest() == {"pdu-1": bad}


def test_an_uncertain_value_keeps_its_number_and_its_reason(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    doubtful = Reading(
        at(0), "pdu-1", {"active_power_w": 7.0}, {"active_power_w": (Quality.UNCERTAIN, Reason.FROZEN)}
    )
    store.append([doubtful])
    assert reader.range([POWER], at(0), at(1)).row(0)[3:] == (7.0, Quality.UNCERTAIN, Reason.FROZEN)
    assert reader.latest() == {"pdu-1": doubtful}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_never_stored_as_one(
    store: TelemetryStore, reader: TelemetryReader, value: float
) -> None:
    store.append([Reading(at(0), "pdu-1", {"active_power_w": value, "voltage_v": 230.0})])
    assert reader.range([POWER], at(0), at(1)).row(0)[3:] == (None, Quality.BAD, Reason.OUT_OF_RANGE)
    assert values(reader, Series("pdu-1", "voltage_v")) == [230.0]


def test_a_gap_is_kept_and_comes_back_as_a_gap(store: TelemetryStore, reader: TelemetryReader) -> None:
    gap = Reading(at(5), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))
    store.append([reading(0, 10.0), gap])
    assert reader.latest() == {"pdu-1": gap}
    assert reader.range([GAPS], at(0), at(9)).rows() == [
        ("pdu-1", "_gap", at(5), None, Quality.BAD, Reason.TIMEOUT)
    ]
    assert values(reader) == [10.0]


def test_a_gap_may_say_why_beside_values(store: TelemetryStore, reader: TelemetryReader) -> None:
    partly = Reading(at(5), "pdu-1", {"voltage_v": 1.0}, gap=Gap(Reason.BUSY))
    store.append([partly])
    assert reader.latest() == {"pdu-1": partly}


def test_the_source_time_is_kept_beside_the_received_one(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    late = Reading(at(5), "turbine-1", {"active_power_w": 1.0, "energy_wh": 5.0}, source_at=at(3.25))
    ahead = Reading(
        *(at(5), "pdu-1", {"voltage_v": 2.0}, {"active_power_w": (Quality.BAD, Reason.STATUS_CODE)}),
        source_at=at(6),
    )
    store.append([late, ahead])
    assert reader.latest() == {"turbine-1": late, "pdu-1": ahead}


def test_a_replayed_batch_changes_nothing(store: TelemetryStore, reader: TelemetryReader) -> None:
    flagged = Reading(at(7), "pdu-1", {}, {"active_power_w": (Quality.BAD, Reason.FROZEN)})
    for _ in range(3):
        store.append([reading(0, 1.0), reading(5, 2.0), flagged])
    assert values(reader) == [1.0, 2.0, None]
    assert reader.latest() == {"pdu-1": flagged}


def test_an_empty_store_has_nothing_and_no_last_time(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([])
    store.append([Reading(at(0), "pdu-1", {})])
    assert reader.latest() == {}
    assert reader.last_time() is None
    assert reader.range([POWER], at(0), at(9)).is_empty()
    assert reader.downsample([POWER], at(0), at(9), timedelta(seconds=1)).is_empty()


def test_asking_for_what_was_never_stored_gives_nothing(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    store.append([reading(0, 1.0, "pdu-2")])
    assert reader.range([POWER, Series("pdu-2", "never_w"), Series("nobody", "x_w")], at(0), at(9)).is_empty()
    assert reader.range([], at(0), at(9)).is_empty()
    assert set(reader.latest()) == {"pdu-2"}


def test_the_last_time_is_that_of_the_newest_sample(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([reading(7, 1.0), reading(3, 1.0, "turbine-1")])
    assert reader.last_time() == at(7)
    store.append([Reading(at(8), "turbine-1", {}, gap=Gap(Reason.TIMEOUT))])
    assert reader.last_time() == at(8)


def test_names_are_nothing_but_names(store: TelemetryStore, reader: TelemetryReader) -> None:
    store.append([reading(0, 1.0, HOSTILE), reading(0, 2.0, "meter-1")])
    assert reader.latest() == {HOSTILE: reading(0, 1.0, HOSTILE), "meter-1": reading(0, 2.0, "meter-1")}
    assert values(reader, Series(HOSTILE, "active_power_w")) == [1.0]


def test_many_devices_are_asked_for_at_once(store: TelemetryStore, reader: TelemetryReader) -> None:
    names = [f"meter-{number}" for number in range(450)]
    store.append([reading(0, float(number), name) for number, name in enumerate(names)])
    assert set(reader.latest(names)) == set(names)
    frame = reader.range([Series(name, "active_power_w") for name in names], at(0), at(1))
    assert dict(frame.select("device", "value").rows()) == {
        name: float(number) for number, name in enumerate(names)
    }


def test_downsample_folds_good_values_and_leaves_gaps_out(
    store: TelemetryStore, reader: TelemetryReader
) -> None:
    uncertain = Reading(
        at(6), "pdu-1", {"active_power_w": 999.0}, {"active_power_w": (Quality.UNCERTAIN, Reason.FROZEN)}
    )
    gap = Reading(at(25), "pdu-1", {}, gap=Gap(Reason.TIMEOUT))
    store.append([reading(0, 10.0), reading(3, 30.0), uncertain, gap, reading(27, 5.0), reading(31, 7.0)])
    frame = reader.downsample([POWER], at(0), at(40), timedelta(seconds=10))
    assert frame["time"].to_list() == [at(0), at(20), at(30)]
    assert frame.select("mean", "min", "max", "last").row(0) == (20.0, 10.0, 30.0, 30.0)
    assert frame["good_share"].to_list() == pytest.approx([2 / 3, 1 / 2, 1.0])


points = st.sampled_from(["active_power_w", "voltage_v", "frequency_hz", "operating_state"])
reasons = st.sampled_from([reason for reason in Reason if reason is not Reason.NONE])


def test_the_last_step_ends_where_the_range_does(store: TelemetryStore, reader: TelemetryReader) -> None:
    flag = {"active_power_w": (Quality.UNCERTAIN, Reason.FROZEN)}
    store.append([reading(0, 1.0), reading(12, 3.0), Reading(at(13), "pdu-1", {"active_power_w": 9.0}, flag)])
    store.append([reading(16, 100.0)])
    frame = reader.downsample([POWER], at(0), at(15), timedelta(seconds=10))
    assert frame.select("time", "max", "good_share").rows() == [(at(0), 1.0, 1.0), (at(10), 3.0, 0.5)]


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading but its time, which the test gives."""
    found = draw(st.dictionaries(points, st.floats(allow_nan=False, allow_infinity=False), min_size=1))
    flags = {}
    for point in draw(st.sets(points)):
        flags[point] = (Quality.UNCERTAIN if point in found else Quality.BAD, draw(reasons))
    shift_ms = draw(st.none() | st.integers(-(2**31) + 1, 2**31 - 1).filter(bool))
    source_at = None if shift_ms is None else at(0) + timedelta(milliseconds=shift_ms)
    return Reading(at(0), "pdu-1", found, flags, source_at)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(one=readings())
def test_any_reading_comes_back_as_it_was(
    store: TelemetryStore, reader: TelemetryReader, one: Reading
) -> None:
    later = next(_windows) * timedelta(minutes=1)
    moved = Reading(
        *(one.at + later, one.device, one.values, one.flags), one.source_at and one.source_at + later
    )
    store.append([moved])
    assert reader.latest(["pdu-1"]) == {"pdu-1": moved}


samples = st.lists(
    st.tuples(st.integers(0, 59), st.floats(-1e9, 1e9), st.sampled_from(list(Quality))),
    min_size=1,
    unique_by=lambda sample: sample[0],
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(found=samples, gaps=st.sets(st.integers(0, 59), max_size=5), step_s=st.integers(1, 30))
def test_downsampling_agrees_with_counting_by_hand(
    store: TelemetryStore,
    reader: TelemetryReader,
    found: list[tuple[int, float, Quality]],
    gaps: set[int],
    step_s: int,
) -> None:
    begin = 120 * next(_windows) + 0.25  # a place of its own for every example; steps need not be round
    store.append([sample(begin + second, value, quality) for second, value, quality in found])
    store.append([Reading(at(begin + second + 0.5), "pdu-1", {}, gap=Gap(Reason.BUSY)) for second in gaps])
    expected = {}
    for first in range(0, 60, step_s):
        here = sorted(one for one in found if first <= one[0] < first + step_s)
        good = [value for _, value, quality in here if quality is Quality.GOOD]
        missing = len([second for second in gaps if first <= second < first + step_s])
        if good:
            share = len(good) / (len(here) + missing)
            expected[at(begin + first)] = (min(good), max(good), good[-1], share)
    frame = reader.downsample([POWER], at(begin), at(begin + 60), timedelta(seconds=step_s))
    rows = frame.select("time", "min", "max", "last", "good_share").rows()
    assert {time: (low, high, last, share) for time, low, high, last, share in rows} == {
        time: (low, high, last, pytest.approx(share)) for time, (low, high, last, share) in expected.items()
    }
    assert all(
        low - 1e-3 <= mean <= high + 1e-3 for mean, low, high in frame.select("mean", "min", "max").rows()
    )


def sample(second: float, value: float, quality: Quality) -> Reading:
    values = {} if quality is Quality.BAD else {"active_power_w": value}
    flags = {} if quality is Quality.GOOD else {"active_power_w": (quality, Reason.FROZEN)}
    return Reading(at(second), "pdu-1", values, flags)
