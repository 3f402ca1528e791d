"""What a writer finds when it opens the store, and how it is put in order."""

import logging
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path

from igoudar.core.store.compaction import in_order, set_aside, unsound
from igoudar.core.store.files import PART, make_folder
from igoudar.core.store.latest import fold_latest, is_latest, read_latest, write_latest
from igoudar.core.store.manifest import MANIFEST_NAME, DamagedManifestError, Manifest, load_manifest
from igoudar.core.store.migrations import migrate
from igoudar.core.store.segments import HOT_FOLDER, Segment, hot_segments
from igoudar.core.store.series import MIRROR_FOLDER, mend_book
from igoudar.core.store.tiers import RAW, TIERS

log = logging.getLogger(__name__)


def recover(store: Path) -> Manifest:
    """Create, migrate, repair and clean `store`; the caller holds the writer's lock.

    Raises:
        StoreError: a newer igoudar wrote it.
        OSError: the disk refuses.
    """
    for folder in (HOT_FOLDER, MIRROR_FOLDER, *(tier.folder for tier in TIERS)):
        make_folder(store / folder)
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
    mend_book(store)
    return manifest


def _rebuild(store: Path) -> Manifest:
    """A manifest of every segment there is.

    One that was replaced already is read twice until its hour is closed again, which changes no answer.
    """
    names = (path.name for tier in TIERS for path in (store / tier.folder).rglob("*.parquet"))
    found = [segment for name in names if (segment := Segment.parse(name))]
    cold = in_order([segment for segment in found if segment.tier is RAW])
    rolled = in_order([segment for segment in found if segment.tier is not RAW])
    hot = hot_segments(store, 0)
    last = max((segment.last_batch for segment in found), default=0)
    latest = write_latest(store, fold_latest(store, cold), 0) if cold else ""
    return Manifest(hot_from=hot[0].first_batch if hot else last + 1, cold=cold, latest=latest, rolled=rolled)


def _set_aside_damaged(store: Path, manifest: Manifest) -> Manifest:
    """Hot segments are few and are hashed now; merged ones only have to be there, and are hashed in turn."""
    missing = [segment for segment in manifest.merged if not segment.path(store).exists()]
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
    valid = {segment.path(store) for segment in manifest.merged}
    valid |= {segment.path(store) for segment in hot_segments(store, manifest.hot_from)}
    merged = chain.from_iterable((store / tier.folder).rglob("*.parquet*") for tier in TIERS)
    for path in chain((store / HOT_FOLDER).iterdir(), merged):
        if path not in valid:
            path.unlink(missing_ok=True)
    for folder in chain.from_iterable((store / tier.folder).iterdir() for tier in TIERS):
        with suppress(OSError):  # a day that still holds something
            folder.rmdir()
    for path in chain(store.iterdir(), (store / MIRROR_FOLDER).iterdir()):
        stale = is_latest(path.name) and path.name != manifest.latest
        if stale or path.name.endswith(PART):
            path.unlink(missing_ok=True)
