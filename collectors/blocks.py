"""Which registers to read together, and how to take the points out of them: compiled once per device."""

import struct
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from igoudar.collectors.codec import limits, ratio, reorder, scale_factor, shape
from igoudar.collectors.registers import WIDTHS
from igoudar.core.model import ModbusAddress, ModbusRules, Point, Profile, Quality, Reason

Flags = dict[str, tuple[Quality, Reason]]


class Block(NamedTuple):
    """One read request."""

    function: int
    address: int
    width: int


class Field(NamedTuple):
    """One point within the blocks; positions are (block, byte offset)."""

    name: str
    block: int
    at: int
    unpack: struct.Struct
    order: str
    sentinels: frozenset[int]
    factor: tuple[int, int] | None
    multiplier: float
    divisor: float
    offset: float
    low: float
    high: float


class Plan(NamedTuple):
    """All requests of a device and the points in their answers."""

    blocks: tuple[Block, ...]
    fields: tuple[Field, ...]

    def decode(self, payloads: Sequence[bytes | Reason]) -> tuple[dict[str, float], Flags]:
        """Values and flags; a block that was refused is given as the reason why."""
        values: dict[str, float] = {}
        flags: Flags = {}
        for field in self.fields:
            value = _value(field, payloads)
            if isinstance(value, Reason):
                flags[field.name] = (Quality.BAD, value)
            else:
                values[field.name] = value
        return values, flags


class Span(NamedTuple):
    """Registers that must arrive in one piece; sorts by where they stand."""

    function: int
    address: int
    width: int


def compile_plan(profile: Profile, models: Mapping[int, int], points: Sequence[Point]) -> Plan:
    """Merge the registers of `points` into few requests, within the product's rules.

    Args:
        profile: A Modbus profile.
        models: Address of each SunSpec model's ID register, {} for a fixed map.
        points: Which of its points.
    """
    spans = sorted({span for point in points for span in _spans(point, models)})
    blocks = tuple(_merge(spans, profile.modbus))
    return Plan(blocks, tuple(_field(point, models, blocks) for point in points))


def address_of(point: Point, models: Mapping[int, int]) -> int:
    """The wire address of a Modbus point."""
    address = _modbus(point)
    return address.register + (models[address.model] if address.model else 0)


def _modbus(point: Point) -> ModbusAddress:
    assert isinstance(point.address, ModbusAddress), point.name  # noqa: S101 - the profile's protocol says so
    return point.address


def _spans(point: Point, models: Mapping[int, int]) -> list[Span]:
    address = _modbus(point)
    spans = [Span(address.function, address_of(point, models), WIDTHS[address.type])]
    if (factor := _factor(point, models)) is not None:
        spans.append(Span(address.function, factor, 1))
    return spans


def _factor(point: Point, models: Mapping[int, int]) -> int | None:
    address = _modbus(point)
    if address.scale_factor is None:
        return None
    return address.scale_factor + (models[address.model] if address.model else 0)


def _merge(spans: Sequence[Span], rules: ModbusRules) -> list[Block]:
    blocks: list[Block] = []
    for span in spans:
        if blocks and _joins(blocks[-1], span, rules):
            last = blocks[-1]
            end = max(last.address + last.width, span.address + span.width)
            blocks[-1] = last._replace(width=end - last.address)
        else:
            blocks.append(Block(span.function, span.address, span.width))
    return blocks


def _joins(block: Block, span: Span, rules: ModbusRules) -> bool:
    end = block.address + block.width
    return (
        span.function == block.function
        and span.address - end <= rules.max_fill
        and span.address + span.width - block.address <= rules.max_registers
        and not any(first < span.address and last >= end for first, last in rules.holes)
    )


def _field(point: Point, models: Mapping[int, int], blocks: Sequence[Block]) -> Field:
    address, form = _modbus(point), shape(_modbus(point))
    factor = _factor(point, models)
    block, at = _find(blocks, address.function, address_of(point, models), form.registers)
    low, high = limits(point)
    return Field(
        point.name,
        block,
        at,
        struct.Struct(">" + form.format),
        address.word_order,
        form.sentinels,
        None if factor is None else _find(blocks, address.function, factor, 1),
        *ratio(address.scale),
        address.offset,
        low,
        high,
    )


def _find(blocks: Sequence[Block], function: int, address: int, width: int) -> tuple[int, int]:
    return next(
        (i, 2 * (address - b.address))
        for i, b in enumerate(blocks)
        if b.function == function and b.address <= address and address + width <= b.address + b.width
    )


def _value(field: Field, payloads: Sequence[bytes | Reason]) -> float | Reason:
    data = payloads[field.block]
    if isinstance(data, Reason):
        return data
    raw = _raw(field, data)
    if raw != raw or raw in field.sentinels:
        return Reason.SENTINEL
    if field.factor is not None:
        exponent = _exponent(field.factor, payloads)
        if exponent is None:
            return Reason.SCALE_FACTOR
        raw = raw * 10.0**exponent if exponent >= 0 else raw / 10.0**-exponent
    value = raw * field.multiplier / field.divisor + field.offset
    if not field.low <= value <= field.high or value in (float("inf"), float("-inf")):
        return Reason.OUT_OF_RANGE
    return value


def _raw(field: Field, data: bytes) -> float:
    if field.order == "ABCD":
        return float(field.unpack.unpack_from(data, field.at)[0])
    piece = data[field.at : field.at + field.unpack.size]
    return float(field.unpack.unpack(reorder(piece, field.order))[0])


def _exponent(factor: tuple[int, int], payloads: Sequence[bytes | Reason]) -> int | None:
    data = payloads[factor[0]]
    return None if isinstance(data, Reason) else scale_factor(data[factor[1] : factor[1] + 2])
