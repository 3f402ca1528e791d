"""Reading samples back from InfluxDB, by InfluxQL, into polars."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import polars as pl

from igoudar.core.model import Kind, Reading
from igoudar.core.store.influx_http import InfluxHttp
from igoudar.core.store.influx_line import GAP_FIELD, QUALITY, REASON
from igoudar.core.store.influx_place import InfluxPlace
from igoudar.core.store.influx_ql import between, newest, of_devices, of_site, select
from igoudar.core.store.influx_rows import EMPTY, fold, long_rows, to_reading
from igoudar.core.store.influx_steps import STEPS, steps
from igoudar.core.store.influx_steps import query as steps_query
from igoudar.core.store.influx_wire import TIMEOUT_S
from igoudar.core.store.protocol import Series
from igoudar.core.store.rows import from_us
from igoudar.core.store.series import GAP_POINT


class InfluxReader:
    """A `TelemetryReader` over one bucket; any number of processes may have one."""

    def __init__(self, place: InfluxPlace, timeout_s: float = TIMEOUT_S) -> None:
        self._place = place
        self._http = InfluxHttp(place, timeout_s)

    def latest(self, devices: Collection[str] | None = None) -> Mapping[str, Reading]:
        """The newest stored reading of each device (all devices when None)."""
        found: dict[str, Reading] = {}
        for kind, where in self._groups(devices):
            for series in self._http.series(select((), kind, where, newest(by=("device", "hall", "site")))):
                reading = to_reading(series)
                before = found.get(reading.device)  # of a device that moved to another hall there are two
                if before is None or before.at < reading.at:
                    found[reading.device] = reading
        return found

    def range(self, series: Sequence[Series], start: datetime, end: datetime) -> pl.DataFrame:
        """Samples in [start, end): device, point, time (UTC), value (null when bad), quality, reason."""
        frames = [EMPTY]
        for (kind, points), devices in self._alike(series).items():
            fields = [field for point in sorted(points) for field in _fields(point)]
            for where in of_devices(self._place.site, devices):
                query = select(("device", *fields), kind, f"{where} AND {between(start, end)}")
                frames += [long_rows(found, points) for found in self._http.series(query)]
        return pl.concat(frames).sort("device", "point", "time")

    def downsample(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Good values per step from `start` on: device, point, time, mean, min, max, last, good_share.

        A step without a good value has no row. `good_share` counts the device's gaps as samples that were not
        good.
        """
        found = self._steps(series, start, end, step)
        doubtful = found.filter(pl.col("uncertain") > 0)
        good = found.filter(pl.col("uncertain") == 0).drop("uncertain")
        if doubtful.is_empty():
            return good
        again = self._folded(doubtful, start, end, step)
        return pl.concat([good, again]).sort("device", "point", "time")

    def _steps(
        self, series: Sequence[Series], start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        frames = [STEPS]
        for (kind, asked), devices in self._alike(series).items():
            points = sorted(asked - {GAP_FIELD})
            for where in of_devices(self._place.site, devices) if points else ():
                query = steps_query(points, kind, where, (start, end), step)
                frames += [frame for found in self._http.series(query) for frame in steps(found, points)]
        return pl.concat(frames).sort("device", "point", "time")

    def _folded(
        self, doubtful: pl.DataFrame, start: datetime, end: datetime, step: timedelta
    ) -> pl.DataFrame:
        """Steps that hold uncertain values, put together from their samples."""
        frames = []
        time = pl.col("time")
        spans = doubtful.group_by("device", "point").agg(first=time.min(), last=time.max())
        for device, point, first, last in spans.iter_rows():
            samples = self.range(
                [Series(device, point), Series(device, GAP_POINT)], first, min(last + step, end)
            )
            frames.append(fold(samples, start, step))
        return pl.concat(frames).join(doubtful, on=("device", "point", "time"), how="semi")

    def last_time(self) -> datetime | None:
        """Received time of the newest sample, None in an empty store."""
        newest_us = [
            series["values"][0][series["columns"].index("time")]
            for kind, where in self._groups(None)
            for series in self._http.series(select((), kind, where, newest()))
        ]
        return from_us(max(newest_us)) if newest_us else None

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _groups(self, devices: Collection[str] | None) -> Iterator[tuple[Kind, str]]:
        """Kinds with a condition that finds the wanted devices; all of a kind need no list."""
        origins = self._place.origins
        if devices is None:
            for kind in sorted({origin.kind for origin in origins.values()}):
                yield kind, of_site(self._place.site)
            return
        of_kind: dict[Kind, list[str]] = defaultdict(list)
        for device in devices:
            if device in origins:
                of_kind[origins[device].kind].append(device)
        for kind, names in of_kind.items():
            for where in of_devices(self._place.site, names):
                yield kind, where

    def _alike(self, series: Sequence[Series]) -> dict[tuple[Kind, frozenset[str]], list[str]]:
        """Devices by kind and by the points that are asked of them: each group is one query."""
        points: dict[str, set[str]] = defaultdict(set)
        for device, point in series:
            points[device].add(GAP_FIELD if point == GAP_POINT else point)
        alike: dict[tuple[Kind, frozenset[str]], list[str]] = defaultdict(list)
        for device, asked in points.items():
            if (origin := self._place.origins.get(device)) is not None:
                alike[origin.kind, frozenset(asked)].append(device)
        return alike


def _fields(point: str) -> tuple[str, ...]:
    flags = (point + QUALITY, point + REASON)
    return flags if point == GAP_FIELD else (point, *flags)
