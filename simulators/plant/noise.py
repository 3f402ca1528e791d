"""Seeded random processes that are pure functions of (seed, time)."""

import math
from functools import lru_cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

DAY_S = 86_400.0
Series = NDArray[np.float64]


@lru_cache(maxsize=256)
def _shocks(seed: int, name: str, count: int, day: int) -> Series:
    """`count` standard normal shocks of one UTC day."""
    return np.random.default_rng([seed, crc32(name.encode()), day]).standard_normal(count)


@lru_cache(maxsize=64)
def _kernel(step_s: float, memory_s: float) -> Series:
    """Weights of past shocks: an AR(1) process cut off where 0.2 % of it is left, with unit variance."""
    lags = np.arange(math.ceil(6.0 * memory_s / step_s) + 1)
    weights = np.exp(-lags * step_s / memory_s)
    kernel: Series = weights / math.sqrt(float(np.sum(weights**2)))
    return kernel


@lru_cache(maxsize=128)
def noise_day(seed: int, name: str, step_s: float, memory_s: float, day: int) -> Series:
    """Standard normal process over one UTC day, both midnights included.

    It is a moving average over shocks that are drawn per day, not a recursion, so that any day can be asked
    first: a restart and a shadow plant see the same weather.

    Args:
        seed: Seed of the whole plant.
        name: Name of the process; processes of different names are independent.
        step_s: Grid step, a divisor of the day [s].
        memory_s: Time after which the autocorrelation is 1/e [s].
        day: Days since 1970-01-01.
    """
    count = round(DAY_S / step_s)
    kernel = _kernel(step_s, memory_s)
    back = math.ceil(len(kernel) / count)
    shocks = np.concatenate([_shocks(seed, name, count, d) for d in range(day - back, day + 2)])
    first = back * count - len(kernel) + 1
    return np.convolve(shocks[first : (back + 1) * count + 1], kernel, mode="valid")


def on_grid(series: Series, points: int) -> Series:
    """Linear interpolation of a day's series to `points` evenly spaced points, both midnights included."""
    return np.interp(np.linspace(0.0, 1.0, points), np.linspace(0.0, 1.0, len(series)), series)


def noise_at(seed: int, name: str, step_s: float, memory_s: float, time_s: float) -> float:
    """The process at one instant (seconds since 1970), linear between grid points."""
    day, within_s = divmod(time_s, DAY_S)
    series = noise_day(seed, name, step_s, memory_s, int(day))
    index, part = divmod(within_s / step_s, 1.0)
    low = series[int(index)]
    return float(low + part * (series[int(index) + 1] - low))
