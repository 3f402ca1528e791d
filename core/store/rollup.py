"""Roll-ups: what a bucket of time keeps of its samples, so that buckets can be put together again.

A bucket keeps how many samples it had and how many of them were good; of the good ones mean, min, max, the
first and the last with their instants, and the energy that flowed between them. Energy between two buckets
(a seam) follows from the last value of one and the first of the next; so roll-ups of roll-ups agree with
roll-ups of samples.
"""

import polars as pl

from igoudar.core.counters import SAME
from igoudar.core.model import Quality
from igoudar.core.store.series import POINTS_PER_DEVICE

ROLL_SCHEMA = pl.Schema(
    {
        "series": pl.UInt32(),
        "time_us": pl.Int64(),  # start of the bucket
        "samples": pl.UInt32(),
        "good": pl.UInt32(),
        "mean": pl.Float64(),
        "min": pl.Float64(),
        "max": pl.Float64(),
        "first": pl.Float64(),
        "last": pl.Float64(),
        "first_ms": pl.Int64(),  # instants of the first and last good sample, from the start of the bucket
        "last_ms": pl.Int64(),
        "energy_wh": pl.Float64(),  # between the first and the last good sample; null for other quantities
    }
)
EMPTY_ROLLS = pl.DataFrame(schema=ROLL_SCHEMA)

KIND_SCHEMA = pl.Schema({"series": pl.UInt32(), "kind": pl.UInt8()})
COUNTER, POWER = 1, 2
LONGEST_S = 300.0  # power is not taken to have lasted over a longer pause between samples
_US_PER_MS = 1000
_MS_PER_H = 3_600_000.0


def energy_kinds(book: pl.DataFrame) -> pl.DataFrame:
    """Which series (columns series, point) count energy [Wh] and which are powers [W], by their names."""
    point = pl.col("point")
    counter = point.str.ends_with("energy_wh") | (point.str.contains("energy_") & point.str.ends_with("_wh"))
    kind = pl.when(counter).then(COUNTER).when(point.str.ends_with("_w")).then(POWER)
    return book.select("series", kind.cast(pl.UInt8).alias("kind")).drop_nulls()


def as_buckets(rows: pl.DataFrame) -> pl.DataFrame:
    """Samples (rows.ROW_SCHEMA) as buckets of one sample each."""
    good = (pl.col("quality") == Quality.GOOD) & pl.col("value").is_not_null()
    value = pl.when(good).then("value")
    instant = pl.when(good).then(pl.lit(0, dtype=pl.Int64()))
    values = [value.alias(name) for name in ("mean", "min", "max", "first", "last")]
    counts = (pl.lit(1, dtype=pl.UInt32()).alias("samples"), good.cast(pl.UInt32).alias("good"))
    energy = pl.when(good).then(0.0).alias("energy_wh")
    instants = (instant.alias("first_ms"), instant.alias("last_ms"))
    return rows.select("series", "time_us", *counts, *values, *instants, energy)


def roll_up(
    buckets: pl.DataFrame, kinds: pl.DataFrame, step_us: int, start_us: int = 0, *, seams: bool = False
) -> pl.DataFrame:
    """Buckets, one per series and instant, put together over steps that begin at `start_us`.

    Args:
        buckets: Sorted by series and time.
        kinds: As from `energy_kinds`.
        step_us: Length of a step; `first_ms` and `last_ms` count from its start.
        start_us: Where steps begin.
        seams: Also count the energy since the step before, so that energies of neighbouring steps add up.
    """
    step = start_us + (pl.col("time_us") - start_us) // step_us * step_us
    shift = (pl.col("time_us") - pl.col("step")) // _US_PER_MS
    instants = (pl.col(name) + shift for name in ("first_ms", "last_ms"))
    placed = buckets.with_columns(step=step).with_columns(instants)
    counts = placed.group_by("series", "step", maintain_order=True).agg(pl.col("samples").sum())
    good = placed.filter(pl.col("good") > 0).join(kinds, on="series", how="left", maintain_order="left")
    folded = _with_energy(good, seams=seams).group_by("series", "step", maintain_order=True).agg(*_SUMS)
    joined = counts.join(folded, on=("series", "step"), how="left", maintain_order="left")
    return joined.with_columns(pl.col("good").fill_null(0)).rename({"step": "time_us"}).select(*ROLL_SCHEMA)


_WEIGHT = pl.col("good").cast(pl.Float64)
_SUMS = (
    pl.col("good").sum(),
    ((pl.col("mean") * _WEIGHT).sum() / _WEIGHT.sum()).alias("mean"),
    pl.col("min").min(),
    pl.col("max").max(),
    pl.col("first").first(),
    pl.col("last").last(),
    pl.col("first_ms").first(),
    pl.col("last_ms").last(),
    pl.when(pl.col("kind").first().is_not_null()).then(pl.col("energy_wh").sum()).alias("energy_wh"),
)


def _with_energy(good: pl.DataFrame, *, seams: bool) -> pl.DataFrame:
    """`energy_wh` of each bucket plus what flowed since the one before it, in the same step or any."""
    at_ms = pl.col("step") // _US_PER_MS
    since_ms = at_ms + pl.col("first_ms") - (at_ms + pl.col("last_ms")).shift(1)
    same = pl.col("series") == pl.col("series").shift(1)
    if not seams:
        same &= pl.col("step") == pl.col("step").shift(1)
    before, after = pl.col("last").shift(1), pl.col("first")
    # core/counters.py's rule for a counter of which nothing is known: after a restart its new value counts.
    fell = before - after
    restarted = pl.when(fell <= SAME * before.abs()).then(0.0).otherwise(after.clip(lower_bound=0.0))
    counted = pl.when(fell <= 0).then(-fell).otherwise(restarted)
    lasted = since_ms <= LONGEST_S * 1000
    flowed = pl.when(lasted).then((before + after) / 2 * since_ms / _MS_PER_H).otherwise(0.0)
    seam = pl.when(pl.col("kind") == COUNTER).then(counted).when(pl.col("kind") == POWER).then(flowed)
    return good.with_columns(
        energy_wh=pl.col("energy_wh").fill_null(0.0) + pl.when(same).then(seam).otherwise(0.0).fill_null(0.0)
    )


def fullest(buckets: pl.DataFrame) -> pl.DataFrame:
    """One bucket per series and instant, sorted: that of most samples, of equal ones the later row."""
    ordered = buckets.sort("series", "time_us", "samples", maintain_order=True)
    series, time_us = pl.col("series"), pl.col("time_us")
    same = (series == series.shift(-1)) & (time_us == time_us.shift(-1))
    return ordered.filter(~same.fill_null(value=False))


def with_good_share(buckets: pl.DataFrame) -> pl.DataFrame:
    """Buckets with a good value, and the share of good ones among all samples and the device's gaps."""
    number = pl.col("series") // POINTS_PER_DEVICE
    marked = buckets.with_columns(device_number=number)
    is_gap = pl.col("series") % POINTS_PER_DEVICE == 0
    gaps = marked.filter(is_gap).select("device_number", "time_us", gaps="samples")
    found = marked.filter(~is_gap & (pl.col("good") > 0))
    share = pl.col("good") / (pl.col("samples") + pl.col("gaps").fill_null(0))
    joined = found.join(gaps, on=("device_number", "time_us"), how="left", maintain_order="left")
    return joined.with_columns(good_share=share).drop("device_number", "gaps")
