"""Which segments to merge next, and their merging."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import polars as pl

from igoudar.core.store.rows import from_us
from igoudar.core.store.segments import Segment, write_segment

FAN_OUT = 16
MAX_ROWS = 8_000_000  # of a merged segment: about 400 MB of memory while it is sorted


def next_merge(cold: Sequence[Segment]) -> Sequence[Segment]:
    """Neighbours of one level and one day worth merging, oldest first; empty when there are none."""
    for _, run in groupby(cold, key=lambda segment: (segment.level, from_us(segment.first_us).date())):
        neighbours = _within_rows(list(run))
        if len(neighbours) >= FAN_OUT:
            return neighbours
    return ()


def _within_rows(run: Sequence[Segment]) -> Sequence[Segment]:
    rows = 0
    for index, segment in enumerate(run):
        rows += segment.rows
        if rows > MAX_ROWS:
            return run[:index]
    return run


def merge(store: Path, segments: Sequence[Segment]) -> Segment:
    """Write one segment of the next level that holds the samples of `segments`.

    Raises:
        OSError: nothing was left behind.
    """
    rows = pl.read_parquet([segment.path(store) for segment in segments])
    level = max(segment.level for segment in segments) + 1
    first, last = segments[0].first_batch, segments[-1].last_batch
    return write_segment(store, rows.sort("series", "time_us", maintain_order=True), level, first, last)
