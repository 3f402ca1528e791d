"""What a rack's power shelf shows, and what its limit does."""

import math
from typing import TYPE_CHECKING

from igoudar.core.model import Device
from igoudar.simulators.plant.power_limits import Limit

if TYPE_CHECKING:
    from igoudar.simulators.plant.plant import Plant

SUPPLY_W = 5.5e3  # of one power supply: shelves of 33 kW hold six


def values(plant: "Plant", device: Device) -> dict[str, float | None]:
    """Canonical points of a power shelf; one without a limit shows the rack's peak as its set point."""
    racks, rack = plant.racks, plant.racks.index[device.subject]
    low_w, high_w = (float(w[rack]) * device.share for w in (racks.idle_w, racks.peak_w))
    setting = racks.limits.settings.get(device.name) or Limit(high_w)
    supplies = math.ceil(high_w / SUPPLY_W)
    return {
        "active_power_w": float(racks.power_w[rack]) * device.share,
        "energy_wh": float(racks.energy_wh[rack]) * device.share,
        "power_limit_w": setting.power_limit_w,
        "limit_enabled_state": setting.limit_enabled_state,
        "applied_limit_w": setting.power_limit_w if setting.limit_enabled_state >= 1.0 else high_w,
        "limit_low_w": low_w,
        "limit_high_w": high_w,
        "capacity_w": SUPPLY_W * supplies,
        "supplies_count": float(supplies),
    }


def write(plant: "Plant", device: Device, point: str, value: float) -> bool:
    """Let a written point act; tells whether a shelf has it."""
    racks, rack = plant.racks, plant.racks.index[device.subject]
    return racks.limits.set(device.name, point, value, rack, device.share, float(racks.peak_w[rack]))
