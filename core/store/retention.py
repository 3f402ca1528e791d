"""What goes when a tier holds more days than it should; nothing goes before it is rolled up."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from igoudar.core.store.compaction import unsound
from igoudar.core.store.coverage import Coverage
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.segments import Segment
from igoudar.core.store.tiers import DAY_US, HOUR_US, MINUTE, QUARTER, RAW, ROLLED, TIERS, Retention, Tier

_HOURS_A_DAY = DAY_US // HOUR_US
_KEPT_BY = {RAW: (MINUTE, QUARTER), MINUTE: (QUARTER,), QUARTER: ()}  # roll-ups that must hold what goes


def expire(store: Path, manifest: Manifest, hot: Sequence[Segment], retention: Retention) -> Manifest:
    """Drop the oldest days beyond `retention` from each tier; the manifest as saved, perhaps the same.

    Raises:
        OSError: the former manifest and its files still hold.
    """
    coverage = Coverage.of(manifest, hot)
    hot_days = set(_days(hot))
    gone: set[Segment] = set()
    for tier in TIERS:
        segments = [one for one in manifest.merged if one.tier is tier]
        old = _old_days(segments, retention.days(tier)) - hot_days
        expired = [one for one in segments if one.hours[0] // _HOURS_A_DAY in old]
        gone |= set(_held_elsewhere(store, manifest, coverage, expired, tier))
    if not gone:
        return manifest
    new = replace(
        manifest,
        generation=manifest.generation + 1,
        cold=tuple(one for one in manifest.cold if one not in gone),
        rolled=tuple(one for one in manifest.rolled if one not in gone),
    )
    new.save(store)
    return new


def _days(segments: Iterable[Segment]) -> list[int]:
    return sorted({hour // _HOURS_A_DAY for one in segments for hour in one.hours})


def _old_days(segments: Sequence[Segment], kept: int) -> set[int]:
    return set(_days(segments)[:-kept])


def _held_elsewhere(
    store: Path, manifest: Manifest, coverage: Coverage, expired: Sequence[Segment], tier: Tier
) -> list[Segment]:
    """Those whose every hour is in a coarser tier that was read back whole just now."""
    keepers = _KEPT_BY[tier]
    hours = {hour for one in expired for hour in one.hours}
    relied_on = [one for one in manifest.rolled if one.tier in keepers and hours.intersection(one.hours)]
    broken = unsound(store, relied_on)
    lost = {hour for one in broken for hour in one.hours}
    return [one for one in expired if all(_is_kept(coverage, one, hour, lost, keepers) for hour in one.hours)]


def _is_kept(
    coverage: Coverage, segment: Segment, hour: int, lost: set[int], keepers: Sequence[Tier]
) -> bool:
    if hour in lost:
        return False
    if segment.tier is RAW:
        return all(coverage.is_fresh(hour, tier) for tier in ROLLED)
    return all(_reaches(coverage, segment, hour, tier) for tier in keepers)


def _reaches(coverage: Coverage, segment: Segment, hour: int, tier: Tier) -> bool:
    held, own = coverage.rolled[tier].get(hour), coverage.rolled[segment.tier].get(hour)
    if own is None:  # a day's file spans an hour that has nothing
        return True
    return held is not None and held[1] >= min(own[1], segment.last_batch)
