"""Readings -> line protocol: one wide row per reading, floats always, flags only where something is wrong.

Layout (docs/store.md): measurement = device kind, tags device, hall, site; field `P` per point; integers
`P__q`, `P__r`, `P__dt` only when not good or not 0. A reading that brought nothing is the point `gap`.
"""

from array import array
from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import isfinite

from igoudar.core.errors import StoreError
from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.influx_place import InfluxPlace
from igoudar.core.store.rows import to_us

GAP_FIELD = (
    "gap"  # names that begin with an underscore are InfluxDB's own; no point is called so: it has no unit
)
QUALITY, REASON, SHIFT = "__q", "__r", "__dt"
PER_US = {"ns": (1000, 1), "us": (1, 1), "ms": (1, 1000)}
_MILLISECOND = timedelta(milliseconds=1)
_LAYOUTS_KEPT = 50_000
_ESCAPES = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})


class LineWriter:
    """Writes lines; the parts that do not change between readings of a device are made once."""

    def __init__(self, place: InfluxPlace) -> None:
        self._place = place
        self._heads: dict[str, str] = {}
        self._layouts: dict[tuple[str, tuple[str, ...]], str] = {}
        self._multiplier, self._divisor = PER_US[place.precision]

    def line(self, reading: Reading) -> str:
        """The line of one reading, "" when there is nothing to keep.

        Raises:
            StoreError: the site has no such device.
        """
        values = array("d", reading.values.values())  # whatever number it was, it is a float from here on
        time = to_us(reading.at) * self._multiplier // self._divisor
        if reading.flags or reading.gap or _shift_ms(reading) or not isfinite(sum(values)):
            fields = ",".join(_flagged(reading))
            return f"{self._head(reading.device)} {fields} {time}" if fields else ""
        return self._layout(reading) % (*values, time) if values else ""

    def _layout(self, reading: Reading) -> str:
        key = (reading.device, tuple(reading.values))
        if (known := self._layouts.get(key)) is None:
            if len(self._layouts) >= _LAYOUTS_KEPT:  # devices whose points come and go in ever new sets
                self._layouts.clear()
            fields = ",".join(f"{_percent(escape(point))}=%r" for point in reading.values)
            known = self._layouts[key] = f"{_percent(self._head(reading.device))} {fields} %d"
        return known

    def _head(self, device: str) -> str:
        if (known := self._heads.get(device)) is None:
            known = self._heads[device] = _head(self._place, device)
        return known


def _head(place: InfluxPlace, device: str) -> str:
    """Measurement and tags; an empty tag value is no line protocol, so a device without a hall has none."""
    origin = place.origins.get(device)
    if origin is None:
        raise StoreError("the site has no such device", where=device, fix="restart the collector")
    tags = {"device": device, "hall": origin.hall, "site": place.site}
    named = [f"{tag}={escape(value)}" for tag, value in tags.items() if value]
    return ",".join([escape(origin.kind.value), *named])


def escape(name: str) -> str:
    """A tag value or field name as line protocol writes it."""
    return name.translate(_ESCAPES)


def _percent(text: str) -> str:
    return text.replace("%", "%%")


def _shift_ms(reading: Reading) -> int:
    """Source time minus received time [ms]."""
    return 0 if reading.source_at is None else (reading.source_at - reading.at) // _MILLISECOND


def _flagged(reading: Reading) -> Iterator[str]:
    """Fields of a reading that has more to say than its values."""
    shift_ms = _shift_ms(reading)
    wrong = _wrong(reading)
    for point in dict.fromkeys((*reading.values, *wrong)):
        name = escape(point)
        quality, reason = wrong.get(point, (Quality.GOOD, Reason.NONE))
        if quality is not Quality.BAD:
            yield f"{name}={float(reading.values[point])!r}"
        if quality is not Quality.GOOD:
            yield f"{name}{QUALITY}={quality:d}i,{name}{REASON}={reason:d}i"
        if shift_ms:
            yield f"{name}{SHIFT}={shift_ms}i"


def _wrong(reading: Reading) -> Mapping[str, tuple[Quality, Reason]]:
    """What is not good; a number that is none is never stored as a value, whatever its reader claimed."""
    wrong: dict[str, tuple[Quality, Reason]] = {}
    for point, (quality, reason) in reading.flags.items():
        wrong[point] = (quality if point in reading.values else Quality.BAD, reason)
    for point, value in reading.values.items():
        if not isfinite(value):
            wrong[point] = (Quality.BAD, wrong.get(point, (0, Reason.OUT_OF_RANGE))[1])
    if isinstance(reading.gap, Gap):
        wrong[GAP_FIELD] = (Quality.BAD, reading.gap.reason)
    return wrong
