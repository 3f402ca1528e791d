"""Series numbers: a device's points lie side by side, devices in the order of their rooms."""

import io
import re
import zlib
from array import array
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

from igoudar.core.errors import StoreError
from igoudar.core.store.files import write_durably

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
        write_durably(folder / f"series_{self.version + 1:08d}_{zlib.crc32(content):08x}.parquet", content)
        self.version += 1
        self.dirty = False
        for version, path in book_files(folder):
            if version <= self.version - _KEPT_VERSIONS:
                path.unlink(missing_ok=True)

    @classmethod
    def load(cls, folder: Path) -> "SeriesBook":
        """The newest book in `folder`; an empty one where there is none.

        Raises:
            StoreError: the newest version is damaged. An older one could give numbers away twice.
        """
        book = cls()
        files = book_files(folder)
        if files:
            book.version, path = files[-1]
            book._fill(_read(path))
        return book

    def _fill(self, frame: pl.DataFrame) -> None:
        for _, device, point in frame.sort("series").iter_rows():
            self.number(device, point)
        self.dirty = False


_SCHEMA = pl.Schema({"series": pl.UInt32(), "device": pl.String(), "point": pl.String()})


def book_files(folder: Path) -> list[tuple[int, Path]]:
    """Versions of the book in `folder`, oldest first."""
    found = [(match, path) for path in folder.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted((int(match[1]), path) for match, path in found)


def _read(path: Path) -> pl.DataFrame:
    content = path.read_bytes()
    match = _NAME.fullmatch(path.name)
    if match is None or zlib.crc32(content) != int(match[2], 16):
        raise StoreError(
            "the series dictionary is damaged", where=str(path), fix="run `igoudar restore` with a backup"
        )
    return pl.read_parquet(io.BytesIO(content))
