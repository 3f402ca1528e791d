"""A plant that holds what a test puts into it, and devices of real profiles in front of it."""

from datetime import UTC, datetime, timedelta

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import CommandError
from igoudar.core.model import Device, Site
from igoudar.core.site import load_site
from igoudar.simulators.devices import Firmware
from igoudar.simulators.modbus_device import ModbusDevice
from igoudar.simulators.registers import RegisterBank
from igoudar.simulators.twin import Inputs

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
LARGEST = {
    "active_power_w": 300e3,
    "dc_power_w": 400e3,
    "reactive_power_var": 300e3,
    "current_a": 1500.0,
    "max_charge_w": 3e5,
}
BOUNDS = {"limit_pct": 110.0, "discharge_rate_pct": 110.0, "charge_rate_pct": 110.0, "energy_wh": 4e9}


class HeldPlant:
    """Values by device, and a log of what was written."""

    def __init__(self) -> None:
        self.now = START
        self.step = 0
        self.asked = 0
        self.deaf = False
        self.held: dict[str, dict[str, float | None]] = {}
        self.written: list[tuple[str, str, float]] = []

    def values(self, device: Device) -> dict[str, float | None]:
        self.asked += 1
        return dict(self.held.get(device.name, {}))

    def write(self, device: Device, point: str, value: float) -> None:
        if self.deaf:
            raise CommandError("nothing listens", where=device.name)
        self.written.append((device.name, point, value))

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.step += 1


@pytest.fixture(scope="session")
def site() -> Site:
    return load_site("jazari-lab", load_profiles())


@pytest.fixture(scope="session")
def inputs(site: Site) -> Inputs:
    return Inputs(site, seed=7)


@pytest.fixture
def plant() -> HeldPlant:
    return HeldPlant()


def firmware(name: str, profile: str, plant: HeldPlant, floor_s: float = 30.0) -> Firmware:
    product = load_profiles()[profile]
    device = Device(name, product.kind, profile, "", "pv")
    return Firmware(device, product, plant, floor_s)


def modbus_device(name: str, profile: str, plant: HeldPlant, unit: int = 1) -> ModbusDevice:
    front = firmware(name, profile, plant)
    largest = {point: LARGEST.get(point, BOUNDS.get(point, 150.0)) for point in front.profile.points}
    bank = RegisterBank(front.profile, largest, name, unit)
    return ModbusDevice(front, bank, lambda: plant.step)
