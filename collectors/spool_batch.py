"""A batch of readings as bytes: columns instead of readings, each set of point names once."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgpack
import numpy as np

from igoudar.collectors.wire import pack_time, unpack_time
from igoudar.core.model import Gap, Quality, Reading, Reason

VERSION = 1
NO_SOURCE_US = -(2**63)

_FIELDS = ("version", "layouts", "devices", "layout", "at_us", "source_us", "wide", "values", "extras")
_UNREADABLE = (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Bytes that are no batch, and why."""

    why: str


def encode(readings: Sequence[Reading]) -> bytes:
    """Readings as msgpack of columns; values as f32 where that loses nothing (most devices speak f32)."""
    layouts: dict[tuple[str, ...], int] = {}
    layout, at_us, source_us, values = array("I"), array("q"), array("q"), array("d")
    extras: dict[int, list[Any]] = {}
    for index, reading in enumerate(readings):
        layout.append(layouts.setdefault(tuple(reading.values), len(layouts)))
        at_us.append(pack_time(reading.at))
        source_us.append(NO_SOURCE_US if reading.source_at is None else pack_time(reading.source_at))
        values.extend(reading.values.values())
        if reading.flags or reading.gap is not None:
            extras[index] = _extra(reading)
    wide, packed = _narrow(values)
    columns = (layout.tobytes(), at_us.tobytes(), source_us.tobytes(), wide, packed, extras)
    devices = [reading.device for reading in readings]
    body: bytes = msgpack.packb([VERSION, list(layouts), devices, *columns])
    return body


def _narrow(values: "array[float]") -> tuple[bool, bytes]:
    """Whether f64 is needed, and the column's bytes."""
    wide = np.frombuffer(values, dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = wide.astype(np.float32)
    if np.array_equal(narrow.astype(np.float64), wide, equal_nan=True):
        return False, narrow.tobytes()
    return True, wide.tobytes()


def _extra(reading: Reading) -> list[Any]:
    flags = {name: (int(quality), int(reason)) for name, (quality, reason) in reading.flags.items()}
    gap = None if reading.gap is None else (int(reading.gap.reason), reading.gap.detail)
    return [flags, gap]


def decode(body: bytes) -> list[Reading] | Unreadable:
    """The inverse of `encode`; any bytes whatever give readings or the reason why not."""
    try:
        found = msgpack.unpackb(body, strict_map_key=False)
        columns = dict(zip(_FIELDS, found, strict=True))
        if columns["version"] != VERSION:
            return Unreadable(f"batch version {columns['version']!r:.40}, this igoudar reads {VERSION}")
        return _readings(columns)
    except (*_UNREADABLE, msgpack.UnpackException) as error:
        return Unreadable(f"{type(error).__name__}: {error!s:.200}")


def _readings(columns: Mapping[str, Any]) -> list[Reading]:
    layouts = [tuple(_text(name) for name in names) for names in columns["layouts"]]
    values = np.frombuffer(columns["values"], dtype=np.float64 if columns["wide"] else np.float32).tolist()
    layout, at_us, source_us = (
        np.frombuffer(columns[name], dtype=kind).tolist()
        for name, kind in (("layout", np.uint32), ("at_us", np.int64), ("source_us", np.int64))
    )
    extras, start, readings = columns["extras"], 0, list[Reading]()
    rows = zip(columns["devices"], layout, at_us, source_us, strict=True)
    for index, (device, number, at, source) in enumerate(rows):
        names = layouts[number]
        own = dict(zip(names, values[start : start + len(names)], strict=True))
        start += len(names)
        source_at = None if source == NO_SOURCE_US else unpack_time(source)
        readings.append(_reading(_text(device), unpack_time(at), own, source_at, extras.get(index)))
    if start != len(values):
        raise ValueError("values that belong to no reading")
    return readings


def _reading(
    device: str, at: datetime, values: dict[str, float], source_at: datetime | None, extra: Any
) -> Reading:
    if extra is None:
        return Reading(at, device, values, source_at=source_at)
    flags, gap = extra
    return Reading(
        at,
        device,
        values,
        {_text(name): (Quality(quality), Reason(reason)) for name, (quality, reason) in flags.items()},
        source_at,
        None if gap is None else Gap(Reason(gap[0]), _text(gap[1])),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no name")
    return value
