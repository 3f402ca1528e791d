"""Batches for InfluxDB: cut to size, and divided where something in them is refused."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from igoudar.core.model import Reading
from igoudar.core.store.influx_line import GAP_FIELD, QUALITY, REASON, SHIFT
from igoudar.core.store.influx_place import InfluxPlace

LINES = 5000  # of one body
BODY_BYTES = 1_000_000  # of one body: wide rows reach it first


class Numbered(NamedTuple):
    """A reading (or a part of one) with its position in the batch, as a line."""

    position: int
    reading: Reading
    line: bytes


def bodies(lines: Iterable[Numbered]) -> Iterator[list[Numbered]]:
    """Lines in portions of one request each."""
    portion: list[Numbered] = []
    size = 0
    for line in lines:
        if portion and (len(portion) >= LINES or size + len(line.line) >= BODY_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(line)
        size += len(line.line) + 1
    if portion:
        yield portion


def points(reading: Reading) -> list[str]:
    """What a reading says something of, in the order of its fields."""
    gap = [GAP_FIELD] if reading.gap else []
    return [*dict.fromkeys((*reading.values, *reading.flags)), *gap]


def only(reading: Reading, kept: Iterable[str]) -> Reading:
    """The same reading with some of its points."""
    wanted = frozenset(kept)
    return replace(
        reading,
        values={point: value for point, value in reading.values.items() if point in wanted},
        flags={point: flag for point, flag in reading.flags.items() if point in wanted},
        gap=reading.gap if GAP_FIELD in wanted else None,
    )


def halves(parts: Sequence[tuple[int, Reading]]) -> list[list[tuple[int, Reading]]]:
    """Two halves by readings, of a single reading by points; nothing when it is one point."""
    if len(parts) > 1:
        middle = len(parts) // 2
        return [list(parts[:middle]), list(parts[middle:])]
    position, reading = parts[0]
    names = points(reading)
    middle = len(names) // 2
    if not middle:
        return []
    return [[(position, only(reading, names[:middle]))], [(position, only(reading, names[middle:]))]]


def without(
    parts: Sequence[tuple[int, Reading]], place: InfluxPlace, measurement: str, field: str
) -> tuple[list[tuple[int, Reading]], list[tuple[int, Reading]]]:
    """(the rest, the parts of one field's point) of the readings that are filed under `measurement`."""
    point = _point_of(field)
    rest: list[tuple[int, Reading]] = []
    taken: list[tuple[int, Reading]] = []
    for position, reading in parts:
        names = points(reading)
        if point not in names or place.origins[reading.device].kind != measurement:
            rest.append((position, reading))
            continue
        taken.append((position, only(reading, [point])))
        if len(names) > 1:
            rest.append((position, only(reading, [name for name in names if name != point])))
    return rest, taken


def _point_of(field: str) -> str:
    for suffix in (QUALITY, REASON, SHIFT):
        if field.endswith(suffix):
            return field.removesuffix(suffix)
    return field
