"""Series numbers: a device's points lie side by side, devices in the order of their rooms."""

import io
import logging
import re
import zlib
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from igoudar.core.errors import StoreError
from igoudar.core.store.files import hashes_to, make_folder, write_durably

log = logging.getLogger(__name__)

MIRROR_FOLDER = "mirror"  # a second copy: without the dictionary no sample could be named
GAP_POINT = "_gap"  # a reading that brought nothing is one row here, not one per point
POINTS_PER_DEVICE = 1024
_GAP_NUMBER = 0
_NAME = re.compile(r"series_(\d{8})_([0-9a-f]{8})\.parquet")
_KEPT_VERSIONS = 2
_LAYOUTS_KEPT = 50_000


class SeriesBook:
    """Device and point names <-> series numbers (u32 = device number x 1024 + point number).

    Numbers are given once and never again. Samples are sorted by series, so that devices numbered in the
    order of their rooms are read together: scattered ids read ten times slower (ARCHITECTURE.md).
    """

    def __init__(self) -> None:
        self.version = 0
        self.dirty = False
        self._devices: dict[str, int] = {}
        self._names: list[str] = []
        self._points: list[dict[str, int]] = []
        self._layouts: dict[tuple[str, tuple[str, ...]], array[int]] = {}
        self._frame: pl.DataFrame | None = None

    def __len__(self) -> int:
        return sum(len(points) for points in self._points)

    @property
    def devices(self) -> Mapping[str, int]:
        """Device name -> device number."""
        return self._devices

    def add_devices(self, names: Iterable[str]) -> None:
        """Number the devices not yet known, in the order given."""
        for name in names:
            if name not in self._devices:
                self._devices[name] = len(self._names)
                self._names.append(name)
                self._points.append({GAP_POINT: _GAP_NUMBER})
                self.dirty = True

    def layout(self, device: str, points: tuple[str, ...]) -> "array[int]":
        """Series numbers of `points` of `device`; unknown names are numbered."""
        known = self._layouts.get((device, points))
        if known is None:
            known = array("I", [self.number(device, point) for point in points])
            if len(self._layouts) >= _LAYOUTS_KEPT:  # devices whose points come and go in ever new sets
                self._layouts.clear()
            self._layouts[device, points] = known
        return known

    def number(self, device: str, point: str) -> int:
        """The series number of one point, given now if it had none.

        Raises:
            StoreError: when a device has more points than numbers.
        """
        if device not in self._devices:
            self.add_devices([device])
        base = self._devices[device]
        points = self._points[base]
        if point not in points:
            if len(points) >= POINTS_PER_DEVICE:
                raise StoreError(
                    f"more than {POINTS_PER_DEVICE - 1} points", where=device, fix="split the device into two"
                )
            points[point] = len(points)
            self.dirty = True
        return base * POINTS_PER_DEVICE + points[point]

    def find(self, device: str, point: str) -> int | None:
        """The series number of one point, None when it was never stored."""
        base = self._devices.get(device)
        point_number = None if base is None else self._points[base].get(point)
        return None if base is None or point_number is None else base * POINTS_PER_DEVICE + point_number

    def device_name(self, device_number: int) -> str:
        """The name of a numbered device."""
        return self._names[device_number]

    def frame(self) -> pl.DataFrame:
        """The whole book: columns series, device, point."""
        if self._frame is None or self._frame.height != len(self):
            self._frame = pl.DataFrame(self._rows(), schema=_SCHEMA, orient="row")
        return self._frame

    def _rows(self) -> list[tuple[int, str, str]]:
        return [
            (base * POINTS_PER_DEVICE + number, name, point)
            for base, name in enumerate(self._names)
            for point, number in self._points[base].items()
        ]

    def save(self, folder: Path) -> None:
        """Write the next version of the book durably, before any sample that needs it.

        Raises:
            OSError: the version on disk still holds; the book stays dirty.
        """
        buffer = io.BytesIO()
        self.frame().write_parquet(buffer)
        content = buffer.getvalue()
        name = f"series_{self.version + 1:08d}_{zlib.crc32(content):08x}.parquet"
        write_twice(folder, name, content)
        self.version += 1
        self.dirty = False
        for version, path in (*book_files(folder), *book_files(folder / MIRROR_FOLDER)):
            if version <= self.version - _KEPT_VERSIONS:
                path.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> "SeriesBook":
        """The newest book in `folder`, or its mirror copy; an empty one where there is none.

        Raises:
            StoreError: both copies of the newest version are damaged. An older version could give numbers
                away twice.
        """
        book = cls()
        files = sorted([*book_files(folder), *book_files(folder / MIRROR_FOLDER)])
        if files:
            book.version, path = files[-1]
            book._fill(_read(folder, path.name))
        return book

    def _fill(self, frame: pl.DataFrame) -> None:
        for _, device, point in frame.sort("series").iter_rows():
            self.number(device, point)
        self.dirty = False


_SCHEMA = pl.Schema({"series": pl.UInt32(), "device": pl.String(), "point": pl.String()})


def book_files(folder: Path) -> list[tuple[int, Path]]:
    """Versions of the book in `folder`, oldest first."""
    paths = folder.iterdir() if folder.is_dir() else ()
    found = [(match, path) for path in paths if (match := _NAME.fullmatch(path.name))]
    return sorted((int(match[1]), path) for match, path in found)


def write_twice(folder: Path, name: str, content: bytes) -> None:
    """Write the mirror copy, then the book itself; when either fails neither is left."""
    make_folder(folder / MIRROR_FOLDER)
    mirror = folder / MIRROR_FOLDER / name
    write_durably(mirror, content)
    try:
        write_durably(folder / name, content)
    except OSError:
        mirror.unlink(missing_ok=True)
        raise


def mend_book(folder: Path) -> None:
    """Write again what is missing or damaged of the newest book's two copies.

    Raises:
        OSError: the disk refuses.
        StoreError: both are damaged.
    """
    files = sorted([*book_files(folder), *book_files(folder / MIRROR_FOLDER)])
    if not files:
        return
    name = files[-1][1].name
    copies = (folder / name, folder / MIRROR_FOLDER / name)
    if not all(is_whole_book(path) for path in copies):
        content = _content(folder, name)
        for path in copies:
            make_folder(path.parent)
            write_durably(path, content)


def is_whole_book(path: Path) -> bool:
    """Whether one copy of the book holds what was written."""
    match = _NAME.fullmatch(path.name)
    return path.exists() and match is not None and hashes_to(path, int(match[2], 16))


def _content(folder: Path, name: str) -> bytes:
    for path in (folder / name, folder / MIRROR_FOLDER / name):
        if is_whole_book(path):
            return path.read_bytes()
        log.warning("%s is missing or damaged: its copy is used", path)
    raise StoreError(
        "the series dictionary is damaged, and its mirror copy too",
        where=str(folder / name),
        fix="run `igoudar restore` with a backup",
    )


def _read(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(_content(folder, name)))
