"""The load simulator on its loopback hosts, and every fault as the bytes that a client sees."""

import asyncio
import json
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from igoudar.core.errors import ConfigError
from igoudar.simulators.load import LoadField

SPANS = [(0, 50), (1000, 50)]


@pytest.fixture
async def field() -> AsyncIterator[LoadField]:
    async with LoadField(gateways=3, units=2, spans=SPANS) as field:
        yield field


def request(address: int, count: int, unit: int = 1, transaction: int = 7) -> bytes:
    return struct.pack(">HHHBBHH", transaction, 0, 6, unit, 3, address, count)


Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def client(field: LoadField, unit: str) -> AsyncIterator[Client]:
    place = urlsplit(field.endpoints[unit])
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def asked(field: LoadField, asking: bytes, unit: str = "unit-00000") -> bytes:
    """The one frame that came for a request; nothing when the server stays silent or closes."""
    async with client(field, unit) as (reader, writer):
        writer.write(asking)
        try:
            async with asyncio.timeout(0.3):
                head = await reader.readexactly(6)
                return head + await reader.readexactly(int.from_bytes(head[4:]))
        except (TimeoutError, EOFError, ConnectionError):
            return b""


async def test_every_unit_answers_at_its_own_gateway(field: LoadField) -> None:
    assert len({urlsplit(url).hostname for url in field.endpoints.values()}) == 3
    for number, (name, url) in enumerate(field.endpoints.items()):
        got = await asked(field, request(1000, 50, unit=int(url[-1])), name)
        assert struct.unpack(">25f", got[9:]) == pytest.approx(field.values[number][25:], rel=0.05)


async def test_registers_that_are_not_there_are_exception_2(field: LoadField) -> None:
    assert (await asked(field, request(40, 20)))[7:] == b"\x83\x02"


async def test_a_unit_that_is_not_there_is_exception_11(field: LoadField) -> None:
    assert (await asked(field, request(0, 2, unit=9)))[7:] == b"\x83\x0b"


async def test_values_move(field: LoadField) -> None:
    before = field.values.copy()
    field.stir()
    assert (field.values != before).mean() > 0.99


async def test_registers_can_be_written(field: LoadField) -> None:
    got = await asked(field, struct.pack(">HHHBBHHBHH", 1, 0, 11, 1, 16, 0, 2, 4, 1, 2))
    assert got[7:] == struct.pack(">BHH", 16, 0, 2)


RIGHT = b"\0\x07\0\0\0\x07\x01\x03\x04"


@pytest.mark.parametrize(
    ("fault", "starts"),
    [
        ("dead", b""),
        ("hang_up", b""),
        ("busy", b"\0\x07\0\0\0\x03\x01\x83\x06"),
        ("exception:10", b"\0\x07\0\0\0\x03\x01\x83\x0a"),
        ("wrong_unit", b"\0\x07\0\0\0\x07\x02\x03\x04"),
        ("wrong_transaction:5", b"\0\x0c\0\0\0\x07\x01\x03\x04"),
        ("wrong_function", b"\0\x07\0\0\0\x07\x01\x04\x04"),
        ("wrong_length:1", b"\0\x07\0\0\0\x05\x01\x03\x02"),
        ("garbage", b"\0\x07\0\0\0\x05\x01\x03\xfa\xde\xad"),
        ("split:2", RIGHT),
        ("slow:0.01", RIGHT),
        ("late:0.01", RIGHT),
        ("frozen", RIGHT),
        ("one_client", RIGHT),
        ("sentinel:0x8000", RIGHT + b"\x80\0\x80\0"),
        ("unsettled:9", RIGHT + b"\xff\xff\xff\xff"),
        ("unsettled:0", RIGHT),
        ("zero", RIGHT + b"\0\0\0\0"),
        ("hurried:9", b""),
        ("hurried:0", RIGHT),
        ("narrow:1", b"\0\x07\0\0\0\x03\x01\x83\x03"),
        ("narrow:2", RIGHT),
        ("hole:1", b"\0\x07\0\0\0\x03\x01\x83\x02"),
        ("hole:2", RIGHT),
    ],
)
async def test_each_fault_shows_on_the_wire_of_its_unit_only(
    field: LoadField, fault: str, starts: bytes
) -> None:
    field.faults.set("unit-00000", fault)
    got = await asked(field, request(0, 2))
    assert got.startswith(starts)
    assert bool(got) == bool(starts)
    assert (await asked(field, request(0, 2, unit=2), "unit-00001")).startswith(
        b"\0\x07\0\0\0\x07\x02\x03\x04"
    )


async def test_a_merged_answer_comes_twice_in_one_piece(field: LoadField) -> None:
    field.faults.set("unit-00000", "merged")
    async with client(field, "unit-00000") as (reader, writer):
        writer.write(request(0, 2))
        got = await reader.readexactly(26)
    assert got[:13] == got[13:]


async def test_a_frozen_unit_repeats_itself(field: LoadField) -> None:
    field.faults.set("unit-00000", "frozen")
    async with client(field, "unit-00000") as (reader, writer):
        seen = set()
        for _ in range(3):
            writer.write(request(0, 2))
            seen.add(await reader.readexactly(13))
            field.stir()
    assert len(seen) == 1


async def test_a_device_for_one_client_hangs_up_on_the_second(field: LoadField) -> None:
    field.faults.set("unit-00000", "one_client")
    async with client(field, "unit-00000") as (reader, writer):
        writer.write(request(0, 2))
        assert (await reader.readexactly(13)).startswith(RIGHT)
        assert await asked(field, request(0, 2)) == b""


async def test_as_a_process_it_takes_faults_by_line() -> None:
    words = ("-m", "igoudar.simulators.load", "--gateways", "2", "--units", "1", "--span", "0:10")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdout
    assert process.stderr
    assert process.stdin
    endpoints = json.loads(await process.stdout.readline())
    process.stdin.write(b"unit-00000 sleepy\n")
    assert b"unknown fault" in await process.stderr.readline()
    assert list(endpoints) == ["unit-00000", "unit-00001"]
    process.stdin.close()
    assert await process.wait() == 0


def test_more_units_than_ids_are_refused() -> None:
    with pytest.raises(ConfigError):
        LoadField(gateways=1, units=248, spans=SPANS)
