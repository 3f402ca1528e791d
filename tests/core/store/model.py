"""What roll-ups must give, counted sample by sample in plain Python."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from igoudar.core.counters import step
from igoudar.core.model import Quality
from igoudar.core.store.protocol import Series
from igoudar.core.store.rollup import LONGEST_S

Sample = tuple[datetime, float | None, Quality]
Bucket = tuple[float, float, float, float, float, int, float | None]


def expected(
    series: Series, samples: Iterable[Sample], start: datetime, end: datetime, step: timedelta
) -> dict[datetime, Bucket]:
    """Per step: mean, min, max, last, good share, good, energy, of samples in [start, end)."""
    found: dict[datetime, list[Sample]] = {}
    for sample in sorted(samples, key=lambda one: one[0]):
        if start <= sample[0] < end:
            found.setdefault(start + (sample[0] - start) // step * step, []).append(sample)
    buckets: dict[datetime, Bucket] = {}
    before: tuple[datetime, float] | None = None
    for begin, all_of in found.items():
        good = [(at, value) for at, value, quality in all_of if quality is Quality.GOOD and value is not None]
        energy = 0.0
        for one in good:
            energy += _flowed(series.point, before, one)
            before = one
        if good:
            values = [value for _, value in good]
            mean = math.fsum(values) / len(values)
            kept = energy if series.point.endswith(("_w", "_wh")) else None
            share = len(good) / len(all_of)
            buckets[begin] = (mean, min(values), max(values), values[-1], share, len(values), kept)
    return buckets


def _flowed(point: str, before: tuple[datetime, float] | None, after: tuple[datetime, float]) -> float:
    if before is None:
        return 0.0
    (then, former), (now, value) = before, after
    if point.endswith("_wh"):
        return step(former, value).amount
    since_s = (now - then).total_seconds()
    return (former + value) / 2 * since_s / 3600 if point.endswith("_w") and since_s <= LONGEST_S else 0.0


def given(frame: pl.DataFrame) -> dict[datetime, Bucket]:
    """The same from a store's answer for one series."""
    columns = ("mean", "min", "max", "last", "good_share", "good", "energy_wh")
    return {row["time"]: tuple(row[name] for name in columns) for row in frame.to_dicts()}


def assert_same(found: dict[datetime, Bucket], wanted: dict[datetime, Bucket]) -> None:
    """Equal but for the rounding of sums."""
    assert set(found) == set(wanted)
    for at, bucket in wanted.items():
        assert all(_close(a, b) for a, b in zip(found[at], bucket, strict=True)), (at, found[at], bucket)


def _close(a: Any, b: Any) -> bool:
    return a is b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
