"""Segments: immutable Parquet files whose names say what they hold and what they must hash to."""

import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from igoudar.core.store.files import (
    ROLLED_ROW_GROUP,
    ROW_GROUP,
    encode,
    hashes_to,
    make_folder,
    write_durably,
)
from igoudar.core.store.rows import from_us
from igoudar.core.store.tiers import HOUR_US, RAW, TIERS, Tier

HOT_FOLDER = "hot"
QUARANTINE_FOLDER = "quarantine"
LAST_SERIES = 2**32 - 1
_NAME = re.compile(
    r"([LMQ])(\d+)_(\d{10})-(\d{10})_(-?\d+)_(-?\d+)"
    r"(?:_s(\d+)-(\d+))?_(\d+)_([0-9a-f]{8})\.parquet"
)
_TIERS = {tier.letter: tier for tier in TIERS}


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of samples or of their roll-ups; level 0 is one append, higher levels are merged.

    `first_batch` and `last_batch` are the numbers of the appends that it holds; times are received times (of
    roll-ups the buckets' starts) in microseconds since 1970 UTC; all bounds are inclusive. A merged segment
    of samples lies within one hour, a roll-up within one day.
    """

    level: int
    first_batch: int
    last_batch: int
    first_us: int
    last_us: int
    rows: int
    crc32: int
    first_series: int = 0
    last_series: int = LAST_SERIES
    tier: Tier = RAW

    @property
    def name(self) -> str:
        """File name, which carries every field."""
        batches = f"{self.first_batch:010d}-{self.last_batch:010d}"
        some = (self.first_series, self.last_series) != (0, LAST_SERIES)
        series = f"_s{self.first_series}-{self.last_series}" if some else ""
        times = f"{self.first_us}_{self.last_us}"
        head = f"{self.tier.letter}{self.level}_{batches}_{times}"
        return f"{head}{series}_{self.rows}_{self.crc32:08x}.parquet"

    @classmethod
    def parse(cls, name: str) -> "Segment | None":
        """The segment that a file name describes, None for any other file."""
        match = _NAME.fullmatch(name)
        if match is None:
            return None
        level, first_batch, last_batch, first_us, last_us = (int(text) for text in match.groups()[1:6])
        series = (int(match[7]), int(match[8])) if match[7] else (0, LAST_SERIES)
        rows, crc32 = int(match[9]), int(match[10], 16)
        return cls(level, first_batch, last_batch, first_us, last_us, rows, crc32, *series, _TIERS[match[1]])

    @property
    def hours(self) -> range:
        """The hours since 1970 that it may hold rows of."""
        return range(self.first_us // HOUR_US, self.last_us // HOUR_US + 1)

    @property
    def day(self) -> str:
        """The UTC day of its first row."""
        return f"{from_us(self.first_us):%Y-%m-%d}"

    def path(self, store: Path) -> Path:
        """Where the segment lies: hot ones together, merged ones by the day of their first sample."""
        if self.level == 0:
            return store / HOT_FOLDER / self.name
        return store / self.tier.folder / self.day / self.name

    def overlaps(self, start_us: int, end_us: int) -> bool:
        """Whether it may hold rows in [start, end)."""
        return self.first_us < end_us and self.last_us >= start_us

    def holds_any(self, numbers: Sequence[int]) -> bool:
        """Whether it may hold one of these series (sorted numbers)."""
        at = bisect_left(numbers, self.first_series)
        return at < len(numbers) and numbers[at] <= self.last_series


def write_segment(
    store: Path, rows: pl.DataFrame, level: int, first_batch: int, last_batch: int, tier: Tier = RAW
) -> Segment:
    """Write `rows`, sorted by series and time, durably.

    Raises:
        OSError: nothing was left behind.
    """
    # A hot segment lives for a minute: lz4 takes a fifth of the time, zstd half of the space.
    content = encode(rows, "zstd" if level else "lz4", ROW_GROUP if tier is RAW else ROLLED_ROW_GROUP)
    times = rows.get_column("time_us")
    bounds = (int(times.min()), int(times.max()))  # type: ignore[arg-type] # there are rows, and no nulls
    series = rows.get_column("series")
    which = (int(series[0]), int(series[-1])) if level else (0, LAST_SERIES)
    crc32 = zlib.crc32(content)
    segment = Segment(level, first_batch, last_batch, *bounds, rows.height, crc32, *which, tier)
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
