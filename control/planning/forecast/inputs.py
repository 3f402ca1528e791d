"""Readings as a forecast may use them: small gaps filled, broken inputs named."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.forecast.departures import NIGHT
from igoudar.control.planning.forecast.history import (
    DEPTH_H,
    HOURS,
    SLOTS,
    STEPS_PER_HOUR,
    Past,
    hourly_means,
)
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.forecast.usual import Usual
from igoudar.control.planning.table import Floats, Integers

SILENT_STEPS = STEPS_PER_HOUR  # without a reading for longer, the input is missing
FLAT_H = 6  # hours that usually differ, all alike to the last digit: the input is stuck
FLAT_AT_BOUNDS_H = 24  # at zero or at capacity, where calms and full winds stay for hours


@dataclass(frozen=True, slots=True)
class Fault:
    """Why an input can't be used: `missing` or `flat`, and for how many hours it has been."""

    kind: str
    hours: float


def past_of(seen: Seen, shape: Floats, usual: Usual, most: float) -> tuple[Past, Fault | None]:
    """Hourly means of what was seen, and what is wrong with them.

    The present hour's mean is reckoned from its newest step; an hour without a reading takes its usual value.
    """
    begun = seen.now // STEPS_PER_HOUR
    first = max(0, begun - DEPTH_H + 1)
    steps = seen.between(first * STEPS_PER_HOUR, seen.now + 1)
    read = np.flatnonzero(np.isfinite(steps))
    silent = len(steps) - 1 - int(read[-1]) if len(read) else len(steps)
    hours = (seen.start_hour + np.arange(first, begun + 1)) % HOURS
    means = hourly_means(steps)
    if len(read):
        newest_slot = (seen.start_hour * STEPS_PER_HOUR + seen.now - silent) % SLOTS
        means[-1] = steps[read[-1]] - shape[newest_slot]
    means = np.where(np.isfinite(means), means, usual.at(seen.month, hours))
    past = Past(means, int(hours[-1]), seen.month, seen.outlook)
    if silent > SILENT_STEPS or not len(read):
        return past, Fault("missing", silent / STEPS_PER_HOUR)
    return past, flat(means, hours, usual, most)


def flat(means: Floats, hours: Integers, usual: Usual, most: float) -> Fault | None:
    """The fault of a series whose last hours are all alike though those hours usually differ."""
    if usual.steady:
        return None
    telling = means[usual.spread[hours] > NIGHT * usual.spread.mean()]
    if len(telling) < FLAT_H:
        return None
    alike = np.flatnonzero(telling[::-1] != telling[-1])
    count = int(alike[0]) if len(alike) else len(telling)
    at_bounds = telling[-1] <= 0.0 or telling[-1] >= 0.99 * most
    return Fault("flat", float(count)) if count >= (FLAT_AT_BOUNDS_H if at_bounds else FLAT_H) else None
