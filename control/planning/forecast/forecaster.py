"""Forecasts of everything the plan needs, learned once, issued at any step from what was seen so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.forecast.channels import Channel, Untaught, channel
from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.forecast.point import (
    Fit,
    climatology,
    flat_persistence,
    mix,
    sun_persistence,
)
from igoudar.control.planning.forecast.ridge import SUN_RECIPE, WIND_RECIPE, ridge
from igoudar.control.planning.forecast.seen import Seen
from igoudar.control.planning.policy import STEP_S, Band, Forecast

KINDS = ("persistence", "climatology", "mix", "model")
CHANNELS = ("pv", "wind", "urgent", "arrivals", "pue")
_FITS: Mapping[str, tuple[Fit, Fit]] = {  # of sun, and of the rest
    "persistence": (sun_persistence, flat_persistence),
    "climatology": (climatology, climatology),
    "mix": (mix(sun_persistence), mix(flat_persistence)),
    "model": (ridge(SUN_RECIPE), ridge(WIND_RECIPE)),
}


@dataclass(frozen=True, slots=True)
class Forecaster:
    """One model per channel: PV, wind, urgent load [W], arrivals [GPU seconds per step] and PUE."""

    channels: Mapping[str, Channel | Untaught]

    def issue(self, seen: Mapping[str, Seen]) -> Forecast:
        """The 48 h from the step that begins now."""
        issued = {name: channel.issue(seen[name]) for name, channel in self.channels.items()}
        ahead = {name: rows for name, (rows, _) in issued.items()}
        notes = tuple(note for _, told in issued.values() for note in told)
        pv, wind, urgent = (Band(*ahead[name].T) for name in ("pv", "wind", "urgent"))
        arrivals, pue = ahead["arrivals"][:, 1].copy(), np.maximum(1.0, ahead["pue"][:, 1])
        return Forecast(seen["pv"].now * STEP_S, pv, wind, urgent, arrivals, pue, notes)


def fit_of(kind: str, name: str) -> Fit:
    """What learns the channel `name` for a forecast of `kind`."""
    sun, other = _FITS[kind]
    return sun if name == "pv" else climatology if name == "arrivals" else other


def learned(
    kind: str, records: Mapping[str, Sequence[Record]], most: Mapping[str, float], held: bool = False
) -> Forecaster:
    """Learn every channel from its records; `most` caps a channel (its capacity).

    `held` says that the series change on the full hour only, as hourly resource files do.
    """
    return Forecaster(
        {
            name: channel(name, fit_of(kind, name), records[name], most.get(name, np.inf), held)
            for name in CHANNELS
        }
    )
