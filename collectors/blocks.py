"""Which registers to read together, and how to take the points out of them: compiled once per device."""

import struct
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from igoudar.collectors.codec import limits, ratio, reorder, scale_factor, shape
from igoudar.collectors.spans import Block, Layout, Learned, Span, factor_span, lay_out, modbus, value_span
from igoudar.core.model import Point, Profile, Quality, Reason

Flags = dict[str, tuple[Quality, Reason]]

NOTHING = Learned()
LARGEST = sys.float_info.max


class Field(NamedTuple):
    """One point within the blocks; positions are (block, byte offset)."""

    name: str
    block: int
    at: int
    unpack: struct.Struct
    order: str
    sentinels: frozenset[int]
    factor: tuple[int, int] | None
    again: tuple[int, int] | None  # the factor's second reading, where it comes apart from the value
    multiplier: float
    divisor: float
    offset: float
    low: float
    high: float


Rule = tuple[str, float, float, float, float, float, frozenset[int]]
"""Name, multiplier, divisor, offset, low, high, sentinels of a plain field."""


class Group(NamedTuple):
    """Fields of one block that are taken out at once: big-endian, without scale factor or overlap."""

    block: int
    unpack: struct.Struct
    rules: tuple[Rule, ...]


class Plan(NamedTuple):
    """All requests of a device and the points in their answers."""

    blocks: tuple[Block, ...]
    fields: tuple[Field, ...]
    spans: tuple[Span, ...] = ()
    lost: frozenset[str] = frozenset()  # points whose registers the device does not have
    groups: tuple[Group, ...] = ()
    single: tuple[Field, ...] = ()  # fields in no group

    def decode(self, payloads: Sequence[bytes | Reason]) -> tuple[dict[str, float], Flags]:
        """Values and flags; a block that was refused is given as the reason why."""
        values: dict[str, float] = {}
        flags: Flags = dict.fromkeys(self.lost, (Quality.BAD, Reason.EXCEPTION))
        for group in self.groups:
            data = payloads[group.block]
            if isinstance(data, Reason):
                flags.update((rule[0], (Quality.BAD, data)) for rule in group.rules)
            else:
                _take(group, data, values, flags)
        for field in self.single:
            value = _value(field, payloads)
            if isinstance(value, Reason):
                flags[field.name] = (Quality.BAD, value)
            else:
                values[field.name] = value
        return values, flags


def compile_plan(
    profile: Profile,
    models: Mapping[int, int],
    points: Sequence[Point],
    learned: Learned = NOTHING,
) -> Plan:
    """Merge the registers of `points` into few requests, within the product's rules.

    Args:
        profile: A Modbus profile.
        models: Address of each SunSpec model's ID register, {} for a fixed map.
        points: Which of its points.
        learned: What this device refuses beyond its profile.
    """
    layout = lay_out(points, models, profile.modbus, learned)
    fields = tuple(_field(point, models, layout) for point in points if point.name not in layout.lost)
    groups, single = _grouped(fields, layout.blocks)
    return Plan(layout.blocks, fields, layout.spans, layout.lost, groups, single)


class Plans:
    """Compiled plans by what they are made of: a thousand devices of one product share theirs."""

    def __init__(self, most: int = 512) -> None:
        self._most = most
        self._plans: dict[object, tuple[Profile, Plan]] = {}

    def of(self, profile: Profile, models: Mapping[int, int], slow: bool, learned: Learned) -> Plan:
        """The plan of all of the profile's points, or of those that are not slow."""
        key = (id(profile), slow, tuple(models.items()), learned)
        if key not in self._plans:
            if len(self._plans) >= self._most:
                self._plans.clear()
            points = [point for point in profile.points.values() if slow or not point.slow]
            plan = compile_plan(profile, models, points, learned)
            self._plans[key] = (profile, plan)  # kept alive: another profile must not get its id
        return self._plans[key][1]


PLANS = Plans()


def address_of(point: Point, models: Mapping[int, int]) -> int:
    """The wire address of a Modbus point."""
    return value_span(point, models).address


def _field(point: Point, models: Mapping[int, int], layout: Layout) -> Field:
    address, form = modbus(point), shape(modbus(point))
    value, factor = value_span(point, models), factor_span(point, models)
    low, high = limits(point)
    block, at, factor_at, again = _places(value, factor, layout, torn=point.name in layout.torn)
    return Field(
        point.name,
        block,
        at,
        struct.Struct(">" + form.format),
        address.word_order,
        form.sentinels,
        factor_at,
        again,
        *ratio(address.scale),
        address.offset,
        low,
        high,
    )


Place = tuple[int, int]
"""Block and byte offset."""


def _places(
    value: Span, factor: Span | None, layout: Layout, *, torn: bool
) -> tuple[int, int, Place | None, Place | None]:
    """Value, factor, factor's second reading: value and factor in one block unless the point is torn."""
    if factor is None:
        return *_find(layout.blocks, value), None, None
    if torn:
        again = len(layout.blocks) - 1 - _find(layout.blocks[::-1], factor)[0]
        first = _find(layout.blocks, factor)
        return *_find(layout.blocks, value), first, (again, first[1])
    index = next(i for i, b in enumerate(layout.blocks) if b.holds(value) and b.holds(factor))
    start = layout.blocks[index].address
    return index, 2 * (value.address - start), (index, 2 * (factor.address - start)), None


def _find(blocks: Sequence[Block], span: Span) -> Place:
    return next((i, 2 * (span.address - b.address)) for i, b in enumerate(blocks) if b.holds(span))


def _grouped(fields: Sequence[Field], blocks: Sequence[Block]) -> tuple[tuple[Group, ...], tuple[Field, ...]]:
    groups: list[Group] = []
    single: list[Field] = []
    for number, block in enumerate(blocks):
        here = sorted((f for f in fields if f.block == number), key=lambda f: f.at)
        plain: list[Field] = []
        for field in here:
            end = plain[-1].at + plain[-1].unpack.size if plain else 0
            fits = field.order == "ABCD" and field.factor is None and field.at >= end
            (plain if fits else single).append(field)
        if plain:
            groups.append(_group(number, plain, 2 * block.width))
    return tuple(groups), tuple(single)


def _group(number: int, fields: Sequence[Field], size: int) -> Group:
    form, at = ">", 0
    for field in fields:
        form += f"{field.at - at}x{field.unpack.format[1:]}"
        at = field.at + field.unpack.size
    rules = tuple(
        (f.name, f.multiplier, f.divisor, f.offset, max(f.low, -LARGEST), min(f.high, LARGEST), f.sentinels)
        for f in fields
    )
    return Group(number, struct.Struct(f"{form}{size - at}x"), rules)


def _take(group: Group, data: bytes, values: dict[str, float], flags: Flags) -> None:
    """What fails the comparison is out of range or no number at all."""
    for rule, raw in zip(group.rules, group.unpack.unpack(data), strict=True):
        name, multiplier, divisor, offset, low, high, sentinels = rule
        value = raw * multiplier / divisor + offset
        if low <= value <= high and (not sentinels or raw not in sentinels):
            values[name] = value
        else:
            nothing = raw != raw or raw in sentinels
            flags[name] = (Quality.BAD, Reason.SENTINEL if nothing else Reason.OUT_OF_RANGE)


def _value(field: Field, payloads: Sequence[bytes | Reason]) -> float | Reason:
    data = payloads[field.block]
    if isinstance(data, Reason):
        return data
    raw = _raw(field, data)
    if raw != raw or raw in field.sentinels:
        return Reason.SENTINEL
    if field.factor is not None:
        exponent = _exponent(field.factor, payloads)
        if exponent is None or (field.again and exponent != _exponent(field.again, payloads)):
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
