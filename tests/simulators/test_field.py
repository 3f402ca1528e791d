"""A whole site's devices over their wires: every one answers, and setpoints move the physics."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from pymodbus.client import AsyncModbusTcpClient

from igoudar.collectors.links import build
from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import Device, Profile, Site
from igoudar.core.site import load_site
from igoudar.simulators.devices import Firmware
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.field import PER_GATEWAY, Field
from igoudar.simulators.service import advance
from igoudar.simulators.twin import Inputs, Twin
from tests.simulators.conftest import START

PROFILES = load_profiles()
ON_SITE = sorted({device.profile for device in load_site("jazari-lab", PROFILES).devices})


@pytest.fixture
def twin(inputs: Inputs) -> Twin:
    return Twin.fresh(inputs, START, 0.0)


@pytest.fixture
async def field(twin: Twin, site: Site):
    """All but OPC UA, which takes seconds to open and has tests of its own."""
    quick = [d for d in site.devices if PROFILES[d.profile].protocol != "opcua"]
    async with opened(replace(site, devices=tuple(quick)), twin) as running:
        yield running


def opened(site: Site, twin: Twin) -> Field:
    board = FaultBoard({device.name: device for device in site.devices})
    return Field(site, PROFILES, twin, board, 180.0)


async def connect(field: Field, device: str) -> tuple[AsyncModbusTcpClient, int]:
    url = urlsplit(field.endpoints[device])
    client = AsyncModbusTcpClient(url.hostname, port=url.port, timeout=2, retries=0)
    assert await client.connect()
    return client, int(url.path[1:])


async def test_every_device_has_an_address_of_its_own(twin: Twin, site: Site) -> None:
    async with opened(site, twin) as field:
        pass
    assert set(field.endpoints) == {device.name for device in site.devices}
    assert len(set(field.endpoints.values())) == len(site.devices)
    modbus = [urlsplit(a) for a in field.endpoints.values() if a.startswith("modbus-tcp://127.0.0.1:")]
    assert max(Counter(url.port for url in modbus).values()) <= PER_GATEWAY


async def test_a_limit_at_a_power_shelf_lowers_what_the_racks_pdus_show(
    field: Field, twin: Twin, site: Site
) -> None:
    advance(twin, field, START + timedelta(hours=3))
    shelf = next(d for d in site.devices if d.profile == "redfish-power-shelf")
    links = build([shelf], PROFILES, field.endpoints, 1.0)
    reader, points = links.stations[0].reader, PROFILES[shelf.profile].points
    shown = (await reader.read(slow=False)).values
    limit_w = round((shown["active_power_w"] + shown["limit_low_w"]) / 2)
    await reader.write(points["power_limit_w"], limit_w, lambda: None)
    await reader.write(points["limit_enabled_state"], 1.0, lambda: None)
    advance(twin, field, START + timedelta(hours=3, minutes=1))
    assert (await reader.read(slow=False)).values["active_power_w"] == pytest.approx(limit_w)
    pdus = [d for d in site.devices if d.subject == shelf.subject and d.profile == "xerus-pdu"]
    assert sum(twin.values(pdu)["active_power_w"] or 0.0 for pdu in pdus) == pytest.approx(limit_w)
    await links.close()


async def test_metrics_pages_answer_at_their_addresses(field: Field) -> None:
    async with httpx.AsyncClient(timeout=5, trust_env=False) as client:
        answer = await client.get(field.endpoints["gpu-a1-01"])
    assert answer.text.count("DCGM_FI_DEV_POWER_USAGE{") == 72


@pytest.mark.parametrize("product", ON_SITE)
def test_every_point_of_every_product_on_site_has_a_value(product: str, twin: Twin, site: Site) -> None:
    profile = PROFILES[product]
    device = stand_in(profile, site)
    values = Firmware(device, profile, twin, 180.0).values()
    assert [name for name in profile.points if values.get(name) is None] == []


@pytest.mark.parametrize("product", ON_SITE)
def test_every_writable_point_reads_back_as_written(product: str, twin: Twin, site: Site) -> None:
    profile = PROFILES[product]
    firmware = Firmware(stand_in(profile, site), profile, twin, 180.0)
    for name, rules in firmware.writable.items():
        value = float(round((rules.minimum + min(rules.maximum, 1e6)) / 2))
        firmware.write(name, value)
        assert firmware.values()[name] == value


def stand_in(profile: Profile, site: Site) -> Device:
    """The site's device of a kind, as if it were the given product."""
    found = next(device for device in site.devices if device.kind is profile.kind)
    return replace(found, profile=profile.name)


async def test_a_curtailed_inverter_makes_less_until_its_timer_runs_out(field: Field, twin: Twin) -> None:
    client, unit = await connect(field, "inverter-1")
    base = 40000 + 2 + 68 + 52  # SunS, models 1 and 103
    before = await power_w(client, unit)
    for offset, value in ((7, 300), (5, 1000), (9, 1)):  # RvrtTms, WMaxLimPct = 10.00 %, Ena
        assert not (await client.write_registers(base + offset, [value], device_id=unit)).isError()
    advance(twin, field, START + timedelta(seconds=60))
    assert await power_w(client, unit) <= 30_300 < before
    advance(twin, field, START + timedelta(seconds=360))
    assert await power_w(client, unit) > 0.8 * before
    enabled = await client.read_holding_registers(base + 9, count=1, device_id=unit)
    assert enabled.registers == [0]
    client.close()


async def power_w(client: AsyncModbusTcpClient, unit: int) -> float:
    read = await client.read_holding_registers(40000 + 2 + 68 + 14, count=2, device_id=unit)
    raw, factor = (r - 0x10000 if r & 0x8000 else r for r in read.registers)
    return raw * 10.0**factor


async def test_a_forced_charge_shows_at_the_battery(field: Field, twin: Twin) -> None:
    client, unit = await connect(field, "battery-1")
    storage = 40000 + 2 + 68 + 64
    for offset, value in ((15, 600), (12, -5000 & 0xFFFF), (5, 2)):  # revert, OutWRte = -50 %, mode
        assert not (await client.write_registers(storage + offset, [value], device_id=unit)).isError()
    advance(twin, field, START + timedelta(seconds=60))
    assert twin.plant.values(field.firmwares["battery-1"].device)["active_power_w"] < -200e3
    advance(twin, field, START + timedelta(seconds=720))
    assert field.firmwares["battery-1"].values()["discharge_rate_pct"] == 100
    client.close()


async def test_a_timer_acts_at_its_own_time_inside_a_long_step(field: Field, twin: Twin) -> None:
    firmware = field.firmwares["inverter-1"]
    for point, value in (("limit_revert_s", 300.0), ("limit_pct", 0.0), ("limit_enabled_state", 1.0)):
        firmware.write(point, value)
    advance(twin, field, START + timedelta(hours=1))
    made_wh = firmware.values()["energy_wh"]
    other = field.firmwares["inverter-2"].values()["energy_wh"]
    assert made_wh == pytest.approx(other * 55 / 60, rel=0.05)


async def test_a_refused_write_leaves_the_plant_alone(field: Field, twin: Twin) -> None:
    client, unit = await connect(field, "chiller-1")
    result = await client.write_register(50, 101, device_id=unit)
    assert result.exception_code == 3
    client.close()
