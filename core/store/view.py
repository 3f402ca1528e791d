"""One consistent list of a store's files, taken without the writer's help."""

from dataclasses import dataclass
from pathlib import Path

from igoudar.core.errors import StoreError
from igoudar.core.store.manifest import Manifest, load_manifest
from igoudar.core.store.segments import Segment, hot_segments

ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class View:
    """What was valid at one instant; its files stay at least until the writer's grace has passed."""

    manifest: Manifest
    hot: tuple[Segment, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """All valid segments of samples, in the order they were appended."""
        return (*self.manifest.cold, *self.hot)

    @property
    def files(self) -> tuple[Segment, ...]:
        """All valid segments, roll-ups too."""
        return (*self.manifest.merged, *self.hot)


def current_view(store: Path) -> View:
    """The present view.

    Raises:
        StoreError: no usable store is there.
    """
    for _ in range(ATTEMPTS):
        manifest = load_manifest(store)
        hot = hot_segments(store, manifest.hot_from)
        # Hot files go once the manifest names what they became: a listing counts if that did not change.
        if load_manifest(store).generation == manifest.generation:
            return View(manifest, tuple(hot))
    raise busy(store)


def busy(store: Path) -> StoreError:
    """The error for a store whose files go faster than they can be opened."""
    return StoreError(
        "the store changed faster than it could be read", where=str(store), fix="run `igoudar doctor`"
    )
