"""Lesson 16: bad quality keeps the cadence; half-open connections, garbage, split and merged frames."""

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igoudar.core.model import Quality, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product

METER = product([0, 40])
BOTH = {"r0_w": 7.0, "r40_w": 7.0}
Writer = asyncio.StreamWriter


def test_lesson_16_bad_quality_keeps_the_cadence() -> None:
    async def go() -> None:
        async def refuses_half(asked: Asked, writer: Writer) -> None:
            writer.write(asked.frame(b"\x83\x04") if asked.address else asked.right())

        async with hostile(refuses_half) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(60)
        times = polled.times("u1")
        assert all(b - a == pytest.approx(5.0, abs=0.1) for a, b in pairwise(times))
        assert all(r.flags == {"r40_w": (Quality.BAD, Reason.EXCEPTION)} for r in polled.of("u1"))

    run_virtually(go(), sockets=True)


def test_lesson_16_a_half_open_connection_is_found_and_replaced() -> None:
    """The peer is gone without a word: what is sent goes nowhere, and no error comes back."""

    async def go() -> None:
        async def falls_silent(asked: Asked, writer: Writer) -> None:
            if asked.number <= 6 or server.connections > 1:
                writer.write(asked.right())

        async with hostile(falls_silent) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(90)
        assert server.connections == 2
        assert polled.values("u1")[-3:] == [BOTH] * 3

    run_virtually(go(), sockets=True)


def test_lesson_16_frames_split_and_merged_at_any_byte_are_read_right() -> None:
    async def go() -> None:
        async def byte_by_byte(asked: Asked, writer: Writer) -> None:
            for byte in asked.right():
                writer.write(bytes((byte,)))
                await writer.drain()

        meter = product([0, 40], in_flight=2)
        async with hostile(byte_by_byte) as server, polling(meter, server.port) as polled:
            await asyncio.sleep(20)
        assert all(values == BOTH for values in polled.values("u1"))
        assert server.connections == 1

    run_virtually(go(), sockets=True)


def test_lesson_16_two_answers_in_one_packet_are_both_taken() -> None:
    async def go() -> None:
        held: list[bytes] = []

        async def two_at_once(asked: Asked, writer: Writer) -> None:
            held.append(asked.right())
            if len(held) == 2:
                writer.write(b"".join(reversed(held)))
                held.clear()

        meter = product([0, 40], in_flight=2)
        async with hostile(two_at_once) as server, polling(meter, server.port) as polled:
            await asyncio.sleep(20)
        assert all(values == BOTH for values in polled.values("u1"))
        assert server.connections == 1

    run_virtually(go(), sockets=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=6))
def test_lesson_16_whatever_bytes_come_no_number_and_no_exception_comes_of_them(noise: list[bytes]) -> None:
    async def go() -> None:
        async def garbage(asked: Asked, writer: Writer) -> None:
            writer.write(noise[asked.number % len(noise)])

        async with hostile(garbage) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(30)
        assert polled.tally.surprises == 0
        assert not any(polled.values("u1"))
        assert polled.of("u1")

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize(
    "lie",
    [
        lambda a: a.frame(b"\3\2\0\7", unit=a.unit + 1),
        lambda a: a.frame(b"\3\4\0\7\0\7"),
        lambda a: a.frame(b"\3\2\0"),
        lambda a: a.frame(b"\4\2\0\7"),
        lambda a: a.frame(b"\3"),
    ],
    ids=["another unit", "too long", "too short", "another function", "nothing"],
)
def test_lesson_16_a_wrong_frame_is_a_gap_and_the_next_right_one_counts(lie: object) -> None:
    async def go() -> None:
        async def lies_at_first(asked: Asked, writer: Writer) -> None:
            writer.write(lie(asked) if asked.number <= 3 else asked.right())  # type: ignore[operator]

        async with hostile(lies_at_first) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(90)
        gaps = {r.gap.reason for r in polled.of("u1") if r.gap}
        assert gaps
        assert gaps <= {Reason.MALFORMED, Reason.TIMEOUT, Reason.NO_CONNECTION}
        assert polled.values("u1")[-1] == BOTH

    run_virtually(go(), sockets=True)
