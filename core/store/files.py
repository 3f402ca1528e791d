"""Files that are whole or absent, and one writer at a time."""

import errno
import fcntl
import io
import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import Literal

import polars as pl

from igoudar.core.durable import PART, sync_folder, write_durably
from igoudar.core.errors import StoreError

__all__ = ["PART", "WriterLock", "encode", "hashes_to", "make_folder", "sync_folder", "write_durably"]

ROW_GROUP = 1 << 17  # rows of samples
ROLLED_ROW_GROUP = 1 << 14  # of roll-ups, which have twice the columns and a sixth of a series' rows


def encode(
    frame: pl.DataFrame, compression: Literal["lz4", "zstd"], row_group_rows: int = ROW_GROUP
) -> bytes:
    """`frame` as Parquet, in row groups whose statistics find one series of a large site."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression=compression, row_group_size=row_group_rows)
    return buffer.getvalue()


def hashes_to(path: Path, crc32: int) -> bool:
    """Whether the file holds the bytes that were written.

    Raises:
        OSError: the file is not there or can't be opened.
    """
    try:
        return zlib.crc32(path.read_bytes()) == crc32
    except OSError as error:
        if error.errno == errno.EIO:  # a sector that can't be read is damage, not a state of the system
            return False
        raise


def make_folder(folder: Path) -> None:
    """Create `folder` (0700) and what is missing above it, and make their entries durable."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


class WriterLock:
    """An exclusive lock on a folder; the kernel releases it when the process dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._holder()
            self._file.close()
            raise StoreError(
                f"another process{holder} writes this store",
                where=str(path.parent),
                fix="stop that igoudar first, or give this one its own --state folder",
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def _holder(self) -> str:
        self._file.seek(0)
        pid = self._file.read().strip()
        return f" ({pid})" if pid else ""

    def release(self) -> None:
        """Let the next writer in."""
        self._file.close()

    def __enter__(self) -> "WriterLock":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
