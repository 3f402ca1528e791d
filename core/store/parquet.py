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
from typing import ClassVar

import polars as pl

from igoudar.core.errors import StoreBusyError, StoreError
from igoudar.core.model import Reading
from igoudar.core.store.figures import Figures
from igoudar.core.store.files import WriterLock, make_folder
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.protocol import Series
from igoudar.core.store.reader import ParquetReader
from igoudar.core.store.recovery import recover
from igoudar.core.store.rollup import energy_kinds
from igoudar.core.store.rows import to_rows
from igoudar.core.store.segments import Segment, hot_segments, write_segment
from igoudar.core.store.series import SeriesBook
from igoudar.core.store.tiers import Retention
from igoudar.core.store.upkeep import Upkeep

log = logging.getLogger(__name__)

HOT_LIMIT = 64  # appends kept apart before they are merged: about a minute
GRACE_S = 5.0  # how long replaced files stay for readers that hold the former list
RETRY_S = 30.0  # until a merge that the disk refused is tried again
LOCK_NAME = "lock"
KEEP = Retention()


class ParquetStore:
    """A `TelemetryStore` in a folder; one process writes, any number read (`ParquetReader`)."""

    local: ClassVar[bool] = True

    def __init__(
        self,
        path: Path,
        lock: WriterLock,
        manifest: Manifest,
        book: SeriesBook,
        hot_limit: int,
        retention: Retention,
    ) -> None:
        self._path = path
        self._lock = lock
        self._manifest = manifest
        self._book = book
        self._hot_limit = hot_limit
        self._upkeep = Upkeep(path, retention, self._kinds, hot_limit)
        self._figures = Figures()
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
    def open(
        cls,
        path: Path,
        devices: Iterable[str] = (),
        hot_limit: int = HOT_LIMIT,
        retention: Retention = KEEP,
    ) -> "ParquetStore":
        """Open `path` as its only writer, creating, cleaning and migrating it as needed.

        Args:
            path: The store's folder.
            devices: Device names in the order of their rooms, so that a room's samples lie together.
            hot_limit: Appends kept apart before they are merged.
            retention: How many days of samples and roll-ups are kept.

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
        return cls(path, lock, manifest, book, hot_limit, retention)

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep `readings`; when this returns they are on disk (fsynced). Repeating it changes nothing.

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
            self._figures.refused += 1
            raise _refused(error, self._path) from error
        self._figures.note(segment)
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
            self._maintain(self._hot[: self._hot_limit])
        except (OSError, pl.exceptions.PolarsError, MemoryError) as error:
            self._figures.postponed += 1
            log.warning("merging the store's segments is postponed: %s", error)
        else:
            self._compact_after = 0.0

    def _maintain(self, hot: Sequence[Segment], *, all_hours: bool = False) -> None:
        for manifest in self._upkeep.steps(self._manifest, hot, all_hours=all_hours):
            self._adopt(manifest)
        with self._appending:
            unmerged = list(self._hot)
        self._adopt(self._upkeep.expire(self._manifest, unmerged))
        self._adopt(self._upkeep.check_one(self._manifest))

    def compact(self) -> None:
        """Merge every append and close every hour now, as a person asks for.

        Raises:
            StoreError: the disk refused; what was stored is untouched.
        """
        try:
            self._compactor.submit(lambda: self._maintain(list(self._hot), all_hours=True)).result()
        except OSError as error:
            raise _refused(error, self._path) from error

    def _kinds(self) -> pl.DataFrame:
        with self._appending:
            return energy_kinds(self._book.frame())

    def _adopt(self, manifest: Manifest) -> None:
        """Go on with a manifest that was saved; what it no longer names goes after a grace."""
        former, self._manifest = self._manifest, manifest
        with self._appending:
            merged = [segment for segment in self._hot if segment.first_batch < manifest.hot_from]
            self._hot = [segment for segment in self._hot if segment.first_batch >= manifest.hot_from]
        kept = set(manifest.merged)
        gone = [one.path(self._path) for one in (*merged, *former.merged) if one not in kept]
        if former.latest and former.latest != manifest.latest:
            gone.append(self._path / former.latest)
        self._replaced.extend((time.monotonic() + GRACE_S, path) for path in gone)

    def metrics(self) -> Mapping[str, float]:
        """The store's own figures, for the collector's."""
        return self._figures.shown(self._manifest, len(self._hot))

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

    def rollup(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """As `downsample`, with good (how many samples) and energy_wh (null for other quantities)."""
        return self._reader.rollup(series, start, end, step)

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
    return StoreBusyError(
        f"the store could not be written ({error.strerror or error})",
        where=str(path),
        fix="free disk space or check its permissions (`igoudar doctor`); what was stored is untouched",
    )
