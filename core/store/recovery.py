"""What a writer finds when it opens the store, and how it is put in order."""

import logging
from dataclasses import replace
from itertools import chain
from pathlib import Path

from igoudar.core.store.compaction import set_aside, unsound
from igoudar.core.store.files import PART, make_folder
from igoudar.core.store.latest import fold_latest, is_latest, read_latest, write_latest
from igoudar.core.store.manifest import MANIFEST_NAME, DamagedManifestError, Manifest, load_manifest
from igoudar.core.store.migrations import migrate
from igoudar.core.store.segments import COLD_FOLDER, HOT_FOLDER, Segment, hot_segments

log = logging.getLogger(__name__)


def recover(store: Path) -> Manifest:
    """Create, migrate, repair and clean `store`; the caller holds the writer's lock.

    Raises:
        StoreError: a newer igoudar wrote it.
        OSError: the disk refuses.
    """
    make_folder(store / HOT_FOLDER)
    make_folder(store / COLD_FOLDER)
    if not (store / MANIFEST_NAME).exists():
        _rebuild(store).save(store)
    try:
        migrate(store)
        manifest = load_manifest(store)
    except DamagedManifestError as error:
        log.error("%s; rebuilding it from the segments", error)
        (store / MANIFEST_NAME).rename(store / f"{MANIFEST_NAME}.damaged")
        manifest = _rebuild(store)
        manifest.save(store)
    manifest = _mend_latest(store, _set_aside_damaged(store, manifest))
    _clean(store, manifest)
    return manifest


def _rebuild(store: Path) -> Manifest:
    """A manifest from the segments' names; a merged segment counts before those it came from."""
    names = (path.name for path in (store / COLD_FOLDER).rglob("*.parquet"))
    found = [segment for name in names if (segment := Segment.parse(name))]
    cold: list[Segment] = []
    for segment in sorted(found, key=lambda segment: (segment.first_batch, -segment.last_batch)):
        if not cold or segment.first_batch > cold[-1].last_batch:
            cold.append(segment)
    latest = write_latest(store, fold_latest(store, cold), 0) if cold else ""
    return Manifest(hot_from=cold[-1].last_batch + 1 if cold else 1, cold=tuple(cold), latest=latest)


def _set_aside_damaged(store: Path, manifest: Manifest) -> Manifest:
    """Hot segments are few and are hashed now; merged ones only have to be there, and are hashed in turn."""
    missing = [segment for segment in manifest.cold if not segment.path(store).exists()]
    if missing:
        manifest = set_aside(store, manifest, missing)
    if damaged := unsound(store, hot_segments(store, manifest.hot_from)):
        manifest = set_aside(store, manifest, damaged)
    return manifest


def _mend_latest(store: Path, manifest: Manifest) -> Manifest:
    """Fold the newest readings again from the merged segments when their file is gone or damaged."""
    path = store / manifest.latest
    if path.exists() and read_latest(store, manifest.latest) is not None:
        return manifest
    generation = manifest.generation + 1
    latest = write_latest(store, fold_latest(store, manifest.cold), generation)
    manifest = replace(manifest, generation=generation, latest=latest)
    manifest.save(store)
    return manifest


def _clean(store: Path, manifest: Manifest) -> None:
    """Delete what a killed writer left: parts of files, and files that no manifest names any more."""
    valid = {segment.path(store) for segment in manifest.cold}
    valid |= {segment.path(store) for segment in hot_segments(store, manifest.hot_from)}
    for path in chain((store / HOT_FOLDER).iterdir(), (store / COLD_FOLDER).rglob("*.parquet*")):
        if path not in valid:
            path.unlink(missing_ok=True)
    for path in store.iterdir():
        stale = is_latest(path.name) and path.name != manifest.latest
        if stale or path.name.endswith(PART):
            path.unlink(missing_ok=True)
