"""Taking samples or roll-ups out of a store, an hour and a block of series at a time: memory stays flat."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import polars as pl
from polars.io.plugins import register_io_source

from igoudar.core.model import Device, Quality, Reason
from igoudar.core.store.influx_line import GAP_FIELD, QUALITY, REASON, SHIFT, escape
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.rows import to_us
from igoudar.core.store.series import GAP_POINT
from igoudar.core.store.tiers import HOUR_US, RAW, Tier

BLOCK = 5_000  # series at a time: 3.6 M samples of an hour at one every 5 s

_NAMES = {"device": pl.String(), "point": pl.String(), "time": pl.Datetime("us", "UTC")}
RAW_SCHEMA = pl.Schema(
    {**_NAMES, "offset_ms": pl.Int32(), "value": pl.Float64(), "quality": pl.UInt8(), "reason": pl.UInt8()}
)
_COUNTS = {"samples": pl.UInt32(), "good": pl.UInt32()}
_FIGURES = dict.fromkeys(("mean", "min", "max", "first", "last", "energy_wh"), pl.Float64())
ROLLED_SCHEMA = pl.Schema({**_NAMES, **_COUNTS, **_FIGURES})


@dataclass(frozen=True, slots=True)
class Selection:
    """What to take: a tier, a window (None = open), some devices or all."""

    tier: Tier = RAW
    start: datetime | None = None
    end: datetime | None = None
    devices: Collection[str] | None = None

    @property
    def schema(self) -> pl.Schema:
        """Columns and types of what comes."""
        return RAW_SCHEMA if self.tier is RAW else ROLLED_SCHEMA


def frames(reader: ParquetReader, selection: Selection) -> Iterator[pl.DataFrame]:
    """What was selected, hour after hour, within one by series and time; never an empty frame.

    A device's gaps come as the point `_gap`.

    Raises:
        StoreError: no usable store.
    """
    numbers = reader.numbers(selection.devices)
    blocks = [numbers[begin : begin + BLOCK] for begin in range(0, len(numbers), BLOCK)]
    start_us = None if selection.start is None else to_us(selection.start)
    end_us = None if selection.end is None else to_us(selection.end)
    for hour in reader.hours(selection.tier):
        begin, end = hour * HOUR_US, (hour + 1) * HOUR_US
        begin = begin if start_us is None else max(begin, start_us)
        end = end if end_us is None else min(end, end_us)
        for block in blocks if begin < end else ():
            frame = reader.block(selection.tier, block, begin, end)
            if frame.height:
                yield frame.select(*selection.schema)


def write_parquet(reader: ParquetReader, selection: Selection, path: Path) -> int:
    """One Parquet file; how many rows."""
    written = 0

    def source(
        _columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _batch: int | None
    ) -> Iterator[pl.DataFrame]:
        nonlocal written
        for frame in frames(reader, selection):
            written += frame.height
            yield frame

    register_io_source(source, schema=selection.schema).sink_parquet(path, compression="zstd")
    return written


def write_csv(reader: ParquetReader, selection: Selection, file: IO[bytes]) -> int:
    """One CSV file with a header, times in ISO 8601; how many rows.

    A name that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    written = 0
    pl.DataFrame(schema=selection.schema).write_csv(file)
    for frame in frames(reader, selection):
        safe = frame.with_columns(_harmless("device"), _harmless("point"))
        safe.write_csv(file, include_header=False, datetime_format="%Y-%m-%dT%H:%M:%S%.6fZ")
        written += frame.height
    return written


def _harmless(name: str) -> pl.Expr:
    starts_formula = pl.col(name).str.contains(r"^\s*[=+\-@\t\r\n|]")
    return pl.when(starts_formula).then(pl.lit("'") + pl.col(name)).otherwise(name).alias(name)


def write_lines(
    reader: ParquetReader, selection: Selection, site: str, devices: Mapping[str, Device], file: IO[bytes]
) -> int:
    """InfluxDB line protocol as our InfluxDB store lays it out, times in ns; how many lines.

    A device that the site no longer names goes into the measurement `device`.
    """
    written = 0
    heads: dict[str, str] = {}
    for frame in frames(reader, selection):
        names = frame.get_column("device").unique().to_list()
        heads |= {name: _head(name, site, devices.get(name)) for name in names if name not in heads}
        fields = _sample_fields(frame) if selection.tier is RAW else _bucket_fields(frame)
        lines = fields.group_by("device", "time", maintain_order=True).agg(pl.col("field").str.join(","))
        head = pl.col("device").replace_strict(heads, return_dtype=pl.String())
        at_ns = pl.col("time").dt.epoch("us").cast(pl.String) + "000"
        text = lines.select(pl.concat_str(head, pl.lit(" "), "field", pl.lit(" "), at_ns, pl.lit("\n")))
        file.writelines(line.encode() for line in text.to_series())
        written += lines.height
    return written


def _head(name: str, site: str, device: Device | None) -> str:
    tags = {"device": name, "hall": device.hall if device else "", "site": site}
    named = [f"{tag}={escape(value)}" for tag, value in tags.items() if value]
    return ",".join([escape(device.kind.value if device else "device"), *named])


def _sample_fields(frame: pl.DataFrame) -> pl.DataFrame:
    known = {one: GAP_FIELD if one == GAP_POINT else escape(one) for one in frame["point"].unique()}
    name = pl.col("point").replace_strict(known, return_dtype=pl.String())
    flagged = (pl.col("quality") != Quality.GOOD) | (pl.col("reason") != Reason.NONE)
    shifted = pl.col("offset_ms").fill_null(0) != 0
    value = pl.when(pl.col("value").is_not_null()).then(name + "=" + pl.col("value").cast(pl.String))
    quality = name + QUALITY + "=" + pl.col("quality").cast(pl.String) + "i"
    reason = name + REASON + "=" + pl.col("reason").cast(pl.String) + "i"
    marks = pl.when(flagged).then(quality + "," + reason)
    shift = pl.when(shifted).then(name + SHIFT + "=" + pl.col("offset_ms").cast(pl.String) + "i")
    field = pl.concat_str(value, marks, shift, separator=",", ignore_nulls=True).alias("field")
    return frame.select("device", "time", field).filter(pl.col("field") != "")


def _bucket_fields(frame: pl.DataFrame) -> pl.DataFrame:
    known = {one: escape(one) for one in frame["point"].unique()}
    name = pl.col("point").replace_strict(known, return_dtype=pl.String())
    values = [name + f"_{part}=" + pl.col(part).cast(pl.String) for part in _FIGURES]
    counts = [name + f"_{part}=" + pl.col(part).cast(pl.String) + "i" for part in _COUNTS]
    field = pl.concat_str(*values, *counts, separator=",", ignore_nulls=True).alias("field")
    return frame.select("device", "time", field)
