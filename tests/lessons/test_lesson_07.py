"""Lesson 7: a busy device is asked again and never recorded as 0; each exception has its answer."""

import asyncio

import pytest

from igoudar.core.model import Quality, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product

METER = product([0, 40])
Writer = asyncio.StreamWriter


def test_lesson_07_busy_now_and_then_costs_nothing() -> None:
    async def go() -> None:
        async def every_second(asked: Asked, writer: Writer) -> None:
            writer.write(asked.frame(b"\x83\x06") if asked.number % 2 else asked.right())

        async with hostile(every_second) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(30)
        assert len(polled.values("u1")) >= 6
        assert all(values == {"r0_w": 7.0, "r40_w": 7.0} for values in polled.values("u1"))

    run_virtually(go(), sockets=True)


def test_lesson_07_busy_for_ever_is_a_gap_and_never_0() -> None:
    async def go() -> None:
        async def busy(asked: Asked, writer: Writer) -> None:
            writer.write(asked.frame(b"\x83\x06"))

        async with hostile(busy) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(30)
        assert {(r.gap.reason if r.gap else None, *r.values) for r in polled.of("u1")} == {(Reason.BUSY,)}
        assert server.connections == 1

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize("code", [1, 2, 3, 4, 8])
def test_lesson_07_registers_that_are_refused_cost_only_themselves(code: int) -> None:
    async def go() -> None:
        async def half(asked: Asked, writer: Writer) -> None:
            writer.write(asked.frame(bytes((0x83, code))) if asked.address else asked.right())

        async with hostile(half) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(30)
        for reading in polled.of("u1"):
            assert reading.values == {"r0_w": 7.0}
            assert reading.flags["r40_w"] == (Quality.BAD, Reason.EXCEPTION)
        assert server.connections == 1

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize(
    ("code", "reason"),
    [(1, Reason.EXCEPTION), (2, Reason.EXCEPTION), (3, Reason.EXCEPTION), (4, Reason.EXCEPTION),
     (5, Reason.BUSY), (6, Reason.BUSY), (10, Reason.NO_CONNECTION), (11, Reason.TIMEOUT)],
)  # fmt: skip
def test_lesson_07_each_exception_to_everything_is_a_gap_with_its_reason(code: int, reason: Reason) -> None:
    async def go() -> None:
        async def refuse(asked: Asked, writer: Writer) -> None:
            writer.write(asked.frame(bytes((0x83, code))))

        async with hostile(refuse) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(30)
        assert len(polled.of("u1")) >= 6
        assert {r.gap.reason for r in polled.of("u1") if r.gap} == {reason}
        assert not any(polled.values("u1"))

    run_virtually(go(), sockets=True)
