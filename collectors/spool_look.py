"""A look at a spool from outside, while its collector runs or not; nothing is changed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from igoudar.collectors.keeping import QUARANTINE
from igoudar.collectors.spool_disk import FolderDisk
from igoudar.collectors.spool_segments import left


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for the store, at most, and what the store will never take."""

    batches: int
    size_bytes: int
    oldest_at: datetime | None  # site time of the oldest reading that may wait
    set_aside: int  # files of the quarantine


def backlog(folder: Path) -> Backlog:
    """The backlog of a spool's folder; an absent one holds nothing.

    Raises:
        OSError: it can't be read.
    """
    if not folder.is_dir():
        return Backlog(0, 0, None, 0)
    done, segments, following = left(FolderDisk(folder))
    batches = following - done.count(0, following - 1)
    aside = folder / QUARANTINE
    return Backlog(
        batches,
        segments.size_bytes,
        _time(segments.oldest_us) if batches else None,
        sum(1 for _ in aside.glob("*.json")) if aside.is_dir() else 0,
    )


def _time(oldest_us: int | None) -> datetime | None:
    return datetime.fromtimestamp(oldest_us / 1e6, UTC) if oldest_us is not None else None
