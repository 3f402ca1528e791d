"""Which tier answers which part of a window."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from igoudar.core.store.coverage import Coverage
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.segments import Segment
from igoudar.core.store.tiers import HOUR_US, RAW, ROLLED, Tier
from igoudar.core.store.view import View

_COARSE_FIRST = tuple(reversed(ROLLED))


@dataclass(frozen=True, slots=True)
class Window:
    """Steps of `step_us` from `start_us` to before `end_us`."""

    start_us: int
    end_us: int
    step_us: int


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a window, its tier, and whether samples have to be read for it."""

    start_us: int
    end_us: int
    tier: Tier
    with_samples: bool


def plan_of(
    view: View, window: Window, numbers: Sequence[int], is_whole: Callable[[Segment], bool]
) -> list[Span]:
    """The spans of a window for some series (sorted numbers), in order.

    An hour is answered by the coarsest tier that the steps allow; its samples are read too when some are not
    rolled up yet. Where the samples are gone, the finest roll-up answers, even if coarser than the steps.
    """
    near = _near(view, window, numbers)
    coverage = _coverage(near, is_whole)
    spans: list[Span] = []
    for start_us, end_us, tiers in _pieces(near, window):
        tier, with_samples = _choose(coverage, start_us // HOUR_US, tiers)
        last = spans[-1] if spans else None
        if last and (last.tier, last.with_samples, last.end_us) == (tier, with_samples, start_us):
            spans[-1] = replace(last, end_us=end_us)
        else:
            spans.append(Span(start_us, end_us, tier, with_samples))
    return spans


def _near(view: View, window: Window, numbers: Sequence[int]) -> list[Segment]:
    return [
        one for one in view.files if one.overlaps(window.start_us, window.end_us) and one.holds_any(numbers)
    ]


def _coverage(near: Iterable[Segment], is_whole: Callable[[Segment], bool]) -> Coverage:
    """What is there of the series asked for; a damaged roll-up leaves its hours to the samples."""
    raw = tuple(one for one in near if one.tier is RAW)
    rolled = [one for one in near if one.tier is not RAW]
    lost = {(one.tier, hour) for one in rolled if not is_whole(one) for hour in one.hours}
    coverage = Coverage.of(Manifest(cold=raw, rolled=tuple(rolled)))
    kept = {
        tier: {hour: found for hour, found in hours.items() if (tier, hour) not in lost}
        for tier, hours in coverage.rolled.items()
    }
    return Coverage(coverage.raw, kept)


def _pieces(near: Sequence[Segment], window: Window) -> Iterator[tuple[int, int, list[Tier]]]:
    """Hours that hold something, cut to the window, and the tiers that each may use, coarsest first."""
    allowed = [
        tier
        for tier in _COARSE_FIRST
        if window.step_us % tier.step_us == 0 and window.start_us % tier.step_us == 0
    ]
    for hour in sorted({hour for one in near for hour in one.hours}):
        start = max(window.start_us, hour * HOUR_US)
        end = min(window.end_us, (hour + 1) * HOUR_US)
        if start < end:
            yield from _cut(start, end, allowed)


def _cut(start_us: int, end_us: int, allowed: Sequence[Tier]) -> Iterator[tuple[int, int, list[Tier]]]:
    """A part of an hour whose end no roll-up falls on has its last buckets read from samples."""
    whole = min((end_us - end_us % tier.step_us for tier in allowed), default=start_us)
    if start_us < whole:
        yield start_us, whole, list(allowed)
    if max(start_us, whole) < end_us:
        yield max(start_us, whole), end_us, []


def _choose(coverage: Coverage, hour: int, allowed: Sequence[Tier]) -> tuple[Tier, bool]:
    for tier in allowed:
        if hour in coverage.rolled[tier]:
            return tier, not coverage.is_fresh(hour, tier)
    if coverage.has_all_samples(hour):
        return RAW, True
    for tier in ROLLED:
        if hour in coverage.rolled[tier]:
            return tier, not coverage.is_fresh(hour, tier)
    return RAW, True
