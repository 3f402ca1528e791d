"""Everything the sky gives a plant at one instant, from the generators or from a replay."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from igoudar.core.model import Site, SolarFarm
from igoudar.simulators.plant.air import air_day
from igoudar.simulators.plant.noise import DAY_S, Series, noise_day, on_grid
from igoudar.simulators.plant.resource import Resource
from igoudar.simulators.plant.sun import POINTS, Place, SunDay, replayed_sun, sun_day
from igoudar.simulators.plant.wind import speed_of_ratio, wind_day

GROUND_SHARE = 0.55  # speed at the weather mast over speed at hub height, our assumption


class Conditions(NamedTuple):
    """The sky at one instant; ratios are of rated AC power, the wind's before derating."""

    pv_ratio: float
    wind_ratio: float
    hub_speed_mps: float
    ghi_wm2: float
    poa_wm2: float
    ambient_c: float
    humidity_pct: float
    wet_bulb_c: float
    pressure_kpa: float
    wind_speed_mps: float
    wind_direction_deg: float


class Weather:
    """Conditions as a pure function of (seed, time)."""

    def __init__(self, site: Site, seed: int, resource: Resource | None = None) -> None:
        self._place = Place(site.latitude_deg, site.longitude_deg, site.altitude_m)
        self._solar, self._seed, self._resource = site.solar, seed, resource

    def at(self, time_s: float) -> Conditions:
        """Conditions at an instant (seconds since 1970), linear between minutes."""
        day, within_s = divmod(time_s, DAY_S)
        table = _table(self._seed, self._place, self._solar, self._resource, int(day))
        index, part = divmod(within_s / 60.0, 1.0)
        low = table[int(index)]
        return Conditions(*(low + part * (table[int(index) + 1] - low)).tolist())


# Shared by a plant and its shadow: same seed and same inputs, same table.
@lru_cache(maxsize=6)
def _table(seed: int, place: Place, solar: SolarFarm, resource: Resource | None, day: int) -> Series:
    ambient, humidity, wet_bulb, pressure_pa = air_day(seed, place.altitude_m, day)
    ambient, humidity, wet_bulb = (on_grid(series, POINTS) for series in (ambient, humidity, wet_bulb))
    wind_ratio, hub_speed = _wind(seed, resource, day)
    sun = _sun(seed, place, solar, resource, day, ambient, hub_speed * GROUND_SHARE)
    direction = 25.0 + 15.0 * on_grid(noise_day(seed, "wind direction", 1800.0, 4 * 3600.0, day), POINTS)
    pressure = np.full(POINTS, pressure_pa / 1000.0)
    columns = (
        *(sun.ratio, wind_ratio, hub_speed, sun.ghi_wm2, sun.poa_wm2, ambient, humidity, wet_bulb, pressure),
        *(hub_speed * GROUND_SHARE, np.clip(direction, 0.0, 359.0)),
    )
    return np.column_stack(columns)


def _wind(seed: int, resource: Resource | None, day: int) -> tuple[Series, Series]:
    if resource is None:
        ratio, speed = wind_day(seed, day)
        return on_grid(ratio, POINTS), on_grid(speed, POINTS)
    _, replayed = resource.day(day, POINTS)
    return replayed, speed_of_ratio(replayed)


def _sun(
    seed: int,
    place: Place,
    solar: SolarFarm,
    resource: Resource | None,
    day: int,
    ambient_c: Series,
    wind_mps: Series,
) -> SunDay:
    if resource is None:
        return sun_day(seed, place, solar, day, ambient_c, wind_mps)
    replayed, _ = resource.day(day, POINTS)
    return replayed_sun(replayed)
