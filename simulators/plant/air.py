"""Outdoor air: temperature, humidity, wet bulb, pressure; desert heat spells."""

import math
from functools import lru_cache

import numpy as np

from igoudar.simulators.plant.noise import Series, noise_day, on_grid

STEPS = 97  # a quarter of an hour, both midnights included
SEA_LEVEL_PA = 101_325.0


def _season(day: int, peak_day: float) -> float:
    """Cosine of the year with its maximum at `peak_day` of the year."""
    return math.cos(2.0 * math.pi * ((day % 365.25) - peak_day) / 365.25)


@lru_cache(maxsize=8)
def air_day(seed: int, altitude_m: float, day: int) -> tuple[Series, Series, Series, float]:
    """Ambient [degC], humidity [%], wet bulb [degC] of one UTC day by quarter hours; pressure [Pa].

    Monthly mean minimum/maximum 15/22 degC in January to 20/27 degC in September; relative humidity mostly
    above 60 %; heat spells with desert wind reach 40 degC and more (climate tables of Dakhla). The process in
    between is our assumption.
    """
    hours = np.linspace(0.0, 24.0, STEPS)
    drift = on_grid(noise_day(seed, "air", 3600.0, 40 * 3600.0, day), STEPS)
    spell = on_grid(noise_day(seed, "desert wind", 3600.0, 30 * 3600.0, day), STEPS)
    heat = np.clip((spell - 2.0) * 12.0, 0.0, 16.0)
    mean = 21.0 + 2.5 * _season(day, 258.0)
    swing = 3.5 * np.cos(2.0 * math.pi * (hours - 14.0) / 24.0)
    ambient = mean + swing + 1.2 * drift + heat
    humidity = np.clip(74.0 - 2.2 * swing - 4.0 * drift - 4.0 * heat, 8.0, 99.0)
    pressure_pa = SEA_LEVEL_PA * (1.0 - 2.25577e-5 * altitude_m) ** 5.25588
    return ambient, humidity, _wet_bulb(ambient, humidity, pressure_pa), pressure_pa


def _wet_bulb(ambient: Series, humidity: Series, pressure_pa: float) -> Series:
    """Wet-bulb temperature [degC] from dry bulb [degC] and relative humidity [%]. Source: psychrolib."""
    import psychrolib  # lazy: only the simulators need it

    psychrolib.SetUnitSystem(psychrolib.SI)
    pairs = zip(ambient.tolist(), humidity.tolist(), strict=True)
    return np.array([psychrolib.GetTWetBulbFromRelHum(t, rh / 100.0, pressure_pa) for t, rh in pairs])
