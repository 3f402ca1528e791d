"""What `/query` found -> readings and frames; the way back from `influx_line`'s layout."""

from collections.abc import Collection
from datetime import datetime, timedelta

import polars as pl

from igoudar.core.model import Gap, Quality, Reading, Reason
from igoudar.core.store.influx_http import Answer
from igoudar.core.store.influx_line import GAP_FIELD, QUALITY, REASON, SHIFT
from igoudar.core.store.rows import from_us
from igoudar.core.store.series import GAP_POINT

EMPTY = pl.DataFrame(
    schema={
        "device": pl.String(),
        "point": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        "value": pl.Float64(),
        "quality": pl.UInt8(),
        "reason": pl.UInt8(),
    }
)


def to_reading(series: Answer) -> Reading:
    """The reading in the only row of a series that is grouped by its tags."""
    fields = {
        column: value
        for column, value in zip(series["columns"], series["values"][0], strict=True)
        if value is not None
    }
    at = from_us(fields.pop("time"))
    flags = _flags(fields)
    gap = flags.pop(GAP_FIELD, None)
    shifts_ms = [value for field, value in fields.items() if field.endswith(SHIFT)]
    source_at = at + timedelta(milliseconds=shifts_ms[0]) if shifts_ms else None
    values = {
        field: float(value)
        for field, value in fields.items()
        if not field.endswith((QUALITY, REASON, SHIFT)) and flags.get(field, (0,))[0] != Quality.BAD
    }
    device = series["tags"]["device"]
    return Reading(at, device, values, flags, source_at, Gap(gap[1]) if gap else None)


def _flags(fields: dict[str, float]) -> dict[str, tuple[Quality, Reason]]:
    return {
        point: (Quality(int(quality)), Reason(int(fields.get(point + REASON, 0))))
        for field, quality in fields.items()
        if (point := field.removesuffix(QUALITY)) != field
    }


def long_rows(series: Answer, points: Collection[str]) -> pl.DataFrame:
    """One row per sample of `points` from a series of wide rows: the columns of `EMPTY`."""
    kinds = {column: _type(column) for column in series["columns"]}
    wide = pl.DataFrame(series["values"], schema=kinds, orient="row", strict=False)
    return pl.concat([EMPTY, *(_samples(wide, point) for point in sorted(points))])


def _type(column: str) -> pl.DataType:
    if column == "device":
        return pl.String()
    return pl.Int64() if column == "time" or column.endswith((QUALITY, REASON)) else pl.Float64()


def _samples(wide: pl.DataFrame, point: str) -> pl.DataFrame:
    value = pl.lit(None, pl.Float64()) if point == GAP_FIELD else pl.col(point)
    quality, reason = pl.col(point + QUALITY), pl.col(point + REASON)
    bad = quality.fill_null(0) == Quality.BAD
    return wide.filter(value.is_not_null() | quality.is_not_null()).select(
        device="device",
        point=pl.lit(GAP_POINT if point == GAP_FIELD else point),
        time=pl.from_epoch("time", time_unit="us").dt.replace_time_zone("UTC"),
        value=pl.when(bad).then(None).otherwise(value),
        quality=quality.fill_null(0).cast(pl.UInt8()),
        reason=reason.fill_null(0).cast(pl.UInt8()),
    )


def fold(rows: pl.DataFrame, start: datetime, step: timedelta) -> pl.DataFrame:
    """Samples, sorted by time within each series, put together over steps that begin at `start`."""
    step_us = step // timedelta(microseconds=1)
    since_us = (pl.col("time") - pl.lit(start)).dt.total_microseconds()
    stepped = rows.with_columns(time=pl.lit(start) + pl.duration(microseconds=since_us // step_us * step_us))
    gaps = stepped.filter(pl.col("point") == GAP_POINT).group_by("device", "time").agg(gaps=pl.len())
    good = pl.col("value").filter(pl.col("quality") == Quality.GOOD)
    return (
        stepped.filter(pl.col("point") != GAP_POINT)
        .group_by("device", "point", "time", maintain_order=True)
        .agg(mean=good.mean(), min=good.min(), max=good.max(), last=good.last(), good=good.len(), of=pl.len())
        .filter(pl.col("good") > 0)
        .join(gaps, on=("device", "time"), how="left", maintain_order="left")
        .with_columns(good_share=pl.col("good") / (pl.col("of") + pl.col("gaps").fill_null(0)))
        .select("device", "point", "time", "mean", "min", "max", "last", "good_share")
    )
