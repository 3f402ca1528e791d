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

from igoudar.core.errors import StoreError

PART = ".part"
ROW_GROUP = 1 << 17  # rows of samples
ROLLED_ROW_GROUP = 1 << 14  # of roll-ups, which have twice the columns and a sixth of a series' rows


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` to `path` so that it survives a power cut once this returns; whole or not at all.

    Raises:
        OSError: nothing was left behind.
    """
    part = path.with_name(path.name + PART)
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_folder(path.parent)
    except OSError:
        part.unlink(missing_ok=True)
        raise


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


def sync_folder(folder: Path) -> None:
    """Make renames and deletions in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
