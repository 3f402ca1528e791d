"""Readings <-> rows: one row per sample, one `_gap` row per reading that brought nothing."""

import math
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter

import numpy as np
import numpy.typing as npt
import polars as pl

from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.series import GAP_POINT, SeriesBook

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

ROW_SCHEMA = pl.Schema(
    {
        "series": pl.UInt32(),
        "time_us": pl.Int64(),
        "offset_ms": pl.Int32(),
        "value": pl.Float64(),
        "quality": pl.UInt8(),
        "reason": pl.UInt8(),
    }
)

EMPTY_ROWS = pl.DataFrame(schema=ROW_SCHEMA)

_SAMPLE = ("device", "point", "time_us", "offset_ms", "value", "quality", "reason")
_Sample = tuple[str, str, int, int | None, float | None, int, int]
_OFFSET_LIMIT_MS = 2**31 - 1
_NO_SOURCE_TIME = 2**62


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(time_us: int) -> datetime:
    """The UTC instant of `time_us` microseconds since 1970."""
    return EPOCH + timedelta(microseconds=time_us)


class _Columns:
    """Columns under construction; flagged rows are kept apart because they are few."""

    def __init__(self) -> None:
        self.series = array("I")
        self.values = array("d")
        self.times_us = array("q")
        self.offsets_ms = array("q")
        self.counts = array("q")
        self.flagged: list[tuple[int, Quality, Reason]] = []

    def add(self, reading: Reading, book: SeriesBook) -> None:
        before = len(self.series)
        self.series.extend(book.layout(reading.device, tuple(reading.values)))
        self.values.extend(reading.values.values())
        if reading.flags:
            self._add_flags(reading, book, before)
        if reading.gap is not None:
            self._add_bad(book.number(reading.device, GAP_POINT), Quality.BAD, reading.gap.reason)
        self.times_us.append(to_us(reading.at))
        self.offsets_ms.append(_offset_ms(reading))
        self.counts.append(len(self.series) - before)

    def _add_flags(self, reading: Reading, book: SeriesBook, before: int) -> None:
        positions = {point: before + index for index, point in enumerate(reading.values)}
        for point, (quality, reason) in reading.flags.items():
            if point in positions:
                self.flagged.append((positions[point], quality, reason))
            else:
                self._add_bad(book.number(reading.device, point), quality, reason)

    def _add_bad(self, series: int, quality: Quality, reason: Reason) -> None:
        self.flagged.append((len(self.series), quality, reason))
        self.series.append(series)
        self.values.append(math.nan)

    def frame(self) -> pl.DataFrame:
        values = np.frombuffer(self.values, dtype=np.float64)
        finite = np.isfinite(values)
        quality, reason = self._quality(finite)
        counts = np.frombuffer(self.counts, dtype=np.int64)
        columns = {
            "series": np.frombuffer(self.series, dtype=np.uint32),
            "time_us": np.repeat(np.frombuffer(self.times_us, dtype=np.int64), counts),
            "offset_ms": self._offsets(counts),
            "value": pl.Series(np.where(finite, values, np.nan), nan_to_null=True),
            "quality": quality,
            "reason": reason,
        }
        return pl.DataFrame(columns, schema=ROW_SCHEMA)

    def _offsets(self, counts: npt.NDArray[np.int64]) -> pl.Series:
        offsets = np.repeat(np.frombuffer(self.offsets_ms, dtype=np.int64), counts)
        return pl.Series(offsets).set(pl.Series(offsets == _NO_SOURCE_TIME), None)

    def _quality(self, finite: npt.NDArray[np.bool_]) -> tuple[pl.Series, pl.Series]:
        # A number that is none is never stored as a value, whatever its reader claimed.
        quality = np.where(finite, Quality.GOOD, Quality.BAD).astype(np.uint8)
        reason = np.where(finite, Reason.NONE, Reason.OUT_OF_RANGE).astype(np.uint8)
        for row, row_quality, row_reason in self.flagged:
            quality[row] = row_quality if finite[row] else Quality.BAD
            reason[row] = row_reason
        return pl.Series(quality), pl.Series(reason)


def _offset_ms(reading: Reading) -> int:
    """Source time minus received time [ms], held within what an i32 can say (24 days)."""
    if reading.source_at is None:
        return _NO_SOURCE_TIME
    offset_ms = (reading.source_at - reading.at) // timedelta(milliseconds=1)
    return max(-_OFFSET_LIMIT_MS, min(_OFFSET_LIMIT_MS, offset_ms))


def to_rows(readings: Sequence[Reading], book: SeriesBook) -> pl.DataFrame:
    """Rows of `readings` sorted by (series, time); new names are numbered in `book`."""
    columns = _Columns()
    for reading in readings:
        columns.add(reading, book)
    return columns.frame().sort("series", "time_us")


def newest_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows by (series, time); of a sample stored twice (a replayed batch) the later one."""
    ordered = rows.sort("series", "time_us", maintain_order=True)
    series, time_us = pl.col("series"), pl.col("time_us")
    same = (series == series.shift(-1)) & (time_us == time_us.shift(-1))
    return ordered.filter(~same.fill_null(value=False))


def to_readings(rows: pl.DataFrame, book: SeriesBook) -> dict[str, Reading]:
    """One reading per device from rows that hold one instant per device."""
    named = rows.join(book.frame(), on="series").sort("series").select(*_SAMPLE)
    plain = pl.all_horizontal(pl.col("quality") == Quality.GOOD, pl.col("value").is_not_null())
    all_plain = plain.all().over("device")
    readings = _plain_readings(named.filter(all_plain))
    samples = named.filter(~all_plain).iter_rows()
    readings |= {device: _reading(device, of_device) for device, of_device in groupby(samples, itemgetter(0))}
    return readings


def _plain_readings(samples: pl.DataFrame) -> dict[str, Reading]:
    """Readings of devices whose values are all good: most of a site, so they are made a column at a time."""
    columns = ("time_us", "offset_ms")
    devices = samples.group_by("device", maintain_order=True).agg(pl.col(*columns).first(), rows=pl.len())
    points, values = samples.get_column("point").to_list(), samples.get_column("value").to_list()
    found: dict[str, Reading] = {}
    begin = 0
    for device, time_us, offset_ms, rows in devices.iter_rows():
        at, end = from_us(time_us), begin + rows
        source_at = None if offset_ms is None else at + timedelta(milliseconds=offset_ms)
        found[device] = Reading(
            at, device, dict(zip(points[begin:end], values[begin:end], strict=True)), {}, source_at
        )
        begin = end
    return found


def _reading(device: str, samples: Iterable[_Sample]) -> Reading:
    values: dict[str, float] = {}
    flags: dict[str, tuple[Quality, Reason]] = {}
    gap, at, source_at = None, EPOCH, None
    for _, point, time_us, offset_ms, value, quality, reason in samples:
        at = from_us(time_us)
        source_at = None if offset_ms is None else at + timedelta(milliseconds=offset_ms)
        if point == GAP_POINT:
            gap = Gap(Reason(reason))
            continue
        if value is not None:
            values[point] = value
        if quality != Quality.GOOD:
            flags[point] = (Quality(quality), Reason(reason))
    return Reading(at, device, values, flags, source_at, gap)
