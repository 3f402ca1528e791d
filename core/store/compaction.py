"""Merging segments: which next, into what, and what becomes of a damaged one."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import polars as pl

from igoudar.core.store.coverage import Coverage
from igoudar.core.store.files import make_folder
from igoudar.core.store.latest import fold_latest, newest_rows, read_latest, write_latest
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.segments import QUARANTINE_FOLDER, Segment, is_whole, write_segment
from igoudar.core.store.tiers import HOUR_US, RAW

log = logging.getLogger(__name__)

FAN_OUT = 16
MAX_ROWS = 8_000_000  # of a merged segment: about 400 MB of memory while it is sorted


def next_merge(cold: Sequence[Segment]) -> Sequence[Segment]:
    """Segments of one level and one hour worth merging, oldest first; empty when there are none."""
    ordered = sorted(cold, key=lambda segment: (segment.hours[0], segment.level, segment.first_batch))
    for _, run in groupby(ordered, key=lambda segment: (segment.hours[0], segment.level)):
        neighbours = list(run)
        fitting = _within_rows(neighbours)
        if len(fitting) >= FAN_OUT:
            return fitting
    return ()


def _within_rows(run: Sequence[Segment]) -> Sequence[Segment]:
    rows = 0
    for index, segment in enumerate(run):
        rows += segment.rows
        if rows > MAX_ROWS:
            return run[:index]
    return run


def merge(store: Path, manifest: Manifest, segments: Sequence[Segment]) -> Manifest:
    """Put segments of the next level, one per hour, in the place of `segments`; the manifest as saved.

    Damaged ones are set aside and named in the manifest: they cost only themselves.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    sound = [segment for segment in segments if is_sound(store, segment)]
    first, last = segments[0].first_batch, max(segment.last_batch for segment in segments)
    level = max(segment.level for segment in segments) + 1
    rows = read_rows(store, sound)
    merged = [write_segment(store, part, level, first, last) for part in by_hour(rows)]
    kept = [segment for segment in manifest.cold if segment not in set(segments)]
    new = replace(
        manifest,
        generation=manifest.generation + 1,
        hot_from=max(manifest.hot_from, last + 1),
        cold=in_order([*kept, *merged]),
    )
    if level == 1:
        new = replace(new, latest=_write_latest(store, manifest, rows, new.generation))
    return save(store, new, [segment for segment in segments if segment not in set(sound)])


def in_order(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """So that of a sample stored twice the later one comes later."""
    return tuple(
        sorted(segments, key=lambda one: (one.last_batch, one.level, one.first_us, one.first_series))
    )


def by_hour(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Sorted rows, one frame per hour, each sorted as they were."""
    hour = rows.get_column("time_us") // HOUR_US if rows.height else None
    if hour is None:
        return []
    if hour.min() == hour.max():
        return [rows]
    return rows.with_columns(hour=hour).partition_by("hour", maintain_order=True, include_key=False)


def set_aside(store: Path, manifest: Manifest, damaged: Sequence[Segment]) -> Manifest:
    """Take damaged or missing segments out of the manifest; the manifest as saved."""
    gone = {*damaged, *_to_roll_up_again(manifest, damaged)}
    new = replace(
        manifest,
        generation=manifest.generation + 1,
        cold=tuple(segment for segment in manifest.cold if segment not in gone),
        rolled=tuple(segment for segment in manifest.rolled if segment not in gone),
    )
    return save(store, new, damaged)


def _to_roll_up_again(manifest: Manifest, damaged: Sequence[Segment]) -> list[Segment]:
    """Whole roll-ups beside damaged ones, where samples are there to make them all again."""
    coverage = Coverage.of(manifest)
    hours = {hour for one in damaged if one.tier is not RAW for hour in one.hours}
    beside = (one for one in manifest.rolled if hours.intersection(one.hours))
    return [one for one in beside if all(coverage.has_all_samples(hour) for hour in one.hours)]


def save(store: Path, manifest: Manifest, damaged: Sequence[Segment] = ()) -> Manifest:
    """Make `manifest` the one that counts, naming and setting aside `damaged`; it as saved.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    named = [(segment.name, _why(store, segment)) for segment in damaged]
    manifest = replace(manifest, quarantined=(*manifest.quarantined, *named))
    manifest.save(store)
    for segment, (name, why) in zip(damaged, named, strict=True):
        log.error("store segment %s is %s: %d rows lost", name, why, segment.rows)
        quarantine(store, segment)
    return manifest


def quarantine(store: Path, segment: Segment) -> None:
    """Move a damaged file out of the readers' way, for a person to look at."""
    make_folder(store / QUARANTINE_FOLDER)
    if segment.path(store).exists():
        segment.path(store).rename(store / QUARANTINE_FOLDER / segment.name)


def _why(store: Path, segment: Segment) -> str:
    return "damaged" if segment.path(store).exists() else "missing"


def is_sound(store: Path, segment: Segment) -> bool:
    """Whether the file is there and holds what was written."""
    try:
        return is_whole(store, segment)
    except FileNotFoundError:
        return False


def unsound(store: Path, segments: Sequence[Segment]) -> list[Segment]:
    """Those of `segments` that are missing or not what was written."""
    return [segment for segment in segments if not is_sound(store, segment)]


def read_rows(store: Path, segments: Sequence[Segment]) -> pl.DataFrame:
    """All rows of whole segments by (series, time); of a sample stored twice the later one comes later."""
    frames = [pl.read_parquet(segment.path(store)) for segment in segments]
    rows = pl.concat(frames) if frames else pl.DataFrame()
    return rows.sort("series", "time_us", maintain_order=True) if frames else rows


def _write_latest(store: Path, manifest: Manifest, rows: pl.DataFrame, generation: int) -> str:
    former = read_latest(store, manifest.latest)
    if former is None:
        former = fold_latest(store, manifest.cold)
    newest = newest_rows(pl.concat([former, rows])) if rows.height else former
    return write_latest(store, newest, generation)
