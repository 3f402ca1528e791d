"""Sun: clear sky once per day, a seeded cloud process, panel temperature, soiling, clipping."""

import math
import warnings
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from igoudar.core.model import SolarFarm
from igoudar.simulators.plant.noise import DAY_S, Series, noise_day, on_grid

POINTS = 1441  # minutes of a day, both midnights included
CLEAR_POINTS = 289  # five minutes: the clear sky is smooth
TEMPERATURE_PER_K = -0.0035  # crystalline modules, our assumption
SYSTEM_RATIO = 0.86  # wiring, mismatch, inverter: PVWatts' 14 % system losses
CLEANING_DAYS = 14  # our assumption


class Place(NamedTuple):
    """Where the panels stand."""

    latitude_deg: float
    longitude_deg: float
    altitude_m: float


class SunDay(NamedTuple):
    """One UTC day by minutes; `ratio` is AC power over the farm's rated AC power."""

    ghi_wm2: Series
    poa_wm2: Series
    ratio: Series


class _Sky(NamedTuple):
    """Clear sky and the sun's position."""

    ghi: Series
    dni: Series
    dhi: Series
    zenith_deg: Series
    azimuth_deg: Series


@lru_cache(maxsize=8)
def _clear_sky(place: Place, day: int) -> _Sky:
    """Ineichen clear sky of one day [W/m2]. Source: pvlib, its Linke turbidity climatology."""
    # Lazy: 4 s of CPU together, and a replay of measured factors never needs them.
    # pvlib calls deprecated parts of pandas; that is theirs to mend.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas as pd
        import pvlib

        times = pd.to_datetime(day * DAY_S + np.linspace(0.0, DAY_S, CLEAR_POINTS), unit="s", utc=True)
        location = pvlib.location.Location(place.latitude_deg, place.longitude_deg, altitude=place.altitude_m)
        sun = location.get_solarposition(times)
        sky = location.get_clearsky(times, model="ineichen", solar_position=sun)
    columns = [sky["ghi"], sky["dni"], sky["dhi"], sun["apparent_zenith"], sun["azimuth"]]
    return _Sky(*(column.to_numpy(dtype=float) for column in columns))


def _clear_index(seed: int, day: int) -> Series:
    """Share of the clear-sky irradiance that gets through, by minutes.

    Mostly clear with passing stratus: a cover that drifts over hours, and clouds of minutes inside it. Tuned
    to the region's mean factor, 0.222 (PTX-BOA); the process is our assumption.
    """
    drift = on_grid(noise_day(seed, "cloud cover", 900.0, 7 * 3600.0, day), POINTS)
    clouds = noise_day(seed, "clouds", 60.0, 420.0, day)
    cover = 1.0 / (1.0 + np.exp(-2.2 * (drift - 0.7)))
    passing = 1.0 / (1.0 + np.exp(-3.0 * clouds))
    return 1.0 - cover * (0.45 + 0.35 * passing)


def _in_plane(sky: _Sky, clear_index: Series, solar: SolarFarm) -> Series:
    """Irradiance in the panels' plane [W/m2]: beam, isotropic diffuse, ground (albedo 0.25, sand)."""
    zenith, tilt = np.radians(sky.zenith_deg), math.radians(solar.tilt_deg)
    turn = np.radians(sky.azimuth_deg - solar.azimuth_deg)
    incidence = np.cos(zenith) * math.cos(tilt) + np.sin(zenith) * math.sin(tilt) * np.cos(turn)
    direct = sky.dni * np.clip((clear_index - 0.25) / 0.75, 0.0, 1.0)  # thick cloud takes the beam first
    ghi = sky.ghi * clear_index
    diffuse = np.clip(ghi - direct * np.clip(np.cos(zenith), 0.0, 1.0), 0.0, None)
    ground = ghi * 0.25 * (1.0 - math.cos(tilt)) / 2.0
    plane: Series = direct * np.clip(incidence, 0.0, None) + diffuse * (1.0 + math.cos(tilt)) / 2.0 + ground
    return plane


def panel_c(poa_wm2: Series, ambient_c: Series, wind_mps: Series) -> Series:
    """Module temperature [degC]. Source: Faiman model with its usual u0 = 25, u1 = 6.84."""
    temperature: Series = ambient_c + poa_wm2 / (25.0 + 6.84 * wind_mps)
    return temperature


def soiling_ratio(solar: SolarFarm, day: int) -> float:
    """Share of light that dust lets through; panels are washed every two weeks."""
    return (1.0 - solar.soiling_per_day) ** (day % CLEANING_DAYS)


def sun_day(
    seed: int, place: Place, solar: SolarFarm, day: int, ambient_c: Series, wind_mps: Series
) -> SunDay:
    """Irradiance and AC power of one UTC day by minutes, clipped at the inverters' rating."""
    sky = _Sky(*(on_grid(series, POINTS) for series in _clear_sky(place, day)))
    clear_index = _clear_index(seed, day)
    poa = _in_plane(sky, clear_index, solar)
    hot = 1.0 + TEMPERATURE_PER_K * (panel_c(poa, ambient_c, wind_mps) - 25.0)
    dc = poa / 1000.0 * hot * solar.dc_ratio * soiling_ratio(solar, day)
    return SunDay(sky.ghi * clear_index, poa, np.clip(dc * SYSTEM_RATIO, 0.0, 1.0))


def replayed_sun(ratio: Series) -> SunDay:
    """Irradiance for a replayed capacity factor: 0.83 of rated power per kW/m2 in plane (our assumption)."""
    poa = ratio / 0.83 * 1000.0
    return SunDay(poa * 0.94, poa, ratio)
