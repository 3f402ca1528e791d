"""Lesson 6: one dead unit behind a gateway neither stalls nor discards the others."""

import asyncio
from itertools import pairwise

import pytest

from igoudar.core.model import Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product

UNITS = range(1, 17)
METER = product([0, 40], timeout_s=3.0)  # two requests each


def test_lesson_06_the_others_keep_their_cadence_and_their_values() -> None:
    async def go() -> None:
        async def one_dead(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.unit != 5:
                writer.write(asked.right(asked.unit))

        async with hostile(one_dead) as server, polling(METER, server.port, UNITS) as polled:
            await asyncio.sleep(120)
        assert server.connections == 1
        for unit in set(UNITS) - {5}:
            readings, times = polled.of(f"u{unit}"), polled.times(f"u{unit}")
            assert {value for r in readings for value in r.values.values()} == {float(unit)}
            assert all(reading.gap is None for reading in readings)
            assert len(readings) >= 23
            settled = [b - a for a, b in pairwise(times) if a > 12]
            assert max(settled) <= 5.0 + METER.modbus.timeout_s / 8 + 0.1
        assert {r.gap.reason for r in polled.of("u5") if r.gap} == {Reason.TIMEOUT}
        assert len(polled.of("u5")) >= 22  # its gap is told at every turn

    run_virtually(go(), sockets=True)


def test_lesson_06_a_dead_unit_costs_little_of_its_line() -> None:
    async def go() -> None:
        async def one_dead(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.unit != 5:
                writer.write(asked.right())

        async with hostile(one_dead) as server, polling(METER, server.port, UNITS) as polled:
            await asyncio.sleep(120)
        assert polled.tally.overruns <= 1
        asked = [at for at, unit, *_ in server.asked if unit == 5]
        assert 5 <= len(asked) <= 16  # rested, never given up

    run_virtually(go(), sockets=True)


def test_lesson_06_it_is_back_within_a_rest_once_it_answers() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def recovers(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.unit != 5 or loop.time() > 60:
                writer.write(asked.right())

        async with hostile(recovers) as server, polling(METER, server.port, UNITS) as polled:
            await asyncio.sleep(120)
        back = next(at for at, r in polled.readings if r.device == "u5" and r.gap is None)
        assert back < 60 + 25
        assert all(r.gap is None for at, r in polled.readings if at > back)

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize("pace_s", [1.0, 2.5])
def test_lesson_06_a_slow_unit_that_was_silent_gets_its_time_again(pace_s: float) -> None:
    """The shortened timeout must not keep a slow unit out for ever: its late answer proves that it lives."""

    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def slow(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.unit != 5:
                writer.write(asked.right())
            elif loop.time() > 30:
                loop.call_later(pace_s, writer.write, asked.right())

        async with hostile(slow) as server, polling(METER, server.port, (1, 5)) as polled:
            await asyncio.sleep(150)
        assert server.connections <= 2
        assert [r.gap for r in polled.of("u5")[-3:]] == [None] * 3

    run_virtually(go(), sockets=True)


def test_lesson_06_many_dead_units_do_not_cut_the_line() -> None:
    async def go() -> None:
        async def mostly_dead(asked: Asked, writer: asyncio.StreamWriter) -> None:
            if asked.unit > 12:
                writer.write(asked.right())

        async with hostile(mostly_dead) as server, polling(METER, server.port, UNITS) as polled:
            await asyncio.sleep(200)
        assert server.connections <= 5  # they died at once, which looks like a dead line
        late = [at for at in server.connected_s if at > 60]
        assert not late
        for unit in (13, 14, 15, 16):
            readings = [r for at, r in polled.readings if r.device == f"u{unit}" and at > 60]
            assert len(readings) >= 24
            assert all(reading.gap is None for reading in readings)

    run_virtually(go(), sockets=True)


def test_lesson_06_a_gateway_that_names_the_dead_unit_is_believed() -> None:
    async def go() -> None:
        async def names_it(asked: Asked, writer: asyncio.StreamWriter) -> None:
            writer.write(asked.frame(b"\x83\x0b") if asked.unit == 5 else asked.right())

        async with hostile(names_it) as server, polling(METER, server.port, (4, 5)) as polled:
            await asyncio.sleep(60)
        assert {r.gap.reason for r in polled.of("u5") if r.gap} == {Reason.TIMEOUT}
        assert all(r.gap is None for r in polled.of("u4"))
        assert server.connections == 1

    run_virtually(go(), sockets=True)
