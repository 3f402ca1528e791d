"""Segments: immutable Parquet files whose names say what they hold and what they must hash to."""

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from igoudar.core.store.files import encode, hashes_to, make_folder, write_durably
from igoudar.core.store.rows import from_us

HOT_FOLDER = "hot"
COLD_FOLDER = "cold"
QUARANTINE_FOLDER = "quarantine"
_NAME = re.compile(r"L(\d+)_(\d{10})-(\d{10})_(-?\d+)_(-?\d+)_(\d+)_([0-9a-f]{8})\.parquet")


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of samples; level 0 is one append, higher levels are merged.

    `first_batch` and `last_batch` are the numbers of the appends that it holds; times are received times in
    microseconds since 1970 UTC, both inclusive.
    """

    level: int
    first_batch: int
    last_batch: int
    first_us: int
    last_us: int
    rows: int
    crc32: int

    @property
    def name(self) -> str:
        """File name, which carries every field."""
        batches = f"{self.first_batch:010d}-{self.last_batch:010d}"
        return f"L{self.level}_{batches}_{self.first_us}_{self.last_us}_{self.rows}_{self.crc32:08x}.parquet"

    @classmethod
    def parse(cls, name: str) -> "Segment | None":
        """The segment that a file name describes, None for any other file."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        level, first_batch, last_batch, first_us, last_us, rows = (int(text) for text in match.groups()[:6])
        return cls(level, first_batch, last_batch, first_us, last_us, rows, int(match[7], 16))

    def path(self, store: Path) -> Path:
        """Where the segment lies: hot ones together, merged ones by the day of their first sample."""
        if self.level == 0:
            return store / HOT_FOLDER / self.name
        return store / COLD_FOLDER / f"{from_us(self.first_us):%Y-%m-%d}" / self.name

    def overlaps(self, start_us: int, end_us: int) -> bool:
        """Whether it may hold samples in [start, end)."""
        return self.first_us < end_us and self.last_us >= start_us


def write_segment(store: Path, rows: pl.DataFrame, level: int, first_batch: int, last_batch: int) -> Segment:
    """Write sorted `rows` durably.

    Raises:
        OSError: nothing was left behind.
    """
    # A hot segment lives for a minute: lz4 takes a fifth of the time, zstd half of the space.
    content = encode(rows, "zstd" if level else "lz4")
    first_us, last_us = rows.select(first=pl.col("time_us").min(), last=pl.col("time_us").max()).row(0)
    segment = Segment(level, first_batch, last_batch, first_us, last_us, rows.height, zlib.crc32(content))
    path = segment.path(store)
    make_folder(path.parent)
    write_durably(path, content)
    return segment


def is_whole(store: Path, segment: Segment) -> bool:
    """Whether the file holds the bytes that were written.

    Raises:
        OSError: the file is not there or can't be opened.
    """
    return hashes_to(segment.path(store), segment.crc32)


def hot_segments(store: Path, first_batch: int) -> list[Segment]:
    """Segments of single appends from `first_batch` on, in the order they were appended."""
    names = (Segment.parse(path.name) for path in (store / HOT_FOLDER).iterdir())
    found = [segment for segment in names if segment and segment.first_batch >= first_batch]
    return sorted(found, key=lambda segment: segment.first_batch)
