"""Devices that answer sound frames of garbage: gaps and qualities, never an exception, never nonsense."""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable

import pytest

from igoudar.collectors import codec
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.poll import Station, Tally, read_once
from igoudar.collectors.profiles import load_profiles
from igoudar.core.clock import ManualClock
from igoudar.core.model import Profile, Quality, Reading

from .hostile import Asked, hostile
from .rigs import START, device

PROFILES = {name: p for name, p in load_profiles().items() if p.protocol == "modbus"}
QUICK = [name for name, p in PROFILES.items() if not (p.modbus.connect_pause_s or p.modbus.sunspec_base)]
POLLS = 15


def garbage(seed: int) -> Callable[[Asked, asyncio.StreamWriter], Awaitable[None]]:
    """Registers of noise, of one repeated byte, or a refusal."""
    chance = random.Random(seed)  # noqa: S311 - the same noise in every run

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        kind = chance.random()
        if kind < 0.1:
            code = chance.choice((1, 2, 3, 4, 5, 6, 10, 11, 99))
            return writer.write(asked.frame(bytes((asked.function | 0x80, code))))
        size = 2 * asked.count
        data = chance.randbytes(size) if kind < 0.7 else bytes((chance.choice((0, 0x7F, 0x80, 0xFF)),)) * size
        return writer.write(asked.frame(bytes((asked.function, size)) + data))

    return answer


@pytest.mark.parametrize("name", sorted(QUICK))
async def test_garbage_in_every_register_never_ends_a_poll_nor_becomes_nonsense(name: str) -> None:
    profile, tally, clock = PROFILES[name], Tally(), ManualClock(START)
    async with hostile(garbage(len(name))) as server:
        link = ModbusLink(Tcp("127.0.0.1", server.port), profile.modbus)
        station = Station(device("d", profile), profile, ModbusReader(profile, link, 1))
        readings = [await read_once(station, clock, tally) for _ in range(POLLS)]
        link.release()
    assert tally.surprises == 0
    assert any(reading.gap is None for reading in readings)
    assert all(sound(profile, reading) for reading in readings)


def sound(profile: Profile, reading: Reading) -> bool:
    bad = {name for name, (quality, _) in reading.flags.items() if quality is Quality.BAD}
    limits = {name: codec.limits(profile.points[name]) for name in reading.values}
    return not bad & set(reading.values) and all(
        math.isfinite(value) and limits[name][0] <= value <= limits[name][1]
        for name, value in reading.values.items()
    )
