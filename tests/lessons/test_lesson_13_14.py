"""Lessons 13 and 14: nothing old is shown as new; a server that was down is met again."""

import asyncio

from igoudar.collectors.live import Live
from igoudar.core.clock import ManualClock
from igoudar.core.model import Reading, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import START, run_virtually

from .polling import polling, product, well

METER = product([0])
GOOD = {"r0_w": 7.0}


def test_lesson_13_when_the_link_is_lost_no_value_is_sent_again() -> None:
    async def go() -> None:
        async with hostile(well) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(12)
            answered = server.requests
            server.close()
            await asyncio.sleep(60)
            numbers = [values for values in polled.values("u1") if values]
            assert len(numbers) == answered
            assert not any(polled.values("u1")[answered:])
            assert len(polled.of("u1")) >= answered + 10
            assert all(reading.gap for reading in polled.of("u1")[answered:])

    run_virtually(go(), sockets=True)


def test_lesson_13_a_frozen_gateway_that_repeats_an_old_frame_gives_no_number() -> None:
    async def go() -> None:
        first: list[bytes] = []

        async def repeats(asked: Asked, writer: asyncio.StreamWriter) -> None:
            first.append(asked.right())
            writer.write(first[0])

        async with hostile(repeats) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(16)
        assert [values for values in polled.values("u1") if values] == [GOOD] * server.connections

    run_virtually(go(), sockets=True)


def test_lesson_13_no_last_good_value_is_shown_as_if_it_were_live() -> None:
    clock = ManualClock(START)
    live = Live(clock, {"m": 5.0})
    live.put(Reading(START, "m", GOOD))
    clock.advance(3600)
    assert live.snapshot().value("m", "r0_w") is None
    assert (gap := live.snapshot().readings["m"].gap) is not None
    assert gap.reason is Reason.STALE


def test_lesson_14_a_server_that_is_down_at_the_start_is_waited_for() -> None:
    async def go() -> None:
        async with hostile(well) as server:
            port = server.port
        async with polling(METER, port) as polled:
            await asyncio.sleep(120)
            assert {r.gap.reason for r in polled.of("u1") if r.gap} == {Reason.NO_CONNECTION}
            async with hostile(well, port=port):
                await asyncio.sleep(60)
            assert polled.values("u1")[-3:] == [GOOD] * 3

    run_virtually(go(), sockets=True)


def test_lesson_14_a_server_that_restarts_is_met_again_within_seconds() -> None:
    async def go() -> None:
        async with hostile(well) as server, polling(METER, server.port) as polled:
            for _ in range(5):
                await asyncio.sleep(20)
                server.close()
                await asyncio.sleep(7)
                before = len(polled.of("u1"))
                await server.again()
                await asyncio.sleep(11)
                assert GOOD in polled.values("u1")[before:]

    run_virtually(go(), sockets=True)
