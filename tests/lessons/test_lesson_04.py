"""Sentinels at every width, and the 40 s of them that follow a reconnect."""

import math
import struct
from collections.abc import Callable

import pytest

from igoudar.collectors import codec
from igoudar.collectors.poll import Station, Tally, poll
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.readers import Values
from igoudar.core.clock import ManualClock
from igoudar.core.model import MetricAddress, ModbusAddress, OpcUaAddress, Point, Quality, Reading, Reason
from tests.collectors.rigs import START, device, run_virtually
from tests.collectors.test_poll import Scripted

PATTERNS = (
    ("u16", "ffff"),
    ("i16", "8000"),
    ("u32", "ffffffff"),
    ("i32", "80000000"),
    ("u64", "ffffffffffffffff"),
    ("i64", "8000000000000000"),
    ("f32", "7fc00000"),
    ("f32", "ffffffff"),
    ("f64", "7ff8000000000000"),
)
PROFILES = load_profiles()
SENTINELS = [
    (name, point, pattern)
    for name, profile in PROFILES.items()
    for point in profile.points.values()
    if isinstance(point.address, ModbusAddress)
    for pattern in point.address.sentinels
]


@pytest.mark.parametrize(("type_", "pattern"), PATTERNS)
@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_lesson_04_not_implemented_at_every_width_and_order(type_: str, pattern: str, order: str) -> None:
    raw = int(pattern, 16)
    point = Point("x_w", ModbusAddress(0, type_, word_order=order, sentinels=(raw,)))
    wire = codec.reorder(bytes.fromhex(pattern), order)
    assert codec.decode(point, wire, None) == (None, Quality.BAD, Reason.SENTINEL)


@pytest.mark.parametrize(("name", "point", "pattern"), SENTINELS)
def test_lesson_04_every_sentinel_of_every_profile_is_no_number(
    name: str, point: Point, pattern: int
) -> None:
    width = codec.width(point)
    assert isinstance(point.address, ModbusAddress)
    wire = codec.reorder(pattern.to_bytes(2 * width), point.address.word_order)
    assert codec.decode(point, wire, 0) == (None, Quality.BAD, Reason.SENTINEL), name


def test_lesson_04_infinity_is_no_number_either() -> None:
    for type_, code in (("f32", ">f"), ("f64", ">d")):
        for value in (math.inf, -math.inf):
            data = struct.pack(code, value)
            assert codec.decode(Point("x_w", ModbusAddress(0, type_)), data, None)[0] is None


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf, 1e308])
@pytest.mark.parametrize("address", [OpcUaAddress("X", scale=1e3), MetricAddress("x", scale=1e3)])
def test_lesson_04_neither_node_nor_metric_brings_one(
    address: OpcUaAddress | MetricAddress, raw: float
) -> None:
    value, quality, _ = codec.from_raw(Point("x_w", address), raw)
    assert (value, quality) == (None, Quality.BAD)


def test_lesson_04_forty_seconds_of_sentinels_after_a_reconnect_store_no_number() -> None:
    readings = polled(sentinels_for_40_s, 75)
    bad = [r for r in readings if not r.values]
    assert [dict(r.flags) for r in bad] == [{"active_power_w": (Quality.BAD, Reason.SENTINEL)}] * 8
    good = [r.values["active_power_w"] for r in readings if r.values]
    assert good == [5.0] * (len(readings) - 8)


def sentinels_for_40_s(number: int) -> Values:
    if 3 <= number < 11:  # eight polls of 5 s
        return Values({}, {"active_power_w": (Quality.BAD, Reason.SENTINEL)})
    return Values({"active_power_w": 5.0}, {})


def polled(answer: Callable[[int], Values], seconds: float) -> list[Reading]:
    readings, meter = list[Reading](), PROFILES["schneider-iem3000"]

    async def go() -> None:
        import asyncio

        station = Station(device("m", meter), meter, Scripted(answer))
        work = poll(station, 0.0, readings.append, ManualClock(START), Tally())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(work, seconds)

    run_virtually(go())
    return readings
