"""Steps that InfluxDB itself puts together: a chart of a month is a thousand rows, not half a million.

The server can't tell good values from uncertain ones (a condition never finds a field that is not there), but
it can count them: flags are integers, 1 or 2, so that of n flags with sum s, 2n - s are uncertain and the
others bad. Steps without an uncertain value come from the server; the others are put together from samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from igoudar.core.store.influx_http import Answer
from igoudar.core.store.influx_line import GAP_FIELD, QUALITY, REASON
from igoudar.core.store.influx_ql import between, name
from igoudar.core.store.rows import to_us

_OF_POINT = ("mean", "min", "max", "last", "count")
_WHOLE = ("count", "flags", "flag_sum", "gaps")
STEPS = pl.DataFrame(
    schema={
        "device": pl.String(),
        "point": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        **dict.fromkeys(("mean", "min", "max", "last", "good_share"), pl.Float64()),
        "uncertain": pl.Int64(),
    }
)


def columns(points: Sequence[str]) -> str:
    """What is asked of each step, each under a name of its own."""
    asked = [f"count({name(GAP_FIELD + REASON)}) AS gaps"]
    for number, point in enumerate(points):
        flag = name(point + QUALITY)
        asked += [f"{how}({name(point)}) AS {how}_{number}" for how in _OF_POINT]
        asked += [f"count({flag}) AS flags_{number}", f"sum({flag}) AS flag_sum_{number}"]
    return ", ".join(asked)


def tail(start: datetime, step: timedelta) -> str:
    """How rows are grouped: by device, in steps of which one begins at `start`."""
    step_us = step // timedelta(microseconds=1)
    return f'GROUP BY time({step_us}u, {to_us(start) % step_us}u), "device" fill(none)'


def query(
    points: Sequence[str], kind: str, where: str, span: tuple[datetime, datetime], step: timedelta
) -> str:
    """The steps of some devices of a kind."""
    condition = f"{where} AND {between(*span)} {tail(span[0], step)}"
    return f"SELECT {columns(points)} FROM {name(kind)} WHERE {condition}"  # noqa: S608 - quoted, all of it


def steps(series: Answer, points: Sequence[str]) -> Iterator[pl.DataFrame]:
    """One frame like `STEPS` per point, of the steps that have a value."""
    wide = pl.DataFrame(series["values"], schema=_schema(series["columns"]), orient="row", strict=False)
    wide = wide.with_columns(
        device=pl.lit(series["tags"]["device"]),
        time=pl.from_epoch("time", time_unit="us").dt.replace_time_zone("UTC"),
    )
    for number, point in enumerate(points):
        yield _of_point(wide.with_columns(point=pl.lit(point)), number)


def _schema(names: Sequence[str]) -> Mapping[str, pl.DataType]:
    return {
        column: pl.Int64() if column.startswith(_WHOLE) or column == "time" else pl.Float64()
        for column in names
    }


def _of_point(wide: pl.DataFrame, number: int) -> pl.DataFrame:
    count, flags, flag_sum = (
        pl.col(f"{how}_{number}").fill_null(0) for how in ("count", "flags", "flag_sum")
    )
    uncertain = 2 * flags - flag_sum
    samples = count + flags - uncertain + pl.col("gaps").fill_null(0)
    found = wide.filter(count > 0).select(
        *("device", "point", "time"),
        *(pl.col(f"{how}_{number}").alias(how) for how in _OF_POINT[:4]),
        good_share=count / samples,
        uncertain=uncertain,
    )
    return found.select(pl.col(column).cast(kind) for column, kind in STEPS.schema.items())
