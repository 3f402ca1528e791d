"""What a write to a device's point does to the physics: one small function per kind."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from igoudar.core.errors import CommandError
from igoudar.core.model import Device, Kind
from igoudar.simulators.plant import power_shelf
from igoudar.simulators.plant.farm import Curtailment
from igoudar.simulators.plant.flexible_loads import Drive

if TYPE_CHECKING:
    from igoudar.simulators.plant.plant import Plant

Action = Callable[["Plant", Device, str, float], bool]


def act(plant: "Plant", device: Device, point: str, value: float) -> None:
    """Act on the plant through a device's writable point.

    Raises:
        CommandError: the value is not a number, or nothing in the plant listens to this point.
    """
    if not math.isfinite(value):
        raise CommandError("the value is not a number", where=f"{device.name} {point}", fix="write a number")
    action = _ACTIONS.get(device.kind)
    if action is None or not action(plant, device, point, value):
        raise CommandError(
            f"{point} can't be written",
            where=device.name,
            fix=f"see the writable points of kind {device.kind}",
        )


def _inverter(plant: "Plant", device: Device, point: str, value: float) -> bool:
    if point not in Curtailment.__slots__:
        return False
    plant.solar.curtail(device.name, point, value)
    return True


def _turbine(plant: "Plant", device: Device, point: str, value: float) -> bool:
    if point != "limit_w":
        return False
    plant.wind.limit_w[plant.wind.index[device.name]] = max(0.0, value)
    return True


def _battery(plant: "Plant", device: Device, point: str, value: float) -> bool:
    unit = plant.battery.converters[device.name]
    if point == "rate_revert_s":
        unit.revert_s = value
    elif point in type(unit.rates).__slots__:
        setattr(unit.rates, point, value)
    else:
        return False
    return True


def _chiller(plant: "Plant", device: Device, point: str, value: float) -> bool:
    unit = plant.cooling.chillers.units[device.name]
    if point == "setpoint_c":
        unit.setpoint_c = value
    elif point == "demand_limit_pct":
        unit.demand_limit_pct = min(100.0, max(0.0, value))
    elif point == "enable_state":
        unit.enabled = value >= 1.0
    else:
        return False
    return True


def _cdu(plant: "Plant", device: Device, point: str, value: float) -> bool:
    if point != "setpoint_c" or device.subject not in plant.cooling.cdu_index:
        return False
    plant.cooling.cdu_setpoint_c[plant.cooling.cdu_index[device.subject]] = value
    return True


def _cooling_plant(plant: "Plant", device: Device, point: str, value: float) -> bool:
    if point != "setpoint_c":
        return False
    plant.cooling.supply_setpoint_c = value
    return True


def _drive(drive: Drive, point: str, value: float) -> bool:
    if point == "limit_w":
        drive.limit_w = max(0.0, value)
    elif point == "enable_state":
        drive.enabled = value >= 1.0
    else:
        return False
    return True


_ACTIONS: dict[Kind, Action] = {
    Kind.INVERTER: _inverter,
    Kind.TURBINE: _turbine,
    Kind.BATTERY: _battery,
    Kind.CHILLER: _chiller,
    Kind.CDU: _cdu,
    Kind.COOLING_PLANT: _cooling_plant,
    Kind.POWER_SHELF: power_shelf.write,
    Kind.DESALINATION: lambda plant, device, point, value: _drive(plant.desalination, point, value),
    Kind.ELECTROLYSER: lambda plant, device, point, value: _drive(plant.electrolyser, point, value),
}
