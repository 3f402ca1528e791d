"""What a setpoint is judged on: one instant of the site, frozen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from igoudar.collectors.authority import Authority
from igoudar.core.model import Device, Kind, Profile, Reading
from igoudar.core.model_writes import Interlock

CLASSES = {
    Kind.BATTERY: "battery",
    Kind.INVERTER: "curtailment",
    Kind.TURBINE: "curtailment",
    Kind.CHILLER: "cooling",
    Kind.CDU: "cooling",
    Kind.DRY_COOLER: "cooling",
    Kind.COOLING_PLANT: "cooling",
    Kind.DESALINATION: "loads",
    Kind.ELECTROLYSER: "loads",
}
"""The actuator class of each kind of device that is driven; all other kinds are power that is capped."""


def class_of(device: Device) -> str:
    """The actuator class that a device belongs to, whatever a command says."""
    return CLASSES.get(device.kind, "caps")


@dataclass(frozen=True, slots=True)
class Ground:
    """The site as it stands when a setpoint is judged."""

    now: datetime  # site time, UTC
    device: Device | None  # None: there is no such device
    profile: Profile | None
    reading: Callable[[str], Reading | None]  # the newest of a device; a gap when it is stale
    authority: Authority | None  # None: none is valid
    hands_off: bool = False
    settled: bool = True
    stopping: bool = False
    locks: Sequence[Interlock] = ()  # the site's and the profile's
