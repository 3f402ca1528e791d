"""Modbus RTU over a pair of pseudo-terminals, a peer's server at the other end."""

import asyncio
import os
import pty
import tty
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import SimDevice

from igoudar.collectors.endpoints import parse_address
from igoudar.collectors.faults import Backoff, DeviceFault, LinkFault
from igoudar.collectors.links import build
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_rtu import Serial, parse_serial
from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import ModbusRules, Reason

from .rigs import _blocks, device, image

METER = load_profiles()["schneider-iem3000"]
WORDS = image(METER, {"active_power_w": 5000.0, "frequency_hz": 50.0, "active_energy_import_wh": 7.0})


@asynccontextmanager
async def wire() -> AsyncIterator[tuple[str, str]]:
    """Two serial ports, each the other's far end: bytes written to one are read from the other."""
    loop = asyncio.get_running_loop()
    ends = [pty.openpty() for _ in range(2)]
    masters = [master for master, _ in ends]
    for master, slave in ends:
        tty.setraw(master)
        tty.setraw(slave)
        os.set_blocking(master, False)
    for here, there in (masters, masters[::-1]):
        loop.add_reader(here, lambda a=here, b=there: os.write(b, os.read(a, 4096)))
    try:
        yield os.ttyname(ends[0][1]), os.ttyname(ends[1][1])
    finally:
        for master, slave in ends:
            loop.remove_reader(master)
            os.close(master)
            os.close(slave)


@asynccontextmanager
async def bus(units: Mapping[int, Mapping[int, int]]) -> AsyncIterator[str]:
    """A peer's RTU server; a unit without registers is silent. Gives the port at our end."""

    def heard(sending: bool, data: bytes) -> bytes:
        return b"" if sending and not units[data[0]] else data

    devices = [SimDevice(unit, simdata=_blocks(words)) for unit, words in units.items() if words]
    async with wire() as (ours, theirs):
        server = ModbusSerialServer(
            devices, port=theirs, baudrate=115200, ignore_missing_devices=True, trace_packet=heard
        )
        await server.serve_forever(background=True)
        try:
            yield ours
        finally:
            await server.shutdown()


def link_to(port: str, timeout_s: float = 2.0) -> ModbusLink:
    rules = ModbusRules(timeout_s=timeout_s)
    return ModbusLink(Serial(port, 115200, "N", 1), rules, Backoff(0.0, jitter=lambda: 0.0))


async def test_a_peers_rtu_server_is_read_to_the_value() -> None:
    async with bus({3: WORDS, 9: WORDS}) as port:
        address = f"modbus-rtu://{port}?baud=115200&parity=N"
        devices = [device(f"m{unit}", METER, f"{address}/{unit}") for unit in (3, 9)]
        links = build(devices, {METER.name: METER}, {}, 1.0)
        assert len(links.modbus) == 1  # one bus, one line
        for station in links.stations:
            values, _, _ = await station.reader.read(slow=True)
            assert values["active_power_w"] == 5000.0
            assert values["active_energy_import_wh"] == 7.0
        await links.close()


async def test_a_write_arrives_and_a_refusal_keeps_its_code() -> None:
    async with bus({3: WORDS}) as port:
        link = link_to(port)
        await link.write(3, 3059, b"\0\1\0\2", lambda: None)
        assert await link.read(3, 3, 3059, 2) == b"\0\1\0\2"
        with pytest.raises(DeviceFault) as caught:
            await link.read(3, 3, 9000, 2)
        assert caught.value.code == 2
        link.release()


async def test_lesson_06_a_unit_that_is_not_on_the_bus_costs_the_others_nothing() -> None:
    async with bus({3: WORDS, 5: {}}) as port:
        link = link_to(port, timeout_s=0.3)
        with pytest.raises(LinkFault) as caught:
            await link.read(5, 3, 0, 1)
        assert caught.value.reason is Reason.TIMEOUT
        link.rules = ModbusRules(timeout_s=5.0)
        assert await link.read(3, 3, 3109, 1)
        link.release()


async def test_lesson_01_an_answer_that_is_too_late_is_not_taken_for_the_next() -> None:
    """A serial frame has no transaction id: after a silence its unit is asked nothing for a while."""
    async with wire() as (ours, theirs):
        link = link_to(ours, timeout_s=0.2)
        with pytest.raises(LinkFault, match="no answer in time"):
            await link.read(3, 3, 0, 1)
        far = os.open(theirs, os.O_RDWR | os.O_NOCTTY)
        os.write(far, bytes.fromhex("030302dead5d59"))
        with pytest.raises(LinkFault, match="too soon"):
            await link.read(3, 3, 0, 1)
        os.close(far)
        link.release()


@pytest.mark.parametrize("noise", [b"\xff" * 40, bytes.fromhex("0303020007c1"), b"\x03\x03\xfa" + bytes(9)])
async def test_lesson_16_noise_on_the_line_is_never_data(noise: bytes) -> None:
    async with wire() as (ours, theirs):
        far = os.open(theirs, os.O_RDWR | os.O_NOCTTY)
        link = link_to(ours, timeout_s=0.3)
        reading = asyncio.create_task(link.read(3, 3, 0, 1))
        loop, asked = asyncio.get_running_loop(), asyncio.Event()
        os.set_blocking(far, False)
        loop.add_reader(far, asked.set)
        await asyncio.wait_for(asked.wait(), 5)
        loop.remove_reader(far)
        os.write(far, noise)
        with pytest.raises(LinkFault) as caught:
            await reading
        assert caught.value.reason in (Reason.TIMEOUT, Reason.MALFORMED)
        os.close(far)
        link.release()


async def test_a_port_that_is_not_there_is_a_fault() -> None:
    link = link_to("/dev/no-such-port")
    with pytest.raises(LinkFault) as caught:
        await link.read(1, 3, 0, 1)
    assert caught.value.reason is Reason.NO_CONNECTION


def test_an_address_names_port_settings_and_unit() -> None:
    address = parse_address("m", "modbus-rtu:///dev/ttyUSB0?baud=9600&parity=N&stop=2/17")
    assert parse_serial("m", address.host, address.query) == Serial("/dev/ttyUSB0", 9600, "N", 2)
    assert (address.path, address.server) == ("17", "modbus-rtu:///dev/ttyUSB0")
    plain = parse_address("m", "modbus-rtu:///dev/pts/3/1")
    assert parse_serial("m", plain.host, plain.query) == Serial("/dev/pts/3", 19200, "E", 1)


@pytest.mark.parametrize("query", ["baud=fast", "parity=X", "stop=3", "bauds=9600", "baud=0"])
def test_impossible_settings_are_refused(query: str) -> None:
    with pytest.raises(ConfigError, match="no serial port"):
        parse_serial("m", "/dev/ttyUSB0", query)


def test_one_port_has_one_setting() -> None:
    devices = [device(f"m{b}", METER, f"modbus-rtu:///dev/ttyS0?baud={b}/{b % 7}") for b in (9600, 19200)]
    with pytest.raises(ConfigError, match="several settings"):
        build(devices, {METER.name: METER}, {}, 1.0)
