"""Lessons 1 and 2: late replies and transaction ids that do not fit."""

import asyncio
import struct

from igoudar.core.model import Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product

METER = product([0, 40], timeout_s=1.0)
Writer = asyncio.StreamWriter


def test_lesson_01_every_answer_comes_one_timeout_too_late_and_none_is_taken() -> None:
    """Each request is answered when the next has been sent, with the next one's length."""

    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def late(asked: Asked, writer: Writer) -> None:
            loop.call_later(1.5, _write, writer, asked.right(0xDEAD))

        async with hostile(late) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(60)
        assert not any(polled.values("u1"))
        assert {r.gap.reason for r in polled.of("u1") if r.gap} <= {
            Reason.TIMEOUT,
            Reason.MALFORMED,
            Reason.NO_CONNECTION,
        }

    run_virtually(go(), sockets=True)


def test_lesson_02_a_transaction_id_that_stays_off_by_one_ends_in_a_reconnect() -> None:
    async def go() -> None:
        async def off_by_one(asked: Asked, writer: Writer) -> None:
            right = asked.right()
            off = struct.pack(">H", asked.transaction + 1) + right[2:]
            writer.write(off if server.connections == 1 else right)

        async with hostile(off_by_one) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(60)
        assert server.connections == 2
        assert all(value in ({}, {"r0_w": 7.0, "r40_w": 7.0}) for value in polled.values("u1"))
        assert all(polled.values("u1")[-3:])

    run_virtually(go(), sockets=True)


def test_lesson_02_an_id_of_zero_for_ever_is_a_gap_and_never_silence() -> None:
    async def go() -> None:
        async def zero(asked: Asked, writer: Writer) -> None:
            writer.write(b"\0\0" + asked.right()[2:])

        async with hostile(zero) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(120)
        assert server.connections >= 3
        assert len(polled.of("u1")) >= 20
        assert all(reading.gap is not None for reading in polled.of("u1"))

    run_virtually(go(), sockets=True)


def _write(writer: Writer, data: bytes) -> None:
    if not writer.is_closing():
        writer.write(data)
