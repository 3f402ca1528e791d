"""Lessons 8 and 9: pauses where the profile says so; a device with one client gets its socket back."""

import asyncio
from itertools import pairwise

from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import run_virtually

from .polling import polling, product, well

Writer = asyncio.StreamWriter
SLACK_S = 1e-6


def test_lesson_08_a_pause_after_connecting_and_between_requests() -> None:
    async def go() -> None:
        meter = product([0, 40, 80], pause_s=0.025, connect_pause_s=1.0)
        async with hostile(well) as server, polling(meter, server.port, (1, 2, 3)) as polled:
            await asyncio.sleep(30)
        asked = [at for at, *_ in server.asked]
        assert asked[0] - server.connected_s[0] >= 1.0 - SLACK_S
        assert min(b - a for a, b in pairwise(asked)) >= 0.025 - SLACK_S
        assert all(len(values) == 3 for unit in (1, 2, 3) for values in polled.values(f"u{unit}"))

    run_virtually(go(), sockets=True)


def test_lesson_08_a_pause_holds_for_a_device_that_takes_several_requests_too() -> None:
    async def go() -> None:
        meter = product([0, 40, 80], pause_s=0.025, in_flight=4)
        async with hostile(well) as server, polling(meter, server.port, (1, 2)):
            await asyncio.sleep(12)
        assert min(b - a for a, b in pairwise(at for at, *_ in server.asked)) >= 0.025 - SLACK_S

    run_virtually(go(), sockets=True)


def test_lesson_08_only_as_many_requests_are_in_flight_as_the_profile_allows() -> None:
    async def go(allowed: int) -> int:
        open_now = most = 0

        async def slowly(asked: Asked, writer: Writer) -> None:
            nonlocal open_now, most
            open_now += 1
            most = max(most, open_now)
            loop.call_later(0.2, answer, asked, writer)

        def answer(asked: Asked, writer: Writer) -> None:
            nonlocal open_now
            open_now -= 1
            writer.write(asked.right())

        loop = asyncio.get_running_loop()
        meter = product(range(0, 320, 40), in_flight=allowed)
        async with hostile(slowly) as server, polling(meter, server.port) as polled:
            await asyncio.sleep(12)
        assert all(len(values) == 8 for values in polled.values("u1"))
        return most

    assert run_virtually(go(1), sockets=True) == 1
    assert run_virtually(go(4), sockets=True) == 4


def test_lesson_09_the_socket_of_a_single_client_device_is_released_between_cycles() -> None:
    async def go() -> None:
        meter = product([0, 40], single_client=True)
        async with hostile(well) as server, polling(meter, server.port) as polled:
            for _ in range(5):
                await asyncio.sleep(5)
                assert server.open == 0
        assert server.most_open == 1
        assert server.connections == len(polled.of("u1"))
        assert all(values == {"r0_w": 7.0, "r40_w": 7.0} for values in polled.values("u1"))

    run_virtually(go(), sockets=True)


def test_lesson_09_units_behind_one_socket_share_it_and_none_pulls_it_from_under_another() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def slowly(asked: Asked, writer: Writer) -> None:
            loop.call_later(0.4, writer.write, asked.right())

        meter = product([0, 40], single_client=True)
        async with hostile(slowly) as server, polling(meter, server.port, range(1, 7)) as polled:
            await asyncio.sleep(60)
        assert server.most_open == 1
        for unit in range(1, 7):
            assert polled.of(f"u{unit}")
            assert all(reading.gap is None for reading in polled.of(f"u{unit}"))

    run_virtually(go(), sockets=True)
