"""Simulated SunSpec devices as pysunspec2, an independent decoder, sees them."""

import asyncio
import json
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
import sunspec2
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from igoudar.collectors.profiles import load_profiles
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.modbus_server import ModbusServer
from tests.simulators.conftest import HeldPlant, modbus_device

VALUES = {
    "inverter-1": {
        "active_power_w": 187_650.0,
        "frequency_hz": 50.02,
        "voltage_v": 230.1,
        "energy_wh": 1_234_567.0,
        "operating_state": 4.0,
        "cabinet_temperature_c": 41.5,
        "limit_pct": 100.0,
    },
    "battery-1": {
        "soc_pct": 63.2,
        "active_power_w": -90_000.0,
        "operating_state": 3.0,
        "max_charge_w": 250e3,
    },
    "weather-1": {"ghi_wm2": 812.0, "ambient_c": 24.6, "wind_speed_mps": 9.0, "wind_direction_deg": 45.0},
}


@pytest.fixture
async def server(plant: HeldPlant):
    plant.held = {name: dict(values) for name, values in VALUES.items()}
    units = {
        1: modbus_device("inverter-1", "sunspec-inverter", plant, 1),
        2: modbus_device("battery-1", "sunspec-battery", plant, 2),
        3: modbus_device("weather-1", "sunspec-weather", plant, 3),
    }
    async with ModbusServer(units, FaultBoard(VALUES).of) as running:
        yield running


async def scanned(port: int, unit: int) -> SunSpecModbusClientDeviceTCP:
    def scan() -> SunSpecModbusClientDeviceTCP:
        device = SunSpecModbusClientDeviceTCP(unit, "127.0.0.1", port, timeout=2)
        device.scan()
        device.close()
        return device

    return await asyncio.to_thread(scan)


async def test_it_finds_the_inverter(server: ModbusServer) -> None:
    device = await scanned(server.port, 1)
    common, inverter, controls = device.models[1][0], device.models[103][0], device.models[123][0]
    assert common.SN.value == "inverter-1"
    assert common.DA.value == 1
    assert inverter.W.cvalue == pytest.approx(187_650, abs=10)
    assert inverter.Hz.cvalue == pytest.approx(50.02, abs=0.01)
    assert inverter.PhVphA.cvalue == pytest.approx(230.1, abs=0.1)
    assert inverter.WH.cvalue == 1_234_567
    assert inverter.St.value == 4
    assert inverter.TmpCab.cvalue == pytest.approx(41.5, abs=0.1)
    assert controls.WMaxLimPct.cvalue == pytest.approx(100.0)


async def test_what_is_not_implemented_says_so(server: ModbusServer) -> None:
    inverter = (await scanned(server.port, 1)).models[103][0]
    assert inverter.PF.value is None
    assert inverter.AphA.value is None
    assert inverter.DCA.value is None


async def test_it_finds_the_battery_and_its_sign(server: ModbusServer) -> None:
    device = await scanned(server.port, 2)
    battery, storage = device.models[802][0], device.models[124][0]
    assert battery.SoC.cvalue == pytest.approx(63.2, abs=0.1)
    assert battery.W.cvalue == pytest.approx(-90_000, abs=10)
    assert battery.State.value == 3
    assert storage.WChaMax.cvalue == pytest.approx(250e3, rel=1e-3)


async def test_it_finds_the_weather_station(server: ModbusServer) -> None:
    device = await scanned(server.port, 3)
    assert device.models[302][0].groups["repeating"][0].GHI.value == 812
    assert device.models[307][0].TmpAmb.cvalue == pytest.approx(24.6)
    assert device.models[307][0].WndSpd.value == 9


async def test_it_curtails_the_inverter(server: ModbusServer, plant: HeldPlant) -> None:
    def curtail() -> None:
        device = SunSpecModbusClientDeviceTCP(1, "127.0.0.1", server.port, timeout=2)
        device.scan()
        controls = device.models[123][0]
        controls.WMaxLimPct.cvalue = 40
        controls.WMaxLimPct.write()
        controls.WMaxLim_Ena.value = 1
        controls.WMaxLim_Ena.write()
        device.close()

    await asyncio.to_thread(curtail)
    assert plant.written == [("inverter-1", "limit_pct", 40.0), ("inverter-1", "limit_enabled_state", 1.0)]


def models() -> set[int]:
    profiles = load_profiles().values()
    return {model for profile in profiles for model, _ in profile.modbus.sunspec_models}


@pytest.mark.parametrize("model", sorted(models()))
def test_blank_models_agree_with_the_definitions(model: int) -> None:
    blanks = tomllib.loads(files("igoudar.simulators").joinpath("sunspec_blanks.toml").read_text())
    folder = Path(sunspec2.__file__).parent / "models" / "json"
    group = json.loads((folder / f"model_{model}.json").read_text())["group"]
    points = group["points"][2:] + [p for sub in group.get("groups", []) for p in sub["points"]]
    assert blanks[str(model)] == "".join(not_implemented(p["type"], p["size"]) for p in points)


def not_implemented(kind: str, size: int) -> str:
    """SunSpec Information Model Specification, "not implemented" values, a character per register."""
    if kind in ("string", "acc16", "acc32", "acc64", "ipaddr", "ipv6addr"):
        return "0" * size
    if kind in ("int16", "int32", "int64", "sunssf", "pad"):
        return "8" + "0" * (size - 1)
    if kind.startswith("float"):
        return "7" + "0" * (size - 1)
    return "f" * size
