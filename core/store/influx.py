"""InfluxDB as a `TelemetryStore`: wide rows in, InfluxQL out."""

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import ClassVar

import polars as pl

from igoudar.core.errors import StoreRefusedError
from igoudar.core.model import Reading
from igoudar.core.store.influx_answers import Refusal
from igoudar.core.store.influx_divide import Numbered, bodies, halves, without
from igoudar.core.store.influx_line import LineWriter
from igoudar.core.store.influx_place import InfluxPlace
from igoudar.core.store.influx_reader import InfluxReader
from igoudar.core.store.influx_setup import prepare
from igoudar.core.store.influx_wire import TIMEOUT_S, InfluxWire
from igoudar.core.store.protocol import Series

MOST_REQUESTS = 2000  # to find what a server refuses in one batch; the rest is then refused whole

_Part = Sequence[tuple[int, Reading]]


class InfluxStore:
    """Writes one bucket; a server that is away at the start is waited for like one that goes later."""

    local: ClassVar[bool] = False

    def __init__(self, place: InfluxPlace, timeout_s: float = TIMEOUT_S) -> None:
        self._place = place
        self._lines = LineWriter(place)
        self._wire = InfluxWire(place, timeout_s)
        self._reader = InfluxReader(place, timeout_s)
        self._appending = threading.Lock()
        self._ready = False

    def append(self, readings: Sequence[Reading]) -> None:
        """Keep `readings`; when this returns InfluxDB has acknowledged them.

        Raises:
            StoreBusyError: nothing of the batch is promised; append it again later.
            StoreRefusedError: some samples are refused, for ever; the rest of the batch is kept.
        """
        with self._appending:
            if not self._ready:
                prepare(self._place)
                self._ready = True
            known, refused = self._known(readings)
            refused |= self._settle(list(bodies(self._numbered(known))))
        if refused:
            raise _refused(self._place, readings, refused)

    def _known(self, readings: Sequence[Reading]) -> tuple[list[tuple[int, Reading]], dict[int, str]]:
        """Readings of the site's devices, and what is said of others: a spool outlives a site file."""
        origins = self._place.origins
        known = [(position, one) for position, one in enumerate(readings) if one.device in origins]
        strangers = {
            position: f"{one.device} {one.at.isoformat()}  # the site has no such device"
            for position, one in enumerate(readings)
            if one.device not in origins
        }
        return known, strangers

    def _numbered(self, parts: Iterable[tuple[int, Reading]]) -> Iterable[Numbered]:
        for position, reading in parts:
            if line := self._lines.line(reading):
                yield Numbered(position, reading, line.encode())

    def _settle(self, todo: list[list[Numbered]]) -> dict[int, str]:
        """Send all portions, and what is refused again in smaller ones, until only what is wrong is left."""
        refused: dict[int, str] = {}
        sent = 0
        while todo:
            answers = self._wire.post([b"\n".join([one.line for one in portion]) for portion in todo])
            sent += len(todo)
            smaller: list[list[Numbered]] = []
            for portion, answer in zip(todo, answers, strict=True):
                if answer is not None:
                    smaller += self._divide(portion, answer, refused, given_up=sent > MOST_REQUESTS)
            todo = smaller
        return refused

    def _divide(
        self, portion: list[Numbered], answer: Refusal, refused: dict[int, str], *, given_up: bool
    ) -> list[list[Numbered]]:
        parts = [(one.position, one.reading) for one in portion]
        if conflict := answer.conflict:
            rest, taken = without(parts, self._place, *conflict)
            if taken:
                self._refuse(taken, answer, refused)
                return [list(self._numbered(rest))] if rest else []
        smaller = [] if given_up or answer.refuses_all(len(portion)) else halves(parts)
        if not smaller:
            self._refuse(parts, answer, refused)
        return [list(self._numbered(half)) for half in smaller]

    def _refuse(self, parts: _Part, answer: Refusal, refused: dict[int, str]) -> None:
        for position, reading in parts:
            said = f"{self._lines.line(reading)}  # {answer.message}"
            refused[position] = f"{refused[position]}\n{said}" if position in refused else said

    def close(self) -> None:
        """End the connections; nothing unsent is left."""
        self._wire.close()
        self._reader.close()

    def __enter__(self) -> "InfluxStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def latest(self, devices: Collection[str] | None = None) -> Mapping[str, Reading]:
        """The newest stored reading of each device (all devices when None)."""
        return self._reader.latest(devices)

    def range(self, series: Sequence[Series], start: datetime, end: datetime) -> pl.DataFrame:
        """Samples in [start, end): device, point, time (UTC), value (null when bad), quality, reason."""
        return self._reader.range(series, start, end)

    def downsample(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Good values per step: device, point, time (step start), mean, min, max, last, good_share."""
        return self._reader.downsample(series, start, end, step)

    def last_time(self) -> datetime | None:
        """Received time of the newest sample, None in an empty store."""
        return self._reader.last_time()


def _refused(
    place: InfluxPlace, readings: Sequence[Reading], refused: Mapping[int, str]
) -> StoreRefusedError:
    first = min(refused)
    what = f"InfluxDB refused samples of {len(refused)} of {len(readings)} readings, first: {refused[first]}"
    fix = "the others are kept; these are not sent again"
    return StoreRefusedError(what, where=f"{place.url} {place.bucket}", fix=fix, refused=refused)
