"""The meters' counters of the last two days, as energies over any window inside them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from igoudar.control.kpi.counters import Curve, curve
from igoudar.control.picture import Picture
from igoudar.control.roster import Roster
from igoudar.core.counters import ANY, CounterRule, counter_rule
from igoudar.core.errors import StoreError
from igoudar.core.store.protocol import Series, TelemetryReader

IMPORT, EXPORT = "active_energy_import_wh", "active_energy_export_wh"
ENERGY_POINTS = (IMPORT, EXPORT, "energy_wh")
KEPT = timedelta(hours=50)
THIN_S = 60.0
Times = NDArray[np.float64]


@dataclass(slots=True)
class Ledger:
    """Samples (time, counter [Wh]) per series, thinned to one a minute, and their curves."""

    gap_s: float
    rules: Mapping[Series, CounterRule] = field(default_factory=dict)
    samples: dict[Series, list[tuple[datetime, float]]] = field(default_factory=dict)
    _curves: dict[Series, Curve] = field(default_factory=dict)

    def note(self, series: Series, at: datetime, value_wh: float) -> None:
        """Keep one sample unless it is not newer."""
        kept = self.samples.setdefault(series, [])
        if kept and at <= kept[-1][0]:
            return
        if len(kept) > 1 and (at - kept[-2][0]).total_seconds() < THIN_S and value_wh >= kept[-1][1]:
            kept.pop()  # energy between is known from the counter; the last sample always stays
        kept.append((at, value_wh))
        self._curves.pop(series, None)
        if at - kept[0][0] > KEPT + timedelta(hours=1):
            self.samples[series] = [sample for sample in kept if at - sample[0] <= KEPT]

    def curve(self, series: Series) -> Curve:
        """The cumulative curve of one series; empty when it was never read."""
        found = self._curves.get(series)
        if found is None:
            found = self._curves[series] = curve(
                self.samples.get(series, []), self.gap_s, self.rules.get(series, ANY)
            )
        return found

    def energies_wh(self, series: Iterable[Series], edges_s: Times) -> Times:
        """Energy per interval between edges [POSIX s], summed over series; NaN where one is unknown."""
        each = [np.diff(self.curve(one).at(edges_s)) for one in series]
        return np.sum(each, axis=0) if each else np.zeros(len(edges_s) - 1)

    def span(self, series: Iterable[Series]) -> tuple[datetime, datetime] | None:
        """The time that all these series cover, None when there is none."""
        kept = [self.samples.get(one) or [] for one in series]
        if not kept or not all(kept):
            return None
        start, end = max(s[0][0] for s in kept), min(s[-1][0] for s in kept)
        return (start, end) if end > start else None

    def covered_s(self, series: Iterable[Series], edges_s: Times) -> float:
        """Seconds of a window in which the least covered series was read without a gap [s]."""
        each = [float(np.diff(self.curve(one).covered_s(edges_s)).sum()) for one in series]
        return min(each, default=0.0)


@dataclass(frozen=True, slots=True)
class Books:
    """Which series count what: role and direction -> the meters' series."""

    series: Mapping[tuple[str, str], tuple[Series, ...]]
    rules: Mapping[Series, CounterRule] = field(default_factory=dict)

    def of(self, role: str, direction: str = IMPORT) -> tuple[Series, ...]:
        """The series of a role; empty when the site has none."""
        return self.series.get((role, direction), ())

    @property
    def all(self) -> tuple[Series, ...]:
        """Every series, once."""
        return tuple({one for group in self.series.values() for one in group})


def books(roster: Roster) -> Books:
    """The counters of a site, as its profiles have them."""
    found: dict[tuple[str, str], list[Series]] = {}
    rules: dict[Series, CounterRule] = {}
    for role in (*roster.meters, "desalination", "electrolyser"):
        for device in roster.power_devices(role):
            profile = roster.profiles.get(device.profile)
            for point in ENERGY_POINTS:
                if profile is None or point not in profile.points:
                    continue
                direction = EXPORT if point == EXPORT else IMPORT
                series = Series(device.name, point)
                found.setdefault((role, direction), []).append(series)
                rules[series] = counter_rule(profile, profile.points[point])
    return Books({key: tuple(dict.fromkeys(series)) for key, series in found.items()}, rules)


def note_picture(ledger: Ledger, chart: Books, picture: Picture) -> None:
    """Enter the counters of a picture."""
    for series in chart.all:
        value_wh = picture.value(series.device, series.point)
        if value_wh is not None:
            ledger.note(series, picture.readings[series.device].at, value_wh)


def load(chart: Books, reader: TelemetryReader, start: datetime, end: datetime, gap_s: float) -> Ledger:
    """A ledger of what the store holds between two times."""
    ledger = Ledger(gap_s, chart.rules)
    frame = reader.range(list(chart.all), start, end).drop_nulls("value").sort("time")
    minute = pl.col("time").dt.truncate("1m").alias("minute")
    thin = frame.group_by("device", "point", minute, maintain_order=True).agg(pl.col("time", "value").last())
    for device, point, at, value in thin.select("device", "point", "time", "value").iter_rows():
        ledger.note(Series(device, point), at, value)
    return ledger


def stored(chart: Books, reader: TelemetryReader, now: datetime, gap_s: float) -> Ledger:
    """What the store knows of the last two days; a site without a store begins with nothing."""
    try:
        return load(chart, reader, now - KEPT, now + timedelta(minutes=1), gap_s)
    except StoreError:
        return Ledger(gap_s, chart.rules)
