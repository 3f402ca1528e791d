"""Wind: a seeded process with the coast's daily and yearly shape, turned into power by a turbine's curve."""

import math
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from igoudar.simulators.plant.noise import DAY_S, Series, noise_day

STEP_S = 600.0
MEMORY_S = 20 * 3600.0
WEIBULL_SHAPE = 3.5  # chosen so that the factor is below 0.1 in about 7.4 % of hours (PTX-BOA)
YEARLY_SWING = 0.12  # our assumption; measured is the peak in July (El Hierro), not the size
PEAK_DAY = 196.0
# Mean factor by hour of day, UTC: derived from PTX-BOA's Dakhla profile (CC BY-SA 4.0).
DAILY_SHAPE = np.array(
    (
        *(0.72, 0.70, 0.68, 0.66, 0.64, 0.62, 0.60, 0.59, 0.56, 0.50, 0.44, 0.40),
        *(0.38, 0.36, 0.35, 0.40, 0.48, 0.58, 0.65, 0.70, 0.72, 0.73, 0.73, 0.725),
    )
)
TURBINE = "S152/6330"  # the 6 MW class machine of the OEP turbine library that windpowerlib ships


class PowerCurve(NamedTuple):
    """A farm's power curve: speed at hub height [m/s] and share of rated power."""

    speed_mps: Series
    ratio: Series

    def at(self, speed_mps: Series) -> Series:
        """Share of rated power; nothing outside the curve."""
        return np.interp(speed_mps, self.speed_mps, self.ratio, left=0.0, right=0.0)


@lru_cache(maxsize=1)
def power_curve() -> PowerCurve:
    """A 6 MW class machine's curve, smoothed over a farm's spread of speeds. Source: windpowerlib."""
    # Lazy: 2 s of CPU, and a replay of measured factors never needs it. Its pandas calls warn of deprecation.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from windpowerlib import WindTurbine
        from windpowerlib.power_curves import smooth_power_curve

        turbine = WindTurbine(turbine_type=TURBINE, hub_height=120)
        curve = smooth_power_curve(
            turbine.power_curve["wind_speed"],
            turbine.power_curve["value"] / turbine.nominal_power,
            turbulence_intensity=0.08,
            standard_deviation_method="turbulence_intensity",
        )
    return PowerCurve(curve["wind_speed"].to_numpy(), np.minimum(curve["value"].to_numpy(), 1.0))


def _relative_speed(latent: Series) -> Series:
    """Weibull-distributed speed, scale 1, from a standard normal process (logistic CDF)."""
    return np.log1p(np.exp(1.702 * latent)) ** (1.0 / WEIBULL_SHAPE)


@lru_cache(maxsize=1)
def _scale_of_factor() -> tuple[Series, Series]:
    """Mean capacity factor for a range of Weibull scales [m/s], to be read backwards."""
    latent = np.linspace(-4.0, 4.0, 401)
    weight = np.exp(-0.5 * latent**2)
    scales = np.linspace(2.0, 22.0, 101)
    speeds = scales[:, None] * _relative_speed(latent)
    factors = (power_curve().at(speeds) @ weight) / weight.sum()
    rising = int(np.argmax(factors)) + 1
    return factors[:rising], scales[:rising]


@lru_cache(maxsize=8)
def wind_day(seed: int, day: int) -> tuple[Series, Series]:
    """One UTC day by ten minutes: capacity factor before derating, and speed at hub height [m/s].

    Peaks at 21-22 h UTC, lowest at 14 h, yearly peak in July, below 0.1 in about 7.4 % of hours.
    """
    latent = noise_day(seed, "wind", STEP_S, MEMORY_S, day)
    hours = np.linspace(0.0, 24.0, round(DAY_S / STEP_S) + 1)
    season = 1.0 + YEARLY_SWING * math.cos(2.0 * math.pi * ((day % 365.25) - PEAK_DAY) / 365.25)
    target = (
        np.interp(hours, np.arange(25) + 0.5, np.append(DAILY_SHAPE, DAILY_SHAPE[0]), period=24.0) * season
    )
    factors, scales = _scale_of_factor()
    speed = np.interp(target, factors, scales) * _relative_speed(latent)
    return power_curve().at(speed), speed


def speed_of_ratio(ratio: Series) -> Series:
    """Hub-height speed [m/s] for a replayed capacity factor: cubic from 3 to 12.5 m/s (our assumption)."""
    share = np.clip(ratio, 0.0, 1.0)
    speed: Series = np.cbrt(27.0 + share * (12.5**3 - 27.0))
    return speed
