"""Lines of protocol: floats always, flags only where something is wrong."""

from pathlib import Path

import numpy as np
import pytest
from tests.core.store.conftest import HOSTILE, ORIGINS
from tests.core.store.samples import at

from igoudar.core.errors import StoreError
from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.influx_line import LineWriter
from igoudar.core.store.influx_place import InfluxPlace

US = 1_795_327_200_000_000  # at(0)


def lines(precision: str = "us") -> LineWriter:
    return LineWriter(InfluxPlace("http://x", "b", Path("t"), "lab", dict(ORIGINS), precision=precision))


def test_a_good_reading_is_one_wide_row() -> None:
    good = Reading(at(0), "pdu-1", {"active_power_w": 10.0, "voltage_v": 230.5})
    expected = rf"pdu,device=pdu-1,hall=hall\ a,site=lab active_power_w=10.0,voltage_v=230.5 {US}"
    assert lines().line(good) == expected


@pytest.mark.parametrize("value", [5, True, np.float64(5), np.float32(5), np.int32(5)])
def test_whatever_number_it_was_it_is_a_float(value: float) -> None:
    expected = f"pdu,device=pdu-2,site=lab operating_state={float(value)!r}"
    plain = Reading(at(0), "pdu-2", {"operating_state": value})
    flagged = Reading(at(0), "pdu-2", {"operating_state": value}, {"x_w": (Quality.BAD, Reason.BUSY)})
    assert lines().line(plain) == f"{expected} {US}"
    assert lines().line(flagged) == f"{expected},x_w__q=2i,x_w__r=10i {US}"


def test_flags_stand_only_where_something_is_wrong() -> None:
    flags = {
        "active_power_w": (Quality.UNCERTAIN, Reason.FROZEN),
        "frequency_hz": (Quality.BAD, Reason.SENTINEL),
    }
    mixed = Reading(at(0), "pdu-2", {"active_power_w": 1.0, "voltage_v": 2.0}, flags)
    fields = (
        "active_power_w=1.0,active_power_w__q=1i,active_power_w__r=3i,voltage_v=2.0,"
        "frequency_hz__q=2i,frequency_hz__r=1i"
    )
    assert lines().line(mixed) == f"pdu,device=pdu-2,site=lab {fields} {US}"


def test_a_source_time_stands_beside_each_point_unless_it_is_the_same() -> None:
    early = Reading(at(1), "turbine-1", {"a_w": 1.0, "b_w": 2.0}, source_at=at(0.25))
    fields = "a_w=1.0,a_w__dt=-750i,b_w=2.0,b_w__dt=-750i"
    assert lines().line(early) == f"turbine,device=turbine-1,site=lab {fields} {US + 1_000_000}"
    same = Reading(at(0), "turbine-1", {"a_w": 1.0}, source_at=at(0))
    assert lines().line(same) == f"turbine,device=turbine-1,site=lab a_w=1.0 {US}"


def test_a_gap_is_a_point_of_its_own() -> None:
    gap = Reading(at(0), "pdu-2", {}, gap=Gap(Reason.NO_CONNECTION))
    assert lines().line(gap) == f"pdu,device=pdu-2,site=lab gap__q=2i,gap__r=8i {US}"


def test_nothing_is_no_line() -> None:
    assert lines().line(Reading(at(0), "pdu-1", {})) == ""


@pytest.mark.parametrize(("precision", "time"), [("ns", US * 1000), ("us", US), ("ms", US // 1000)])
def test_times_are_whole_numbers_of_the_precision(precision: str, time: int) -> None:
    assert lines(precision).line(Reading(at(0), "pdu-1", {"a_w": 1.0})).endswith(f" {time}")


def test_names_are_escaped() -> None:
    line = lines().line(Reading(at(0), HOSTILE, {"a_w": 1.0}))
    assert line.startswith(r"""meter,device=pdu\ "2"\,\ a\=b'c%s\ é,hall=h\,1\=2,site=lab a_w=1.0 """)


def test_a_device_that_the_site_does_not_have_is_refused() -> None:
    with pytest.raises(StoreError, match="no such device"):
        lines().line(Reading(at(0), "ghost", {"a_w": 1.0}))
