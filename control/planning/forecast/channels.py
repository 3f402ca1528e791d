"""One channel's forecast in steps: learned on hours, with the usual shape within the hour put back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.bands import Banded, banded
from igoudar.control.planning.forecast.history import (
    HOURS,
    LEADS,
    SLOTS,
    STEPS_PER_HOUR,
    Past,
    Record,
    in_weeks,
)
from igoudar.control.planning.forecast.inputs import Fault, past_of
from igoudar.control.planning.forecast.point import Fit, climatology
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.forecast.sun import Sun, typical
from igoudar.control.planning.forecast.usual import Usual, usual, within_hour
from igoudar.control.planning.table import Floats

Matrix = NDArray[np.float64]
Note = tuple[str, Mapping[str, object]]  # (code of the catalogue, parameters)
STEPS = 192  # 48 h
LEAST_TAUGHT_H = 24
WEATHER_H = 12  # a service that says nothing of these hours is told of
BURSTS = ("arrivals",)  # one step says nothing about the next


@dataclass(frozen=True, slots=True)
class Channel:
    """P10, P50 and P90 of one quantity; the usual day when its input is broken."""

    name: str
    hourly: Banded
    fallback: Banded
    usual: Usual
    shape: Floats  # departure of each quarter from its hour's mean
    most: float
    sun: Sun | None = None
    heeds_weather: bool = False  # taught with a weather service's bulletins
    held: bool = True  # the series changes on the hour, as measured hourly means do; else it glides

    def issue(self, seen: Seen) -> tuple[Matrix, list[Note]]:
        """STEPS x (P10, P50, P90) from the step that begins now, whose own value is known; what is wrong."""
        past, fault = past_of(seen, self.shape, self.usual, self.most)
        clear = None if seen.clear is None else seen.clear[: seen.now // STEPS_PER_HOUR + LEADS]
        rows = self.hours_ahead(past, clear, fault is not None)
        steps = self._held(rows, seen) if self.held else _between_hours(rows)
        return np.clip(steps, 0.0, self.most), self._notes(fault, seen)

    def _held(self, rows: Matrix, seen: Seen) -> Matrix:
        """Each clock hour's value for all its steps, plus the usual shape within the hour."""
        slots = (seen.start_hour * STEPS_PER_HOUR + seen.now + np.arange(STEPS)) % SLOTS
        leads = (seen.now % STEPS_PER_HOUR + np.arange(STEPS)) // STEPS_PER_HOUR
        return np.asarray(rows[leads] + self.shape[slots][:, None])

    def hours_ahead(self, past: Past, clear: Floats | None = None, broken: bool = False) -> Matrix:
        """LEADS x (P10, P50, P90), hour by hour; `clear` is the clear sky up to 48 h after the present."""
        model = self.fallback if broken else self.hourly
        if self.sun is None or clear is None:
            return model.ahead(past)
        present = len(clear) - LEADS
        recent = clear[present + 1 - len(past.values) : present + 1]
        values = self.sun.even(past.values, recent, past.hours)
        outlook = past.outlook
        if outlook is not None:
            outlook = self.sun.even(outlook, clear[-LEADS:], past.ahead)
        even = replace(past, values=values, outlook=outlook)
        rows = self.sun.own(model.ahead(even), clear[-LEADS:], past.ahead)
        return np.asarray(np.clip(rows, 0.0, self.most))

    def _notes(self, fault: Fault | None, seen: Seen) -> list[Note]:
        if fault:
            return [(f"control.forecast_{self.name}_{fault.kind}", {"hours": round(fault.hours, 2)})]
        silent = seen.outlook is None or not np.isfinite(seen.outlook[:WEATHER_H]).all()
        return [(f"control.forecast_{self.name}_no_weather", {})] if self.heeds_weather and silent else []


@dataclass(frozen=True, slots=True)
class Untaught:
    """A quantity without a past: as it is now, anything from nothing to its capacity possible."""

    name: str
    most: float

    def issue(self, seen: Seen) -> tuple[Matrix, list[Note]]:
        """STEPS x (P10, P50, P90), and that nothing was learned."""
        known = seen.between(0, seen.now + 1)
        read = known[np.isfinite(known)]
        now = float(read[-1]) if len(read) else 0.0
        high = self.most if np.isfinite(self.most) else max(now, float(read.max(initial=0.0)))
        return np.tile([0.0, now, high], (STEPS, 1)), [(f"control.forecast_{self.name}_untaught", {})]


def channel(
    name: str, fit: Fit, records: Sequence[Record], most: float, held: bool = True
) -> Channel | Untaught:
    """Learn one quantity from its records; it stays within [0, `most`]."""
    sun = _sun(records)
    pieces = in_weeks([_evened(r, sun) for r in records] if sun else records)
    if sum(len(p.values) for p in pieces) < LEAST_TAUGHT_H:
        return Untaught(name, most)
    inner = most if sun is None else np.inf
    hourly = banded(fit, pieces, inner, name not in BURSTS)
    fallback = hourly if fit is climatology else banded(climatology, pieces, inner)
    fallback = replace(fallback, lasting=False)
    heeds = any(r.outlook is not None for r in records)
    return Channel(name, hourly, fallback, usual(pieces), within_hour(records), most, sun, heeds, held)


def _between_hours(rows: Matrix) -> Matrix:
    """Hourly rows, counted from now, as steps that glide from one to the next."""
    at = np.arange(STEPS) / STEPS_PER_HOUR
    columns = [np.interp(at, np.arange(LEADS), rows[:, column]) for column in range(rows.shape[1])]
    return np.stack(columns, axis=1)


def _sun(records: Sequence[Record]) -> Sun | None:
    clear = [(r.clear, r.start_hour) for r in records if r.clear is not None]
    if not clear or len(clear) < len(records):
        return None
    return typical([c for c, _ in clear], [hour for _, hour in clear])


def _evened(record: Record, sun: Sun) -> Record:
    """A record as it would have been under the mean clear sky, its outlook too."""
    count = -(-len(record.steps) // STEPS_PER_HOUR)
    clear = record.clear if record.clear is not None else np.zeros(0)
    hours = (record.start_hour + np.arange(len(clear))) % HOURS
    by_step = np.repeat(clear, STEPS_PER_HOUR)[: len(record.steps)]
    steps = sun.even(record.steps, by_step, np.repeat(hours, STEPS_PER_HOUR)[: len(record.steps)])
    if record.outlook is None:
        return replace(record, steps=steps)
    at = np.arange(count)[:, None] + np.arange(LEADS)
    return replace(record, steps=steps, outlook=sun.even(record.outlook, clear[at], hours[at]))
