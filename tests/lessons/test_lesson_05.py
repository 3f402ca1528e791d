"""Word and byte orders; a corrupt high word never becomes a number."""

import math
import struct
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from igoudar.collectors import codec, sunspec
from igoudar.collectors.blocks import compile_plan
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.quality import Memory
from igoudar.collectors.readers import Values
from igoudar.collectors.registers import WIDTHS
from igoudar.core.model import ModbusAddress, Point, Profile, Quality, Reason
from tests.collectors.rigs import START

PROFILES = {name: p for name, p in load_profiles().items() if p.protocol == "modbus"}
METER = PROFILES["socomec-countis-e"]
ENERGY = "active_energy_import_wh"


@pytest.mark.parametrize(
    ("order", "wire"),
    [("ABCD", "42f6e979"), ("CDAB", "e97942f6"), ("BADC", "f64279e9"), ("DCBA", "79e9f642")],
)
def test_lesson_05_word_and_byte_orders(order: str, wire: str) -> None:
    point = Point("x_w", ModbusAddress(0, "f32", word_order=order))
    value, quality, _ = codec.decode(point, bytes.fromhex(wire), None)
    assert quality is Quality.GOOD
    assert value == pytest.approx(123.456, rel=1e-6)


def test_lesson_05_a_corrupt_high_word_of_a_power_is_out_of_range() -> None:
    point = Point("active_power_w", ModbusAddress(0, "u32"), plausible=(0, 1e6))
    assert codec.decode(point, struct.pack(">HH", 0, 4321), None)[0] == 4321
    for high in (0x00FF, 0x7FFF, 0xFFFE, 0xFFFF):
        assert codec.decode(point, struct.pack(">HH", high, 4321), None)[0] is None


@given(st.integers(0, 0xFFFF_FFFF), st.integers(1, 0xFFFF))
def test_lesson_05_a_corrupt_high_word_of_a_counter_gives_no_number(raw: int, garbage: int) -> None:
    """Once a counter is known, a high word that changes alone is either refused or no real change."""
    memory, corrupt = Memory(METER), raw ^ garbage << 16
    judge(memory, 0, 1e3 * raw)
    answer = judge(memory, 5, 1e3 * corrupt)
    most_wh = (
        1e10 * 10 / 3600 + 1e3 + 1e-6 * 1e3 * raw
    )  # two polls at 10 GW, the register's step, its rounding
    wrapped = (corrupt - raw) % 2**32 * 1e3
    assert ENERGY not in answer.values or wrapped <= most_wh or abs(corrupt - raw) <= 1e-6 * raw + 1
    after = judge(memory, 10, 1e3 * raw)
    assert ENERGY in answer.values or after.values[ENERGY] == 1e3 * raw


def judge(memory: Memory, second: float, value: float) -> Values:
    return memory.judge(Values({ENERGY: value}, {}), START + timedelta(seconds=second))


@pytest.mark.parametrize("name", sorted(PROFILES))
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_lesson_05_garbage_never_becomes_a_number_beyond_the_plausible(
    name: str, data: st.DataObject
) -> None:
    profile = PROFILES[name]
    plan = compile_plan(profile, sunspec.locate(profile), list(profile.points.values()))
    blocks = [data.draw(payload(block.width)) for block in plan.blocks]
    values, flags = plan.decode(blocks)
    assert set(values) | set(flags) == set(profile.points)
    for point, value in values.items():
        assert math.isfinite(value)
        low, high = codec.limits(profile.points[point])
        assert low <= value <= high
    assert all(quality is Quality.BAD for quality, _ in flags.values())


def payload(width: int) -> "st.SearchStrategy[bytes | Reason]":
    size = 2 * width
    return st.binary(min_size=size, max_size=size) | st.sampled_from([Reason.EXCEPTION, Reason.BUSY])


def test_lesson_05_every_point_has_a_plausible_range() -> None:
    for profile in load_profiles().values():
        for point in profile.points.values():
            assert point.plausible is not None, f"{profile.name} {point.name}"
            assert all(map(math.isfinite, point.plausible))


@given(
    type_=st.sampled_from(sorted(WIDTHS)),
    scale=st.floats(1e-6, 1e6),
    offset=st.floats(-1e6, 1e6),
    data=st.binary(max_size=8),
    factor=st.none() | st.integers(-10, 10),
)
def test_lesson_05_the_decoder_never_raises(
    type_: str, scale: float, offset: float, data: bytes, factor: int | None
) -> None:
    address = ModbusAddress(0, type_, scale=scale, offset=offset, scale_factor=4)
    value, quality, _ = codec.decode(Point("x_w", address), data, factor)
    assert (value is None) == (quality is Quality.BAD)
    assert value is None or math.isfinite(value)


def test_lesson_05_profiles_name_only_known_orders() -> None:
    orders = {a.word_order for p in PROFILES.values() for a in addresses(p)}
    assert orders <= {"ABCD", "CDAB", "BADC", "DCBA"}
    assert "CDAB" in orders


def addresses(profile: Profile) -> list[ModbusAddress]:
    return [p.address for p in profile.points.values() if isinstance(p.address, ModbusAddress)]
