"""One unit of a battery: the points that hold a power, and how fine they are. Pure."""

from collections.abc import Iterator
from math import ceil

from igoudar.control.roster import Roster
from igoudar.core.model import Device
from igoudar.core.model_guard import PointLimit

FREE_PCT = 100.0
DIGITS_PCT, DIGITS_W = 0.1, 100.0  # what is asked is written in these
ROUNDING = 1e-6


def unit_points(device: Device, wish_w: float | None, rated_w: float) -> Iterator[tuple[str, float]]:
    """Points and values for the unit's share of a wish for the whole battery; None = let it go.

    SunSpec 704 by watts, 124 by two rates that leave only one power between them.
    """
    if "setpoint_w" in device.allow:
        if wish_w is not None:  # given back by its timer
            yield "setpoint_w", _up(wish_w * device.share, DIGITS_W)
        return
    pct = FREE_PCT if wish_w is None or not rated_w else _up(FREE_PCT * wish_w / rated_w, DIGITS_PCT)
    yield "discharge_rate_pct", pct
    yield "charge_rate_pct", FREE_PCT if wish_w is None else 0.0 - pct


def least_step_w(roster: Roster, device: Device) -> float:
    """The smallest change of a wish for the whole battery that this unit is told; less is not written."""
    rated_w = roster.site.battery.power_w
    if "setpoint_w" in device.allow:
        return (_deadband(roster, device, "setpoint_w") + DIGITS_W) / max(device.share, ROUNDING)
    return (_deadband(roster, device, "discharge_rate_pct") + DIGITS_PCT) / FREE_PCT * rated_w


def _deadband(roster: Roster, device: Device, name: str) -> float:
    """As the guard and the collector have it."""
    closer = roster.site.guard.limits.get((device.kind.value, name), PointLimit())
    if closer.deadband is not None:
        return closer.deadband
    point = roster.profiles[device.profile].points.get(name)
    return point.writable.deadband if point is not None and point.writable is not None else 0.0


def _up(value: float, digit: float) -> float:
    """Rather too much than too little, in whole digits."""
    return round(ceil(value / digit - ROUNDING) * digit, 6)
