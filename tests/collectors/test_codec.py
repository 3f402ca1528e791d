"""The codec alone: every width, every order, every way to say "no value" (field lessons 4 and 5)."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors import codec
from igoudar.collectors.registers import SUNSPEC_SENTINELS, WIDTHS
from igoudar.core.model import ModbusAddress, Point, Quality, Reason

INTEGERS = ("u16", "i16", "u32", "i32", "u64", "i64", "acc32")
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


def point(type_: str, **rest: object) -> Point:
    sentinels = SUNSPEC_SENTINELS.get(type_, ())
    return Point("x_w", ModbusAddress(0, type_, sentinels=sentinels, **rest))  # type: ignore[arg-type]


@given(st.sampled_from(sorted(WIDTHS)), st.binary(max_size=10), st.one_of(st.none(), st.integers(-40, 40)))
def test_any_bytes_give_a_value_or_a_reason(type_: str, data: bytes, sf: int | None) -> None:
    value, quality, reason = codec.decode(point(type_, scale_factor=9), data, sf if sf is None else sf % 11)
    assert (value is None) == (quality is Quality.BAD) == (reason is not Reason.NONE)
    assert value is None or math.isfinite(value)


@pytest.mark.parametrize("type_", sorted(WIDTHS))
@pytest.mark.parametrize("order", ORDERS)
def test_4_no_value_at_every_width_and_order(type_: str, order: str) -> None:
    p = point(type_, word_order=order)
    assert codec.decode(p, codec.encode(p, None, None), None) == (None, Quality.BAD, Reason.SENTINEL)


def test_4_the_patterns_are_those_of_the_specification() -> None:
    for type_, pattern in (("i16", "8000"), ("u16", "ffff"), ("i32", "80000000"), ("u32", "ffffffff")):
        assert codec.encode(point(type_), None, None).hex() == pattern
    for type_ in ("i64", "u64"):
        assert codec.encode(point(type_), None, None).hex() in ("8000000000000000", "ffffffffffffffff")


@given(
    st.sampled_from(["u16", "i16", "u32", "i32", "u64", "i64", "acc32"]), st.sampled_from(ORDERS), st.data()
)
def test_5_integers_survive_the_wire_in_every_order(type_: str, order: str, data: st.DataObject) -> None:
    p = point(type_, word_order=order)
    form = codec.shape(p.address)  # type: ignore[arg-type]
    low, high = max(int(form.low), -(2**53)), min(int(form.high), 2**53)
    value = data.draw(st.integers(low, high).filter(lambda n: n not in form.sentinels))
    assert codec.decode(p, codec.encode(p, float(value), None), None)[0] == value


def test_5_word_orders_are_what_their_letters_say() -> None:
    plain = struct.pack(">f", 1234.5)
    a, b, c, d = plain
    for order, wire in (("CDAB", (c, d, a, b)), ("BADC", (b, a, d, c)), ("DCBA", (d, c, b, a))):
        assert codec.decode(point("f32", word_order=order), bytes(wire), None)[0] == 1234.5


def test_5_a_corrupt_high_word_is_no_number_where_a_range_is_stated() -> None:
    p = Point("x_w", ModbusAddress(0, "u32"), plausible=(0, 1e6))
    assert codec.decode(p, b"\x40\x00\x12\x34", None) == (None, Quality.BAD, Reason.OUT_OF_RANGE)


@given(st.floats(-1e30, 1e30), st.integers(-10, 10))
def test_too_large_a_number_saturates_and_never_reads_as_no_value(value: float, sf: int) -> None:
    for type_ in ("i16", "u16", "i32", "u32", "f32"):
        p = point(type_, scale_factor=1)
        assert codec.decode(p, codec.encode(p, value, sf), sf)[1] is Quality.GOOD


def test_17_a_counter_wraps() -> None:
    p = Point("x_wh", ModbusAddress(0, "acc32"), counter=True)
    assert codec.decode(p, codec.encode(p, 2.0**32 + 5, None), None)[0] == 5


@given(st.integers(-10, 10), st.integers(-32767, 32767))
def test_scale_factors_are_signed_and_do_not_smear_decimals(sf: int, raw: int) -> None:
    p = point("i16", scale_factor=1)
    value, *_ = codec.decode(p, struct.pack(">h", raw), sf)
    assert value == float(f"{raw}e{sf}")


def test_an_unusable_scale_factor_is_no_value() -> None:
    p = point("i16", scale_factor=1)
    assert codec.scale_factor(b"\x80\x00") is None
    assert codec.scale_factor(b"\x00\x0b") is None
    assert codec.scale_factor(b"\xff\xfe") == -2
    assert codec.decode(p, b"\0\1", None) == (None, Quality.BAD, Reason.SCALE_FACTOR)


@given(st.floats(0, 1e9))
def test_the_fitting_scale_factor_holds_the_largest_value(largest: float) -> None:
    p = point("i16", scale_factor=1)
    sf = codec.fitting_scale_factor(p, largest)
    value, *_ = codec.decode(p, codec.encode(p, largest, sf), sf)
    assert value == pytest.approx(largest, abs=10.0**sf)
