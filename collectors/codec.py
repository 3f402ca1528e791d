"""Registers <-> values: one pure codec for both sides of the wire."""

import math
import struct
from functools import cache
from typing import NamedTuple

from igoudar.collectors.registers import WIDTHS
from igoudar.core.model import ModbusAddress, OpcUaAddress, Point, Quality, Reason

Decoded = tuple[float | None, Quality, Reason]

GOOD = (Quality.GOOD, Reason.NONE)
NOT_A_SCALE_FACTOR = -0x8000
FORMATS = {1: "H", 2: "I", 4: "Q"}
SIGNED_FORMATS = {1: "h", 2: "i", 4: "q"}


class Shape(NamedTuple):
    """What a register type needs: its struct format, limits and sentinels in the decoded sense."""

    registers: int
    format: str  # one big-endian struct character
    low: float
    high: float
    sentinels: frozenset[int]
    sentinel: int | None  # the pattern that says "no value", None where the type has none


@cache
def shape(address: ModbusAddress) -> Shape:
    """Compile an address's type once."""
    registers = WIDTHS[address.type]
    if address.type in ("f32", "f64"):
        high = math.inf if registers == 4 else struct.unpack(">f", b"\x7f\x7f\xff\xff")[0]
        return Shape(registers, "f" if registers == 2 else "d", -high, high, frozenset(), None)
    signed = address.type.startswith("i")
    bits = 16 * registers
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    patterns = [p - (1 << bits) if signed and p >> (bits - 1) else p for p in address.sentinels]
    while low in patterns and signed:
        low += 1
    while high in patterns:
        high -= 1
    format_ = (SIGNED_FORMATS if signed else FORMATS)[registers]
    return Shape(registers, format_, low, high, frozenset(patterns), patterns[0] if patterns else None)


def width(point: Point) -> int:
    """How many registers a point takes."""
    return shape(_address(point)).registers


def scale_factor(registers: bytes) -> int | None:
    """A signed SunSpec scale factor, None when it is not usable (0x8000 or outside -10..10)."""
    if len(registers) != 2:
        return None
    value: int = struct.unpack(">h", registers)[0]
    return value if -10 <= value <= 10 else None


def decode(point: Point, registers: bytes, scale_factor: int | None) -> Decoded:
    """One point's value in its own unit; never raises, whatever the bytes.

    Args:
        point: A Modbus point.
        registers: Exactly its registers, as on the wire.
        scale_factor: The value of its scale-factor register; ignored where the point has none.
    """
    address = _address(point)
    form = shape(address)
    if len(registers) != 2 * form.registers:
        return None, Quality.BAD, Reason.MALFORMED
    raw = struct.unpack(">" + form.format, reorder(registers, address.word_order))[0]
    return finish(point, raw, scale_factor)


def finish(point: Point, raw: float, scale_factor: int | None) -> Decoded:
    """Turn a raw number into a value: sentinels, scale, plausible range."""
    address = _address(point)
    if raw != raw or raw in shape(address).sentinels:
        return None, Quality.BAD, Reason.SENTINEL
    exponent = 0 if address.scale_factor is None else scale_factor
    if exponent is None:
        return None, Quality.BAD, Reason.SCALE_FACTOR
    multiplier, divisor = ratio(address.scale)
    return judge(point, scaled(raw, exponent) * multiplier / divisor + address.offset)


def judge(point: Point, value: float) -> Decoded:
    """A value in its own unit, unless it is no number or outside the plausible range."""
    if value != value:
        return None, Quality.BAD, Reason.SENTINEL
    low, high = limits(point)
    if not low <= value <= high or math.isinf(value):
        return None, Quality.BAD, Reason.OUT_OF_RANGE
    return value, *GOOD


def limits(point: Point) -> tuple[float, float]:
    """The plausible range, wider by what a 32-bit float may round: 67.22 arrives as 67.2200012."""
    if point.plausible is None:
        return -math.inf, math.inf
    low, high = point.plausible
    slack = 1e-6 * max(abs(low), abs(high))
    return low - slack, high + slack


def from_raw(point: Point, raw: float) -> Decoded:
    """The value of an OPC UA node's or a metric's number."""
    address = point.address
    offset = address.offset if isinstance(address, OpcUaAddress) else 0.0
    multiplier, divisor = ratio(address.scale)
    return judge(point, raw * multiplier / divisor + offset)


def to_raw(point: Point, value: float) -> float:
    """The number that an OPC UA node or a metric shows for `value`; the inverse of `from_raw`."""
    address = point.address
    offset = address.offset if isinstance(address, OpcUaAddress) else 0.0
    return (value - offset) / address.scale


def scaled(raw: float, exponent: int) -> float:
    """`raw` x 10^exponent; dividing keeps 2305 x 10^-1 at 230.5 where multiplying would not."""
    return raw * 10.0**exponent if exponent >= 0 else raw / 10.0**-exponent


def ratio(scale: float) -> tuple[float, float]:
    """`scale` as (multiplier, divisor): 424 / 10 is 42.4, 424 x 0.1 is not."""
    divisor = round(1 / scale)
    return (
        (1.0, float(divisor))
        if divisor and math.isclose(divisor * scale, 1.0, rel_tol=1e-12)
        else (scale, 1.0)
    )


def encode(point: Point, value: float | None, scale_factor: int | None) -> bytes:
    """The registers that hold `value`, or the point's "no value" pattern for None.

    A counter wraps; anything else saturates at the type's limits. A number never lands on a sentinel (but for
    an accumulator's 0). An integer point without a sentinel shows None as its type's conventional pattern.
    """
    address = _address(point)
    form = shape(address)
    if value is None or value != value:
        return reorder(_no_value(form), address.word_order)
    exponent = scale_factor or 0 if address.scale_factor is not None else 0
    raw = scaled((value - address.offset) / address.scale, -exponent)
    number = _float(raw, form) if form.format in "fd" else _integer(raw, form, point.counter)
    return reorder(struct.pack(">" + form.format, number), address.word_order)


def fitting_scale_factor(point: Point, largest: float) -> int:
    """The finest scale factor (-3 or above) with which `largest` still fits the point's type."""
    address = _address(point)
    high = shape(address).high
    raw = abs((largest - address.offset) / address.scale)
    return next(e for e in range(-3, 11) if scaled(raw, -e) <= high or e == 10)


def resolution(point: Point, value: float, scale_factor: int | None) -> float:
    """How far a point's register may round `value`: one step of an integer, one part in 10^6 of a float."""
    address = _address(point)
    if shape(address).format in "fd":
        return max(abs(value) * 1e-6, 1e-9)
    return scaled(abs(address.scale), scale_factor or 0 if address.scale_factor is not None else 0)


def reorder(data: bytes, order: str) -> bytes:
    """Between the wire's word and byte order and plain big-endian; its own inverse."""
    if order == "ABCD":
        return data
    if order == "DCBA":
        return data[::-1]
    swapped = b"".join(data[i : i + 2][::-1] for i in range(0, len(data), 2))
    return swapped if order == "BADC" else swapped[::-1]


def _address(point: Point) -> ModbusAddress:
    assert isinstance(point.address, ModbusAddress), point.name  # noqa: S101 - a caller's mistake, not input
    return point.address


def _float(raw: float, form: Shape) -> float:
    return min(max(raw, form.low), form.high) if form.format == "f" else raw


def _integer(raw: float, form: Shape, counter: bool) -> int:
    if counter and math.isfinite(raw):
        bits = 16 * form.registers
        raw = round(raw) % (1 << bits)
        raw -= 1 << bits if form.low < 0 and raw >> (bits - 1) else 0
    number = round(min(max(raw, form.low), form.high))
    return number - 1 if number and number in form.sentinels else number


def _no_value(form: Shape) -> bytes:
    if form.format in "fd":
        return struct.pack(">" + form.format, math.nan)
    if form.sentinel is not None:
        return struct.pack(">" + form.format, form.sentinel)
    return (b"\x80" if form.low < 0 else b"\xff").ljust(
        2 * form.registers, b"\0" if form.low < 0 else b"\xff"
    )
