"""The registers of one simulated device: laid out by its profile, filled through the shared codec."""

import struct
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from igoudar.collectors import codec, sunspec
from igoudar.core.model import ModbusAddress, Point, Profile
from igoudar.simulators.modbus_server import (
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_HOLDING,
    ModbusRefusal,
)
from igoudar.simulators.sunspec_image import image


class Place(NamedTuple):
    """One point in the register space."""

    point: Point
    function: int
    address: int
    width: int
    scale_factor_at: int | None  # address of its scale-factor register


class Block(NamedTuple):
    """Registers that answer as one range, zeros where no point stands."""

    start: int
    data: bytearray


def places(profile: Profile) -> tuple[Place, ...]:
    """Where each Modbus point of `profile` stands."""
    models = sunspec.locate(profile)
    return tuple(_place(point, models) for point in profile.points.values())


def _place(point: Point, models: Mapping[int, int]) -> Place:
    address = point.address
    assert isinstance(address, ModbusAddress), point.name  # noqa: S101  # a caller's mistake, not input
    base = models[address.model] if address.model else 0
    factor = None if address.scale_factor is None else base + address.scale_factor
    return Place(point, address.function, base + address.register, codec.width(point), factor)


def blocks(spans: Iterable[tuple[int, int]], fill: int) -> list[Block]:
    """Blocks over `spans` (start, length), joined where a reader may read up to `fill` registers along."""
    found: list[list[int]] = []
    for start, length in sorted(spans):
        if found and start <= found[-1][1] + fill:
            found[-1][1] = max(found[-1][1], start + length)
        else:
            found.append([start, start + length])
    return [Block(start, bytearray(2 * (end - start))) for start, end in found]


class RegisterBank:
    """The registers of one device.

    Args:
        profile: What the product has where.
        largest: The largest value of a point in its own unit; sets its scale factor.
        serial: Shown in SunSpec model 1.
        unit: The Modbus unit id, shown there too.
    """

    def __init__(self, profile: Profile, largest: Mapping[str, float], serial: str, unit: int) -> None:
        self._places = places(profile)
        self._holes = profile.modbus.holes
        frame = tuple(image(profile, serial, unit))
        self._factors = _scale_factors(self._places, largest)
        self._blocks = self._lay_out(frame, profile.modbus.max_fill)
        for address, data in frame:
            self._put(READ_HOLDING, address, data)
        for (function, address), exponent in self._factors.items():
            self._put(function, address, struct.pack(">h", exponent))
        self.store({})

    def _lay_out(self, frame: Iterable[tuple[int, bytes]], fill: int) -> dict[int, list[Block]]:
        spans: dict[int, list[tuple[int, int]]] = {}
        for place in self._places:
            spans.setdefault(place.function, []).append((place.address, place.width))
        for function, address in self._factors:
            spans.setdefault(function, []).append((address, 1))
        held = [(address, len(data) // 2) for address, data in frame]
        if held:
            spans.setdefault(READ_HOLDING, []).extend(held)
        return {function: blocks(taken, fill) for function, taken in spans.items()}

    def scale_factor(self, place: Place) -> int | None:
        """The exponent in the place's scale-factor register, None where it has none."""
        if place.scale_factor_at is None:
            return None
        return self._factors[place.function, place.scale_factor_at]

    def store(self, values: Mapping[str, float | None]) -> None:
        """Encode `values`, each in its point's unit; a point that is not among them reads as "no value"."""
        for place in self._places:
            data = codec.encode(place.point, values.get(place.point.name), self.scale_factor(place))
            self._put(place.function, place.address, data)

    def read(self, function: int, address: int, count: int) -> bytes:
        """`count` registers; ModbusRefusal 2 outside the product's map or in one of its holes."""
        if function < READ_HOLDING and function not in self._blocks:
            raise ModbusRefusal(ILLEGAL_FUNCTION)
        if any(start < address + count and address <= end for start, end in self._holes):
            raise ModbusRefusal(ILLEGAL_ADDRESS)
        for start, data in self._blocks.get(function, ()):
            first, last = 2 * (address - start), 2 * (address - start + count)
            if first >= 0 and last <= len(data):
                return bytes(data[first:last])
        raise ModbusRefusal(ILLEGAL_ADDRESS)

    def setpoints(self, address: int, data: bytes) -> list[tuple[str, float]]:
        """What a write asks for, as (point, value).

        Raises:
            ModbusRefusal: 2 for a register that can't be written or half a value, 3 for a value out of range.
        """
        found: list[tuple[str, float]] = []
        writable = {p.address: p for p in self._places if p.point.writable and p.function == READ_HOLDING}
        end = address + len(data) // 2
        at = address
        while at < end:
            place = writable.get(at)
            if place is None or at + place.width > end:
                raise ModbusRefusal(ILLEGAL_ADDRESS)
            raw = data[2 * (at - address) : 2 * (at - address + place.width)]
            found.append((place.point.name, self._wanted(place, raw)))
            at += place.width
        return found

    def _wanted(self, place: Place, raw: bytes) -> float:
        value, _, _ = codec.decode(place.point, raw, self.scale_factor(place))
        limits = place.point.writable
        if value is None or limits is None or not limits.minimum <= value <= limits.maximum:
            raise ModbusRefusal(ILLEGAL_VALUE)
        return value

    def _put(self, function: int, address: int, data: bytes) -> None:
        for start, block in self._blocks[function]:
            first = 2 * (address - start)
            if 0 <= first <= len(block) - len(data):
                block[first : first + len(data)] = data
                return


def _scale_factors(placed: Iterable[Place], largest: Mapping[str, float]) -> dict[tuple[int, int], int]:
    """One exponent per scale-factor register: the finest with which each of its points still fits."""
    factors: dict[tuple[int, int], int] = {}
    for place in placed:
        if place.scale_factor_at is None:
            continue
        key = place.function, place.scale_factor_at
        wanted = codec.fitting_scale_factor(place.point, largest.get(place.point.name, 1.0))
        factors[key] = max(wanted, factors.get(key, wanted))
    return factors
