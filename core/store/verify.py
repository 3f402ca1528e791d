"""Checking a whole store, and taking a consistent copy of it, while it is written or not."""

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from igoudar.core.store.compaction import unsound
from igoudar.core.store.files import make_folder
from igoudar.core.store.manifest import Manifest
from igoudar.core.store.segments import HOT_FOLDER, Segment
from igoudar.core.store.series import MIRROR_FOLDER, SeriesBook, book_files, is_whole_book
from igoudar.core.store.view import ATTEMPTS, View, busy, current_view


@dataclass(frozen=True, slots=True)
class Verification:
    """What a full check of a store found."""

    segments: int
    hot_segments: int
    rows: int  # samples; one stored twice counts twice until its hour is closed
    series: int
    damaged: tuple[str, ...]  # names of files that are missing or not what was written
    quarantined: tuple[tuple[str, str], ...]  # (name, why) set aside by the writer before


def verify_store(store: Path) -> Verification:
    """Hash every segment and count its rows.

    Raises:
        StoreError: no usable store, or its series dictionary is damaged.
    """
    view, book = current_view(store), SeriesBook.load(store)
    suspects = _damaged(store, view)
    # A segment that was merged meanwhile is not missing.
    valid = {segment.name for segment in current_view(store).files} if suspects else set()
    damaged = tuple(name for name in suspects if name in valid)
    rows = sum(segment.rows for segment in view.segments if segment.name not in damaged)
    return Verification(
        len(view.segments),
        len(view.hot),
        rows,
        len(book),
        (*damaged, *_damaged_books(store)),
        view.manifest.quarantined,
    )


def _damaged(store: Path, view: View) -> tuple[str, ...]:
    bad = unsound(store, view.files)
    sound = [segment for segment in view.files if segment not in set(bad)]
    bad += [segment for segment in sound if _rows(store, segment) not in (segment.rows, None)]
    return tuple(segment.name for segment in bad)


def _damaged_books(store: Path) -> list[str]:
    """Copies of the newest dictionary that are missing or damaged; the other one serves."""
    names = [path.name for _, path in book_files(store)[-1:]]
    copies = [store / folder / name for name in names for folder in ("", MIRROR_FOLDER)]
    return [str(path.relative_to(store)) for path in copies if not is_whole_book(path)]


def _rows(store: Path, segment: Segment) -> int | None:
    try:
        return int(pl.scan_parquet(segment.path(store)).select(pl.len()).collect().item())
    except FileNotFoundError:  # merged since it was hashed
        return None


def link_store(store: Path, target: Path) -> Manifest:
    """Make `target` a consistent store of hard links to the files of `store`; its manifest.

    Raises:
        StoreError: no usable store.
        OSError: the links can't be made.
    """
    for _ in range(ATTEMPTS):
        view = current_view(store)
        try:
            _link(store, target, view)
        except FileNotFoundError:  # merged meanwhile: take the newer list
            continue
        view.manifest.save(target)
        return view.manifest
    raise busy(store)


def _link(store: Path, target: Path, view: View) -> None:
    make_folder(target / HOT_FOLDER)
    names = [path for _, path in (*book_files(store)[-1:], *book_files(store / MIRROR_FOLDER)[-1:])]
    if view.manifest.latest:
        names.append(store / view.manifest.latest)
    for path in [*names, *(segment.path(store) for segment in view.files)]:
        link = target / path.relative_to(store)
        make_folder(link.parent)
        link.unlink(missing_ok=True)
        os.link(path, link)
