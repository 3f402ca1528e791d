"""The largest value each point of a device can show, so that its scale factors are sensible and fixed."""

from collections.abc import Mapping

from igoudar.core.model import Device, Kind, Profile, Site
from igoudar.core.units import unit_of

_HEADROOM = 1.3  # above the rating: inrush, overload, an inverter's DC side
_LOWEST_V = 200.0  # a current is at most power over this

# Our assumptions, generous on purpose: a scale factor only has to fit.
_LARGEST: Mapping[str, float] = {
    "wh": 4e9,  # acc32 counts to 4.29e9
    "v": 2000.0,
    "hz": 70.0,
    "c": 150.0,
    "pct": 110.0,
    "kpa": 200.0,
    "wm2": 2000.0,
    "mps": 100.0,
    "deg": 360.0,
    "lpm": 30000.0,
    "bar": 30.0,
    "s": 65534.0,
    "count": 65534.0,
}


def rated_w(device: Device, site: Site) -> float:
    """The rated power of what `device` measures or drives [W]."""
    match device.kind:
        case Kind.INVERTER:
            return site.solar.ac_w * device.share
        case Kind.BATTERY:
            return site.battery.power_w * device.share
        case Kind.TURBINE:
            return site.wind.ac_w * device.share
        case _:
            return max(site.it_w * 2, site.grid.import_limit_w, site.grid.export_limit_w)


def largest_values(device: Device, profile: Profile, site: Site) -> dict[str, float]:
    """The largest value of each point in its own unit."""
    power = max(_HEADROOM * rated_w(device, site), 1e3)
    by_unit = {**_LARGEST, "w": power, "va": power, "var": power, "a": power / _LOWEST_V}
    return {name: by_unit.get(unit_of(name), 1.0) for name in profile.points}
