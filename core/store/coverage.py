"""Which hours are rolled up, and whether all their samples went into it: it follows from append numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from igoudar.core.store.manifest import Manifest
from igoudar.core.store.segments import Segment
from igoudar.core.store.tiers import ROLLED, Tier

Hours = Mapping[int, tuple[int, int]]  # hour since 1970 -> first and last append


def hours_of(segments: Iterable[Segment]) -> Hours:
    """The appends that segments hold of each hour."""
    found: dict[int, tuple[int, int]] = {}
    for segment in segments:
        for hour in segment.hours:
            first, last = found.get(hour, (segment.first_batch, segment.last_batch))
            found[hour] = (min(first, segment.first_batch), max(last, segment.last_batch))
    return found


@dataclass(frozen=True, slots=True)
class Coverage:
    """Hours with samples, and hours rolled up in each tier."""

    raw: Hours
    rolled: Mapping[Tier, Hours]

    @classmethod
    def of(cls, manifest: Manifest, hot: Iterable[Segment] = ()) -> "Coverage":
        """What a manifest and the hot segments beside it cover."""
        rolled = {tier: hours_of(one for one in manifest.rolled if one.tier is tier) for tier in ROLLED}
        return cls(hours_of([*manifest.cold, *hot]), rolled)

    def is_fresh(self, hour: int, tier: Tier) -> bool:
        """Whether every sample of an hour went into its roll-up."""
        rolled, raw = self.rolled[tier].get(hour), self.raw.get(hour)
        return rolled is not None and (raw is None or raw[1] <= rolled[1])

    def has_all_samples(self, hour: int) -> bool:
        """Whether the samples of an hour are still there; false once retention took the first of them."""
        raw = self.raw.get(hour)
        rolled = [hours[hour] for hours in self.rolled.values() if hour in hours]
        return raw is not None and all(raw[0] <= first for first, _ in rolled)
