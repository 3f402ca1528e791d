"""Closing an hour or a day: segments that lie beside one another by series, and their roll-ups.

One pass over an hour's samples, a range of series at a time, writes them anew (so that one series is in one
file) and rolls them up. The manifest changes once, last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl

from igoudar.core.store.compaction import in_order, is_sound, save, set_aside, unsound
from igoudar.core.store.coverage import Coverage, hours_of
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.rollup import EMPTY_ROLLS, as_buckets, fullest, roll_up
from igoudar.core.store.rows import EMPTY_ROWS, newest_of_each
from igoudar.core.store.segments import LAST_SERIES, Segment, write_segment
from igoudar.core.store.tiers import DAY_US, HOUR_US, MINUTE, QUARTER, RAW, ROLLED, Tier

SHARD_ROWS = 4_000_000  # of one range of series: about 400 MB of memory while it is rolled up
_HOURS_A_DAY = DAY_US // HOUR_US

Cut = tuple[int, int]  # first and last series of a range


def hours_to_close(manifest: Manifest, settled: int) -> list[int]:
    """Hours with samples not rolled up, and none newer than append `settled`, oldest first."""
    coverage = Coverage.of(manifest)
    return sorted(
        hour
        for hour, (_, last) in coverage.raw.items()
        if last <= settled and not all(coverage.is_fresh(hour, tier) for tier in ROLLED)
    )


def close_hour(store: Path, manifest: Manifest, hour: int, kinds: pl.DataFrame) -> Manifest:
    """Write an hour's samples by ranges of series, with their roll-ups; the manifest as saved.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    raw = [one for one in manifest.cold if one.hours[0] == hour]
    rolled = [one for one in manifest.rolled if hour in one.hours]
    of_hour = [one for one in rolled if one.hours == range(hour, hour + 1)]
    sound = [one for one in (*raw, *rolled) if is_sound(store, one)]
    (first, last), level = hours_of(raw)[hour], max(one.level for one in (*raw, *of_hour)) + 1
    written: list[Segment] = []
    for cut in cuts(store, [one for one in sound if one.tier is RAW]):
        for tier, rows in _closed(store, sound, hour, cut, kinds):
            if rows.height:
                written.append(write_segment(store, rows, level, first, last, tier))
    gone = {*raw, *of_hour, *(one for one in rolled if one not in sound)}
    new = _replaced(manifest, gone, written)
    return save(store, new, [one for one in (*raw, *rolled) if one not in sound])


def _replaced(manifest: Manifest, gone: set[Segment], written: Sequence[Segment]) -> Manifest:
    kept = [one for one in manifest.merged if one not in gone]
    return replace(
        manifest,
        generation=manifest.generation + 1,
        cold=in_order([one for one in (*kept, *written) if one.tier is RAW]),
        rolled=in_order([one for one in (*kept, *written) if one.tier is not RAW]),
    )


def _closed(
    store: Path, sound: Sequence[Segment], hour: int, cut: Cut, kinds: pl.DataFrame
) -> Iterator[tuple[Tier, pl.DataFrame]]:
    """The hour's samples and roll-ups of a range of series.

    What an earlier roll-up knows of samples that are gone stays: of two buckets the fuller one counts.
    """
    rows = newest_of_each(_read(store, sound, RAW, hour, cut))
    yield RAW, rows
    minutes = roll_up(as_buckets(rows), kinds, MINUTE.step_us)
    minutes = fullest(pl.concat([_read(store, sound, MINUTE, hour, cut), minutes]))
    yield MINUTE, minutes
    quarters = roll_up(minutes, kinds, QUARTER.step_us)
    yield QUARTER, fullest(pl.concat([_read(store, sound, QUARTER, hour, cut), quarters]))


def _read(store: Path, segments: Sequence[Segment], tier: Tier, hour: int, cut: Cut) -> pl.DataFrame:
    at = hour * HOUR_US
    within = pl.col("series").is_between(*cut) & pl.col("time_us").is_between(at, at + HOUR_US, closed="left")
    empty = EMPTY_ROWS if tier is RAW else EMPTY_ROLLS
    return _scan(store, [one for one in segments if one.tier is tier], cut, within, empty)


def _scan(
    store: Path, segments: Sequence[Segment], cut: Cut, within: pl.Expr, empty: pl.DataFrame
) -> pl.DataFrame:
    """Rows of some segments in the order of the segments."""
    touched = [one for one in segments if one.first_series <= cut[1] and one.last_series >= cut[0]]
    frames = [pl.scan_parquet(one.path(store)).filter(within) for one in touched]
    return pl.concat([empty, *pl.collect_all(frames)])


def cuts(store: Path, segments: Sequence[Segment]) -> list[Cut]:
    """Ranges of series, together all, of about SHARD_ROWS rows each."""
    if sum(one.rows for one in segments) <= SHARD_ROWS:
        return [(0, LAST_SERIES)]
    paths = [one.path(store) for one in segments]
    counts = pl.scan_parquet(paths).group_by("series").agg(rows=pl.len()).sort("series").collect()
    shard = pl.col("rows").cum_sum() // SHARD_ROWS
    firsts = counts.select("series", shard=shard).unique("shard", keep="first", maintain_order=True)
    starts = [0, *firsts.get_column("series").to_list()[1:]]
    ends = [start - 1 for start in starts[1:]] + [LAST_SERIES]
    return list(zip(starts, ends, strict=True))


def days_to_close(manifest: Manifest, settled: int) -> list[tuple[Tier, int]]:
    """Tiers and days whose roll-ups are complete and lie in more files than needed."""
    coverage = Coverage.of(manifest)
    open_days = {
        hour // _HOURS_A_DAY
        for hour, (_, last) in coverage.raw.items()
        if last > settled or not all(coverage.is_fresh(hour, tier) for tier in ROLLED)
    }
    newest = max(coverage.raw, default=0) // _HOURS_A_DAY
    found = {(one.tier, one.hours[0] // _HOURS_A_DAY) for one in manifest.rolled}
    ready = ((tier, day) for tier, day in found if day < newest and day not in open_days)
    wanted = [(tier, day) for tier, day in ready if _overlap(_of_day(manifest, tier, day))]
    return sorted(wanted, key=lambda one: (one[1], one[0].letter))


def _of_day(manifest: Manifest, tier: Tier, day: int) -> list[Segment]:
    return [one for one in manifest.rolled if one.tier is tier and one.hours[0] // _HOURS_A_DAY == day]


def _overlap(segments: Sequence[Segment]) -> bool:
    ordered = sorted(segments, key=lambda one: one.first_series)
    return any(a.last_series >= b.first_series for a, b in pairwise(ordered))


def close_day(store: Path, manifest: Manifest, tier: Tier, day: int) -> Manifest:
    """Put a day's roll-ups of one tier together, by ranges of series; the manifest as saved.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    rolled = _of_day(manifest, tier, day)
    if damaged := unsound(store, rolled):
        return set_aside(store, manifest, damaged)
    first, last = min(one.first_batch for one in rolled), max(one.last_batch for one in rolled)
    level = max(one.level for one in rolled) + 1
    written = []
    for cut in cuts(store, rolled):
        rows = fullest(_scan(store, rolled, cut, pl.col("series").is_between(*cut), EMPTY_ROLLS))
        if rows.height:
            written.append(write_segment(store, rows, level, first, last, tier))
    return save(store, _replaced(manifest, set(rolled), written))
