"""The writer's work beside appending: merge, close hours and days, roll up, drop what is too old, check."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from igoudar.core.store.closing import close_day, close_hour, days_to_close, hours_to_close
from igoudar.core.store.compaction import merge, next_merge, set_aside, unsound
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.retention import expire
from igoudar.core.store.segments import Segment
from igoudar.core.store.tiers import Retention


class Upkeep:
    """Steps that bring a store in order, each ending with one atomic change of the manifest.

    Args:
        store: The folder; the caller holds its lock.
        retention: How many days each tier keeps.
        kinds: Gives the kinds of series (rollup.energy_kinds) as they are now.
        quiet: An hour is closed once this many appends brought it nothing.
    """

    def __init__(
        self, store: Path, retention: Retention, kinds: Callable[[], pl.DataFrame], quiet: int
    ) -> None:
        self._store, self._retention, self._kinds, self._quiet = store, retention, kinds, quiet

    def steps(
        self, manifest: Manifest, hot: Sequence[Segment], *, all_hours: bool = False
    ) -> Iterator[Manifest]:
        """Do what is due, one step per item; each item is the manifest as saved.

        Args:
            manifest: The present one.
            hot: Appends to merge now, oldest first.
            all_hours: Close hours that may still get samples, too.

        Raises:
            OSError: the manifest given last still holds.
        """
        if hot:
            yield (manifest := merge(self._store, manifest, hot))
        while neighbours := next_merge(manifest.cold):
            yield (manifest := merge(self._store, manifest, neighbours))
        settled = manifest.hot_from - 1 - (0 if all_hours else self._quiet)
        for hour in hours_to_close(manifest, settled):
            yield (manifest := close_hour(self._store, manifest, hour, self._kinds()))
        for tier, day in days_to_close(manifest, settled):
            yield (manifest := close_day(self._store, manifest, tier, day))

    def expire(self, manifest: Manifest, hot: Sequence[Segment]) -> Manifest:
        """Drop what is older than is kept; `hot` are all appends that are not merged."""
        return expire(self._store, manifest, hot, self._retention)

    def check_one(self, manifest: Manifest) -> Manifest:
        """Hash one merged segment per call, in turn: damage is found before the segment is needed."""
        merged = manifest.merged
        if merged and (damaged := unsound(self._store, [merged[manifest.generation % len(merged)]])):
            return set_aside(self._store, manifest, damaged)
        return manifest
