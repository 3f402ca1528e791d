"""Merging segments: which next, into what, and what becomes of a damaged one."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import polars as pl

from igoudar.core.store.files import make_folder
from igoudar.core.store.latest import fold_latest, newest_rows, read_latest, write_latest
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.rows import from_us
from igoudar.core.store.segments import QUARANTINE_FOLDER, Segment, is_whole, write_segment

log = logging.getLogger(__name__)

FAN_OUT = 16
MAX_ROWS = 8_000_000  # of a merged segment: about 400 MB of memory while it is sorted


def next_merge(cold: Sequence[Segment]) -> Sequence[Segment]:
    """Neighbours of one level and one day worth merging, oldest first; empty when there are none."""
    for _, run in groupby(cold, key=lambda segment: (segment.level, from_us(segment.first_us).date())):
        neighbours = list(run)
        fitting = _within_rows(neighbours)
        full = len(fitting) < len(neighbours)
        if len(fitting) >= (2 if full else FAN_OUT):
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
    """Put one segment of the next level in the place of neighbouring `segments`; the manifest as saved.

    Damaged ones are set aside and named in the manifest: they cost only themselves.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    sound = [segment for segment in segments if _is_sound(store, segment)]
    first, last = segments[0].first_batch, segments[-1].last_batch
    level = max(segment.level for segment in segments) + 1
    rows = _read(store, sound)
    merged = [write_segment(store, rows, level, first, last)] if rows.height else []
    kept = [segment for segment in manifest.cold if segment not in set(segments)]
    new = replace(
        manifest,
        generation=manifest.generation + 1,
        hot_from=max(manifest.hot_from, last + 1),
        cold=tuple(sorted([*kept, *merged], key=lambda segment: segment.first_batch)),
    )
    if level == 1:
        new = replace(new, latest=_write_latest(store, manifest, rows, new.generation))
    return _save(store, new, [segment for segment in segments if segment not in set(sound)])


def set_aside(store: Path, manifest: Manifest, damaged: Sequence[Segment]) -> Manifest:
    """Take damaged or missing merged segments out of the manifest; the manifest as saved."""
    gone = set(damaged)
    cold = tuple(segment for segment in manifest.cold if segment not in gone)
    return _save(store, replace(manifest, generation=manifest.generation + 1, cold=cold), damaged)


def _save(store: Path, manifest: Manifest, damaged: Sequence[Segment]) -> Manifest:
    named = [(segment.name, _why(store, segment)) for segment in damaged]
    manifest = replace(manifest, quarantined=(*manifest.quarantined, *named))
    manifest.save(store)
    for segment, (name, why) in zip(damaged, named, strict=True):
        log.error("store segment %s is %s: %d samples lost", name, why, segment.rows)
        quarantine(store, segment)
    return manifest


def quarantine(store: Path, segment: Segment) -> None:
    """Move a damaged file out of the readers' way, for a person to look at."""
    make_folder(store / QUARANTINE_FOLDER)
    if segment.path(store).exists():
        segment.path(store).rename(store / QUARANTINE_FOLDER / segment.name)


def _why(store: Path, segment: Segment) -> str:
    return "damaged" if segment.path(store).exists() else "missing"


def _is_sound(store: Path, segment: Segment) -> bool:
    try:
        return is_whole(store, segment)
    except FileNotFoundError:
        return False


def unsound(store: Path, segments: Sequence[Segment]) -> list[Segment]:
    """Those of `segments` that are missing or not what was written."""
    return [segment for segment in segments if not _is_sound(store, segment)]


def _read(store: Path, segments: Sequence[Segment]) -> pl.DataFrame:
    frames = [pl.read_parquet(segment.path(store)) for segment in segments]
    rows = pl.concat(frames) if frames else pl.DataFrame()
    return rows.sort("series", "time_us", maintain_order=True) if frames else rows


def _write_latest(store: Path, manifest: Manifest, rows: pl.DataFrame, generation: int) -> str:
    former = read_latest(store, manifest.latest)
    if former is None:
        former = fold_latest(store, manifest.cold)
    newest = newest_rows(pl.concat([former, rows])) if rows.height else former
    return write_latest(store, newest, generation)
