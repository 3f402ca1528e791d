"""The newest reading of each device in all merged segments, so that `latest` reads a minute, not a year."""

import re
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from igoudar.core.store.files import encode, write_durably
from igoudar.core.store.rows import EMPTY_ROWS, newest_of_each
from igoudar.core.store.segments import Segment, is_whole
from igoudar.core.store.series import POINTS_PER_DEVICE

_NAME = re.compile(r"latest_(\d{10})_([0-9a-f]{8})\.parquet")


def newest_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of each device's newest instant; of a sample stored twice the later row."""
    if rows.is_empty():
        return rows
    device = rows.get_column("series").to_numpy() // POINTS_PER_DEVICE  # numbers are dense: arrays do
    time_us = rows.get_column("time_us").to_numpy()
    newest_us = np.full(int(device.max()) + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest_us, device, time_us)
    return newest_of_each(rows.filter(pl.Series(time_us == newest_us[device])))


def write_latest(store: Path, rows: pl.DataFrame, generation: int) -> str:
    """Write the newest rows for the manifest of `generation`; its file name.

    Raises:
        OSError: nothing was left behind.
    """
    content = encode(rows, "lz4")
    name = f"latest_{generation:010d}_{zlib.crc32(content):08x}.parquet"
    write_durably(store / name, content)
    return name


def read_latest(store: Path, name: str) -> pl.DataFrame | None:
    """The newest rows that a manifest names; None when the file is damaged.

    Raises:
        FileNotFoundError: a newer manifest has replaced it.
    """
    if not name:
        return EMPTY_ROWS
    content = (store / name).read_bytes()
    match = _NAME.fullmatch(name)
    whole = match is not None and zlib.crc32(content) == int(match[2], 16)
    return pl.read_parquet(content) if whole else None


def is_latest(name: str) -> bool:
    """Whether a file name is one of these."""
    return _NAME.fullmatch(name) is not None


def fold_latest(store: Path, segments: Sequence[Segment]) -> pl.DataFrame:
    """The newest rows of whole segments, one at a time."""
    newest = EMPTY_ROWS
    for segment in segments:
        if is_whole(store, segment):
            newest = newest_rows(pl.concat([newest, pl.read_parquet(segment.path(store))]))
    return newest
