"""Which registers to ask for together: a product's limits, and what one device has been seen to refuse."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from igoudar.collectors.registers import WIDTHS
from igoudar.core.model import ModbusAddress, ModbusRules, Point


class Span(NamedTuple):
    """Registers that belong together; sorts by where they stand."""

    function: int
    address: int
    width: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.width


class Block(NamedTuple):
    """One read request."""

    function: int
    address: int
    width: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.width

    def holds(self, span: Span) -> bool:
        """Whether its answer carries all of `span`."""
        return span.function == self.function and self.address <= span.address and span.end <= self.end


@dataclass(frozen=True, slots=True)
class Learned:
    """What a device refuses beyond what its profile says."""

    lost: frozenset[Span] = frozenset()  # not there, however they are asked for
    cuts: frozenset[tuple[int, int]] = frozenset()  # (function, address): no request may reach across

    def __bool__(self) -> bool:
        return bool(self.lost or self.cuts)


class Layout(NamedTuple):
    """The requests of a device.

    `blocks` starts and ends with the scale factors that can't be had in one request with their values: those
    of `torn` points. Equal before and after, they held in between.
    """

    blocks: tuple[Block, ...]
    spans: tuple[Span, ...]  # every value's and factor's registers
    torn: frozenset[str]
    lost: frozenset[str]


def modbus(point: Point) -> ModbusAddress:
    """A point's address in registers."""
    assert isinstance(point.address, ModbusAddress), point.name  # noqa: S101 - the profile's protocol says so
    return point.address


def value_span(point: Point, models: Mapping[int, int]) -> Span:
    """Where a point's value stands."""
    address = modbus(point)
    base = models[address.model] if address.model else 0
    return Span(address.function, base + address.register, WIDTHS[address.type])


def factor_span(point: Point, models: Mapping[int, int]) -> Span | None:
    """Where its scale factor stands, None when it has none."""
    address = modbus(point)
    if address.scale_factor is None:
        return None
    base = models[address.model] if address.model else 0
    return Span(address.function, base + address.scale_factor, 1)


def lay_out(
    points: Sequence[Point], models: Mapping[int, int], rules: ModbusRules, learned: Learned
) -> Layout:
    """Merge the registers of `points` into few requests.

    Args:
        points: Modbus points.
        models: Address of each SunSpec model's ID register, {} for a fixed map.
        rules: The product's limits.
        learned: The device's own.
    """
    limits = Limits(rules, learned)
    whole: set[Span] = set()
    around: set[Span] = set()
    torn: set[str] = set()
    lost: set[str] = set()
    atoms: set[Span] = set()
    for point in points:
        value, factor = value_span(point, models), factor_span(point, models)
        if value in learned.lost or factor in learned.lost:
            lost.add(point.name)
            continue
        atoms |= {value} if factor is None else {value, factor}
        if factor is None:
            whole.add(value)
        elif (hull := limits.together(value, factor, model=bool(modbus(point).model))) is not None:
            whole.add(hull)
        else:
            whole.add(value)
            around.add(factor)
            torn.add(point.name)
    frame = tuple(limits.merge(around))
    blocks = (*frame, *limits.merge(whole), *frame)
    return Layout(blocks, tuple(sorted(atoms)), frozenset(torn), frozenset(lost))


class Limits:
    """What one request may span: the product's rules and the device's own refusals."""

    def __init__(self, rules: ModbusRules, learned: Learned) -> None:
        self._rules, self._learned = rules, learned

    def merge(self, spans: Iterable[Span]) -> list[Block]:
        """Few blocks that hold all spans."""
        blocks: list[Block] = []
        for span in sorted(spans):
            if blocks and self._joins(blocks[-1], span):
                last = blocks[-1]
                blocks[-1] = last._replace(width=max(last.end, span.end) - last.address)
            else:
                blocks.append(Block(*span))
        return blocks

    def together(self, one: Span, other: Span, *, model: bool) -> Span | None:
        """The registers of both and between, None when they can't come in one answer.

        Within a SunSpec model every register is there: the fill limit does not part value and factor.
        """
        first, last = sorted((one, other))
        hull = Span(first.function, first.address, max(first.end, last.end) - first.address)
        fits = hull.width <= self._rules.max_registers and (
            model or last.address - first.end <= self._rules.max_fill
        )
        return hull if fits and self._clear(first.address, first.end, last) else None

    def _joins(self, block: Block, span: Span) -> bool:
        return (
            span.function == block.function
            and span.address - block.end <= self._rules.max_fill
            and max(span.end, block.end) - block.address <= self._rules.max_registers
            and self._clear(block.address, block.end, span)
        )

    def _clear(self, start: int, end: int, span: Span) -> bool:
        """Whether nothing forbids a request from `start` over `end` to `span`."""
        return not (
            any(first < span.address and last >= end for first, last in self._rules.holes)
            or any(
                hole.function == span.function and hole.address < span.address and hole.end > end
                for hole in self._learned.lost
            )
            or any(
                function == span.function and start < cut <= span.address
                for function, cut in self._learned.cuts
            )
        )
