"""The embedded store: one durable Parquet segment per append, merged in the background."""

import logging
import threading
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

import polars as pl

from igoudar.core.errors import StoreError
from igoudar.core.model import Reading
from igoudar.core.store.compaction import merge, next_merge, set_aside, unsound
from igoudar.core.store.files import WriterLock, make_folder
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.recovery import recover
from igoudar.core.store.rows import to_rows
from igoudar.core.store.segments import Segment, hot_segments, write_segment
from igoudar.core.store.series import SeriesBook

log = logging.getLogger(__name__)

HOT_LIMIT = 64  # appends kept apart before they are merged: about a minute
GRACE_S = 5.0  # how long replaced files stay for readers that hold the former list
RETRY_S = 30.0  # until a merge that the disk refused is tried again
LOCK_NAME = "lock"


class ParquetStore:
    """A `TelemetryStore` in a folder; one process writes, any number read (`ParquetReader`)."""

    def __init__(
        self, path: Path, lock: WriterLock, manifest: Manifest, book: SeriesBook, hot_limit: int
    ) -> None:
        self._path = path
        self._lock = lock
        self._manifest = manifest
        self._book = book
        self._hot_limit = hot_limit
        self._hot = hot_segments(path, manifest.hot_from)
        self._next_batch = (
            max((segment.last_batch for segment in self._hot), default=manifest.hot_from - 1) + 1
        )
        self._reader = ParquetReader(path)
        self._appending = threading.Lock()
        self._replaced: deque[tuple[float, Path]] = deque()  # (monotonic time it may go, file)
        self._compactor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="compact")
        self._compaction: Future[None] | None = None
        self._compact_after = 0.0

    @classmethod
    def open(cls, path: Path, devices: Iterable[str] = (), hot_limit: int = HOT_LIMIT) -> "ParquetStore":
        """Open `path` as its only writer, creating, cleaning and migrating it as needed.

        Args:
            path: The store's folder.
            devices: Device names in the order of their rooms, so that a room's samples lie together.
            hot_limit: Appends kept apart before they are merged.

        Raises:
            StoreError: another process writes it, or it can't be used.
        """
        lock = _lock(path)
        try:
            manifest, book = recover(path), SeriesBook.load(path)
        except OSError as error:
            lock.release()
            raise _refused(error, path) from error
        except StoreError:
            lock.release()
            raise
        book.add_devices(devices)
        return cls(path, lock, manifest, book, hot_limit)

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep `readings`; when this returns they are on disk (fsynced).

        Raises:
            StoreError: nothing of the batch was kept; what was stored before is untouched.
        """
        with self._appending:
            rows = to_rows(readings, self._book)
            if rows.height:
                self._keep(rows)
        self._delete_replaced()
        self._compact_if_due()

    def _keep(self, rows: pl.DataFrame) -> None:
        try:
            if self._book.dirty:
                self._book.save(self._path)
            segment = write_segment(self._path, rows, 0, self._next_batch, self._next_batch)
        except OSError as error:
            raise _refused(error, self._path) from error
        self._hot.append(segment)
        self._next_batch += 1

    def _compact_if_due(self) -> None:
        idle = self._compaction is None or self._compaction.done()
        if idle and len(self._hot) >= self._hot_limit and time.monotonic() >= self._compact_after:
            self._compaction = self._compactor.submit(self._compact)
            self._compaction.add_done_callback(_report)

    def _compact(self) -> None:
        """Merge in the background; a full disk only postpones it."""
        self._compact_after = time.monotonic() + RETRY_S
        try:
            self._replace(self._hot[: self._hot_limit])
            while neighbours := next_merge(self._manifest.cold):
                self._replace(neighbours)
            self._check_one()
        except (OSError, pl.exceptions.PolarsError, MemoryError) as error:
            log.warning("merging the store's segments is postponed: %s", error)
        else:
            self._compact_after = 0.0

    def _replace(self, segments: Sequence[Segment]) -> None:
        former = self._manifest
        self._manifest = merge(self._path, former, segments)
        with self._appending:
            self._hot = [segment for segment in self._hot if segment.first_batch >= self._manifest.hot_from]
        gone = [segment.path(self._path) for segment in segments]
        if former.latest and former.latest != self._manifest.latest:
            gone.append(self._path / former.latest)
        self._replaced.extend((time.monotonic() + GRACE_S, path) for path in gone)

    def _check_one(self) -> None:
        """Hash one merged segment per merge, in turn: damage is found before the segment is needed."""
        cold = self._manifest.cold
        if cold and (damaged := unsound(self._path, [cold[self._manifest.generation % len(cold)]])):
            self._manifest = set_aside(self._path, self._manifest, damaged)

    def _delete_replaced(self) -> None:
        while self._replaced and self._replaced[0][0] <= time.monotonic():
            self._replaced.popleft()[1].unlink(missing_ok=True)

    def close(self) -> None:
        """Release the writer's lock; nothing unflushed is left."""
        self._compactor.shutdown(wait=True)
        self._lock.release()

    def __enter__(self) -> "ParquetStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def latest(self, devices: Collection[str] | None = None) -> Mapping[str, Reading]:
        """The newest stored reading of each device (all devices when None)."""
        return self._reader.latest(devices)

    def range(self, series: Sequence[Series], start: datetime, end: datetime) -> pl.DataFrame:
        """Samples in [start, end): device, point, time (UTC), value (null when bad), quality, reason."""
        return self._reader.range(series, start, end)

    def downsample(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Good values per step: device, point, time (step start), mean, min, max, last, good_share."""
        return self._reader.downsample(series, start, end, step)

    def last_time(self) -> datetime | None:
        """Received time of the newest sample, None in an empty store."""
        return self._reader.last_time()


def _report(compaction: Future[None]) -> None:
    """A fault of ours in the merging thread must not stay unseen; appending goes on without merging."""
    if not compaction.cancelled() and (error := compaction.exception()) is not None:
        log.error("merging the store's segments failed", exc_info=error)


def _lock(path: Path) -> WriterLock:
    try:
        make_folder(path)
        return WriterLock(path / LOCK_NAME)
    except OSError as error:
        raise _refused(error, path) from error


def _refused(error: OSError, path: Path) -> StoreError:
    return StoreError(
        f"the store could not be written ({error.strerror or error})",
        where=str(path),
        fix="free disk space or check its permissions (`igoudar doctor`); what was stored is untouched",
    )
