"""Forecasts of everything the plan needs, learned once, issued at any step from what was seen so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igoudar.control.planning.forecast.bands import Banded, banded
from igoudar.control.planning.forecast.history import Past, Stretch
from igoudar.control.planning.forecast.point import (
    DEPTH_H,
    Fit,
    climatology,
    flat_persistence,
    mix,
    sun_persistence,
)
from igoudar.control.planning.forecast.ridge import ridge
from igoudar.control.planning.forecast.seen import STEPS_PER_HOUR, Seen
from igoudar.control.planning.policy import STEP_S, Band, Forecast

STEPS = 192  # 48 h
KINDS = ("persistence", "climatology", "mix", "model")
CHANNELS = ("pv", "wind", "urgent", "arrivals", "pue")
_FITS: Mapping[str, tuple[Fit, Fit]] = {  # of sun, and of the rest
    "persistence": (sun_persistence, flat_persistence),
    "climatology": (climatology, climatology),
    "mix": (mix(sun_persistence), mix(flat_persistence)),
    "model": (ridge, ridge),
}


@dataclass(frozen=True, slots=True)
class Forecaster:
    """One model per channel: PV, wind, urgent load [W], arrivals [GPU seconds per step] and PUE."""

    models: Mapping[str, Banded]

    def issue(self, seen: Mapping[str, Seen]) -> Forecast:
        """The 48 h from the step that begins now."""
        ahead = {name: in_steps(model, seen[name]) for name, model in self.models.items()}
        pv, wind, urgent = (Band(*ahead[name].T) for name in ("pv", "wind", "urgent"))
        arrivals, pue = ahead["arrivals"][:, 1], np.maximum(1.0, ahead["pue"][:, 1])
        return Forecast(seen["pv"].now * STEP_S, pv, wind, urgent, arrivals, pue)


def learned(kind: str, history: Mapping[str, Sequence[Stretch]], most: Mapping[str, float]) -> Forecaster:
    """Learn every channel from its stretches; `most` caps a channel (its capacity)."""
    sun, other = _FITS[kind]
    models = {}
    for name in CHANNELS:
        fit = sun if name == "pv" else climatology if name == "arrivals" else other
        models[name] = banded(fit, history[name], most.get(name, float("inf")))
    return Forecaster(models)


def in_steps(model: Banded, seen: Seen) -> NDArray[np.float64]:
    """STEPS x (P10, P50, P90): each hour's values held for its steps."""
    hourly = model.ahead(Past(seen.hours(DEPTH_H), seen.hour))
    leads = (seen.now % STEPS_PER_HOUR + np.arange(STEPS)) // STEPS_PER_HOUR
    return np.asarray(hourly[leads])
