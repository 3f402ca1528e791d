"""`[writes]` and `[[interlocks]]`: what the collector itself checks before each write, whoever asks."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated

from pydantic import Field

from igoudar.core.errors import ConfigError
from igoudar.core.model_writes import Interlock, WriteRules
from igoudar.core.site_words import DurationS, Sourced, Table, Words
from igoudar.core.strict_toml import nearest


class InterlockEntry(Sourced):
    """A condition on writes of one device's point: a point of the same or another device within bounds."""

    device: Words
    point: Words
    above: float | None = None
    below: float | None = None
    needs_device: Words = ""
    needs: Words
    min: float | None = None
    max: float | None = None


class WritesTable(Table):
    """How the collector writes."""

    settle: Annotated[DurationS, Field(ge=0, le=3600)] = WriteRules().settle_s


def write_rules(table: WritesTable) -> WriteRules:
    """The model of `[writes]`."""
    return WriteRules(settle_s=table.settle)


def interlocks(entries: Sequence[InterlockEntry]) -> tuple[Interlock, ...]:
    """The model of `[[interlocks]]`."""
    return tuple(
        Interlock(
            point=entry.point,
            needs=entry.needs,
            minimum=-math.inf if entry.min is None else entry.min,
            maximum=math.inf if entry.max is None else entry.max,
            above=-math.inf if entry.above is None else entry.above,
            below=math.inf if entry.below is None else entry.below,
            device=entry.device,
            needs_device=entry.needs_device,
        )
        for entry in entries
    )


def check_interlocks(
    entries: Sequence[InterlockEntry], points: Mapping[str, Collection[str]], where: str
) -> Iterator[ConfigError]:
    """What is wrong with `[[interlocks]]`; `points` holds the points of each device, by its name."""
    for number, entry in enumerate(entries, 1):
        at = f"{where}: interlocks[{number}]"
        yield from _known(entry.device, entry.point, points, at, ("device", "point"))
        other = entry.needs_device or entry.device
        yield from _known(other, entry.needs, points, at, ("needs_device", "needs"))
        if entry.min is None and entry.max is None:
            yield ConfigError("an interlock without bounds", where=at, fix="give `min`, `max` or both")


def _known(
    device: str, point: str, points: Mapping[str, Collection[str]], at: str, keys: tuple[str, str]
) -> Iterator[ConfigError]:
    if device not in points:
        fix = nearest(device, list(points), "device")
        yield ConfigError(f"there is no device {device!r}", where=f"{at}.{keys[0]}", fix=fix)
    elif point not in points[device]:
        fix = nearest(point, list(points[device]), "point")
        yield ConfigError(f"{device} has no point {point!r}", where=f"{at}.{keys[1]}", fix=fix)
