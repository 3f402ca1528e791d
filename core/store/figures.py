"""What the writer tells of itself (/metrics), and what a person reads of a store (`igoudar store stats`)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from igoudar.core.store.coverage import Coverage
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.rows import from_us
from igoudar.core.store.segments import Segment
from igoudar.core.store.series import GAP_POINT, SeriesBook
from igoudar.core.store.tiers import ROLLED, TIERS
from igoudar.core.store.view import current_view


@dataclass(slots=True)
class Figures:
    """Counts since the writer opened the store."""

    appends: int = 0
    samples: int = 0
    refused: int = 0
    postponed: int = 0

    def note(self, segment: Segment) -> None:
        """One append is on disk."""
        self.appends += 1
        self.samples += segment.rows

    def shown(self, manifest: Manifest, hot: int) -> dict[str, float]:
        """By the names of the collector's metrics."""
        return {
            "store_appends_total": self.appends,
            "store_samples_total": self.samples,
            "store_refused_appends_total": self.refused,
            "store_postponed_merges_total": self.postponed,
            "store_hot_segments": hot,
            "store_merged_segments": len(manifest.merged),
            "store_hours_not_rolled_up": hours_not_rolled_up(manifest),
            "store_quarantined_segments": len(manifest.quarantined),
        }


@dataclass(frozen=True, slots=True)
class TierStats:
    """One tier: files, rows, bytes, days with data, first and last time."""

    name: str
    files: int
    rows: int
    size_bytes: int
    days: int
    first: datetime | None
    last: datetime | None


@dataclass(frozen=True, slots=True)
class StoreStats:
    """A whole store."""

    tiers: tuple[TierStats, ...]
    devices: int
    series: int
    hours_not_rolled_up: int
    quarantined: int


def store_stats(store: Path) -> StoreStats:
    """What `store` holds, while it is written or not.

    Raises:
        StoreError: no usable store.
    """
    view, book = current_view(store), SeriesBook.load(store)
    files = view.manifest.merged
    found = [_tier("hot", view.hot, store)]
    found += [_tier(tier.folder, [one for one in files if one.tier is tier], store) for tier in TIERS]
    points = Counter(book.frame().get_column("point"))
    waiting = hours_not_rolled_up(view.manifest, view.hot)
    series = points.total() - points[GAP_POINT]
    return StoreStats(tuple(found), len(book.devices), series, waiting, len(view.manifest.quarantined))


def hours_not_rolled_up(manifest: Manifest, hot: Sequence[Segment] = ()) -> int:
    """Hours with samples that are not in every roll-up."""
    coverage = Coverage.of(manifest, hot)
    return sum(not all(coverage.is_fresh(hour, tier) for tier in ROLLED) for hour in coverage.raw)


def _tier(name: str, segments: Sequence[Segment], store: Path) -> TierStats:
    sizes = (one.path(store) for one in segments)
    size = sum(path.stat().st_size for path in sizes if path.exists())
    first = min((one.first_us for one in segments), default=None)
    last = max((one.last_us for one in segments), default=None)
    return TierStats(
        name,
        len(segments),
        sum(one.rows for one in segments),
        size,
        len({one.day for one in segments}),
        None if first is None else from_us(first),
        None if last is None else from_us(last),
    )
