"""`igoudar probe` against simulated devices that it was told nothing about."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from itertools import pairwise

import pytest
import typer
from typer.testing import CliRunner, Result

from igoudar.collectors.cli import add_commands
from igoudar.collectors.probe import modbus
from igoudar.collectors.probe.modbus import PAUSE_S
from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError, IgoudarError
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import HttpServer
from igoudar.simulators.metrics_server import MetricsPages
from igoudar.simulators.modbus_server import ModbusServer
from igoudar.simulators.opcua_server import OpcUaServer
from igoudar.simulators.redfish_server import RedfishPages
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import image, pymodbus_server
from tests.simulators.conftest import HeldPlant, firmware, modbus_device

PROFILES = load_profiles()
INVERTER = {
    "active_power_w": 187_650.0,
    "frequency_hz": 50.02,
    "voltage_v": 230.1,
    "current_a": 271.0,
    "energy_wh": 1_234_567.0,
    "operating_state": 4.0,
    "cabinet_temperature_c": 41.5,
    "limit_pct": 100.0,
}
METER = {
    "current_l1_a": 110.0,
    "voltage_l1_v": 231.0,
    "voltage_l2_v": 230.0,
    "voltage_l3_v": 229.0,
    "active_power_w": 71_000.0,
    "frequency_hz": 49.98,
    "active_energy_import_wh": 8_123_456.0,
}


def igoudar(*words: str, answer: str = "") -> Result:
    app = typer.Typer()
    add_commands(app)
    return CliRunner().invoke(app, [*words, "--lang", "en"], input=answer)


async def run(*words: str, answer: str = "") -> Result:
    return await asyncio.to_thread(igoudar, *words, answer=answer)


@asynccontextmanager
async def simulated(
    **units: tuple[int, str, Mapping[str, float]],
) -> AsyncIterator[tuple[ModbusServer, HeldPlant]]:
    """Devices by name: (unit, profile, values)."""
    plant = HeldPlant()
    plant.held = {name: dict(values) for name, (_, _, values) in units.items()}
    devices = {unit: modbus_device(name, profile, plant, unit) for name, (unit, profile, _) in units.items()}
    async with ModbusServer(devices, FaultBoard(units).of) as server:
        yield server, plant


async def test_a_sunspec_inverter_is_found_without_being_told() -> None:
    async with simulated(inv=(1, "sunspec-inverter", INVERTER)) as (server, plant):
        found = await run("probe", f"127.0.0.1:{server.port}", "--json")
        told = await run("probe", f"127.0.0.1:{server.port}")
    (one,) = json.loads(found.output)["found"]
    assert one["address"] == f"modbus-tcp://127.0.0.1:{server.port}/1"
    assert one["sunspec"] == {"base": 40000, "models": [[1, 66], [103, 50], [123, 24]]}
    assert one["identity"]["manufacturer"] == "igoudar simulator"
    assert one["fits"][0]["profile"] == "sunspec-inverter"
    assert one["fits"][0]["values"]["active_power_w"] == pytest.approx(187_650, abs=10)
    assert "kW" in told.output
    assert "mppt (4)" in told.output
    assert 'profile = "sunspec-inverter"' in told.output
    assert plant.written == []


async def test_a_fixed_map_is_told_from_the_others_by_what_it_reads() -> None:
    async with simulated(m=(1, "schneider-iem3000", METER)) as (server, _):
        found = await run("probe", f"127.0.0.1:{server.port}/1", "--json")
    (one,) = json.loads(found.output)["found"]
    assert one["sunspec"] is None
    assert one["fits"][0]["profile"] == "schneider-iem3000"


async def test_units_behind_a_gateway_are_scanned_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(modbus, "SCAN", range(1, 21))  # 50 ms each
    devices = {
        "inv": (3, "sunspec-inverter", INVERTER),
        "met": (17, "schneider-iem3000", METER),
    }
    async with simulated(**devices) as (server, _):
        where = f"127.0.0.1:{server.port}"
        silent = await run("probe", where)
        scanned = await run("probe", where, "--scan", "--json", "--timeout", "0.2")
    assert isinstance(silent.exception, IgoudarError)
    assert "no unit answers to Modbus (asked: 1, 255)" in str(silent.exception)
    found = json.loads(scanned.output)["found"]
    assert [one["address"].rpartition("/")[2] for one in found] == ["3", "17"]
    assert [one["fits"][0]["profile"] for one in found] == ["sunspec-inverter", "schneider-iem3000"]


async def test_a_person_is_asked_before_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    from igoudar.collectors.cli import probe

    monkeypatch.setattr(probe, "_at_terminal", lambda: True)
    async with simulated(inv=(1, "sunspec-inverter", INVERTER)) as (server, _):
        found = await run("probe", f"127.0.0.1:{server.port}", answer="n\n")
    assert "Ask the other 246 unit ids of 127.0.0.1 too?" in found.output
    assert "sunspec-inverter" in found.output


async def test_requests_keep_their_distance_and_only_read() -> None:
    loop = asyncio.get_running_loop()
    came: list[tuple[float, int]] = []

    async def note(asked: Asked, writer: asyncio.StreamWriter) -> None:
        came.append((loop.time(), asked.function))
        writer.write(asked.frame(bytes((asked.function | 0x80, 2))))

    async with hostile(note) as server:
        await run("probe", f"127.0.0.1:{server.port}/1", "--json")
    assert len(came) >= 10
    assert {function for _, function in came} <= {1, 2, 3, 4}
    assert min(later - sooner for (sooner, _), (later, _) in pairwise(came)) >= 0.8 * PAUSE_S


async def test_nothing_there_is_one_clear_line() -> None:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for where in (f"127.0.0.1:{port}", f"opc.tcp://127.0.0.1:{port}", f"http://127.0.0.1:{port}/"):
            found = await run("probe", where, "--timeout", "0.5")
            assert isinstance(found.exception, IgoudarError), where
            assert "\n" not in str(found.exception)
            assert str(port) in str(found.exception)


@pytest.mark.parametrize("where", ["", "ftp://x", "host:port", "h:1/x", "h:1/256", "[::1"])
def test_what_is_no_address_is_refused(where: str) -> None:
    assert isinstance(igoudar("probe", where).exception, ConfigError)


async def test_hostile_names_are_shown_as_text() -> None:
    words = image(PROFILES["sunspec-inverter"], INVERTER)
    for offset, character in enumerate("\x1b[31m[red]".ljust(32, "\0")):
        shift = 8 if offset % 2 == 0 else 0
        words[40004 + offset // 2] = (
            words.get(40004 + offset // 2, 0) & ~(0xFF << shift) | ord(character) << shift
        )
    async with pymodbus_server({1: words}) as port:
        told = await run("probe", f"127.0.0.1:{port}/1")
        found = await run("probe", f"127.0.0.1:{port}/1", "--json")
    assert "\x1b" not in told.output
    assert "?[31m[red]" in told.output
    assert json.loads(found.output)["found"][0]["identity"]["manufacturer"] == "\x1b[31m[red]"


async def test_a_device_of_no_known_profile_says_what_to_do() -> None:
    async with pymodbus_server({1: dict.fromkeys(range(5), 0)}) as port:
        told = await run("probe", f"127.0.0.1:{port}/1")
    assert "No known profile fits" in told.output
    assert "igoudar profile check FILE --against" in told.output


async def test_a_turbine_is_found_on_an_opcua_server() -> None:
    plant = HeldPlant()
    plant.held = {
        "wt-1": {"active_power_w": 310e3, "turbine_state": 3.0, "rotor_speed_hz": 0.25, "wind_speed_mps": 8.0}
    }
    devices = {"WT01": firmware("wt-1", "iec61400-25-turbine", plant)}
    async with OpcUaServer(devices, lambda: plant.now, FaultBoard({"wt-1": 0}).of) as server:
        await server.refresh()
        found = await run("probe", f"opc.tcp://127.0.0.1:{server.port}", "--json")
    (one,) = json.loads(found.output)["found"]
    assert one["address"] == f"opc.tcp://127.0.0.1:{server.port}/WT01"
    assert one["fits"][0]["profile"] == "iec61400-25-turbine"
    assert one["fits"][0]["values"]["active_power_w"] == 310e3


async def test_an_exporter_is_found_over_http() -> None:
    plant = HeldPlant()
    plant.held = {"gpu-1": {"gpu_power_w": 96e3, "gpu_power_limit_w": 99e3, "gpu_utilisation_pct": 92.0}}
    pages = MetricsPages({"r1": firmware("gpu-1", "dcgm-rack", plant)}, {"r1": 72}, FaultBoard({"gpu-1": 0}))
    async with HttpServer(pages) as server:
        found = await run("probe", f"{server.url}/r1/metrics", "--json")
    (one,) = json.loads(found.output)["found"]
    assert one["fits"][0]["profile"] == "dcgm-rack"
    assert one["fits"][0]["values"]["gpu_count"] == 72


async def test_a_power_shelf_is_found_over_redfish() -> None:
    plant = HeldPlant()
    plant.held = {"s1": {"active_power_w": 96e3, "limit_low_w": 29e3, "limit_high_w": 132e3}}
    pages = RedfishPages({"s1": firmware("s1", "redfish-power-shelf", plant)}, FaultBoard({"s1": 0}))
    async with HttpServer(pages) as server:
        where = f"redfish-http://127.0.0.1:{server.port}/redfish/v1/Chassis/s1"
        found = await run("probe", where, "--json")
    (one,) = json.loads(found.output)["found"]
    assert one["address"] == where
    assert one["fits"][0]["profile"] == "redfish-power-shelf"
    assert one["fits"][0]["values"]["active_power_w"] == 96e3


async def test_a_silent_unit_is_one_clear_line() -> None:
    async def silent(asked: Asked, writer: asyncio.StreamWriter) -> None:
        del asked, writer

    async with hostile(silent) as server:
        for where in (f"127.0.0.1:{server.port}", f"127.0.0.1:{server.port}/9"):
            found = await run("probe", where, "--timeout", "0.2")
            assert isinstance(found.exception, IgoudarError)
            assert str(server.port) in str(found.exception)
