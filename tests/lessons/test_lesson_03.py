"""Lesson 3: wrong values right after a reconnect are discarded; sentinels are bad while they last."""

import asyncio
import struct

from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import Profile, Quality, Reason
from tests.collectors.hostile import Asked, hostile
from tests.collectors.rigs import image, run_virtually

from .polling import polling, product, registers

Writer = asyncio.StreamWriter


def test_lesson_03_what_comes_right_after_a_reconnect_is_discarded() -> None:
    async def go() -> None:
        async def nonsense_at_first(asked: Asked, writer: Writer) -> None:
            if asked.number == 4:
                writer.close()  # the link is cut
            else:
                fresh = asyncio.get_running_loop().time() - server.connected_s[-1] < 8.0
                writer.write(asked.right(0x0BAD if fresh and server.connections > 1 else 7))

        async with hostile(nonsense_at_first) as server, polling(meter, server.port) as polled:
            await asyncio.sleep(60)
        assert all(set(values) <= {"r0_w"} for values in polled.values("u1"))
        assert {values["r0_w"] for values in polled.values("u1") if values} == {7.0}
        discarded = [
            r for r in polled.of("u1") if r.flags.get("r0_w") == (Quality.BAD, Reason.AFTER_RECONNECT)
        ]
        assert discarded
        assert polled.of("u1")[-1].values == {"r0_w": 7.0}

    meter = product([0], settle_s=10.0)
    run_virtually(go(), sockets=True)


def test_lesson_03_the_first_connection_is_no_reconnect() -> None:
    async def go() -> None:
        async with hostile(registers({0: 7})) as server, polling(meter, server.port) as polled:
            await asyncio.sleep(4)
        assert polled.values("u1")[0] == {"r0_w": 7.0}

    meter = product([0], settle_s=10.0)
    run_virtually(go(), sockets=True)


def test_lesson_03_sentinels_for_forty_seconds_are_bad_quality_and_no_numbers() -> None:
    async def go(profile: Profile) -> None:
        values = dict.fromkeys(profile.points, 12.0) | {"frequency_hz": 50.0}
        good = image(profile, values)
        blank = image(profile, dict.fromkeys(profile.points))
        both = good | blank

        async def waking(asked: Asked, writer: Writer) -> None:
            awake = asyncio.get_running_loop().time() - server.connected_s[-1] > 40.0
            held = {at: (good if awake else both).get(at, 0) for at in range(39990, 40300)}
            body = struct.pack(
                f">{asked.count}H", *(held.get(asked.address + i, 0) for i in range(asked.count))
            )
            writer.write(asked.frame(bytes((asked.function, len(body))) + body))

        async with hostile(waking) as server, polling(profile, server.port) as polled:
            await asyncio.sleep(60)
        early = [r for at, r in polled.readings if at < server.connected_s[-1] + 39]
        assert len(early) >= 7
        for reading in early:
            assert not reading.values
            assert {flag[0] for flag in reading.flags.values()} == {Quality.BAD}
        assert polled.of("u1")[-1].values["active_power_w"] == 12.0

    run_virtually(go(load_profiles()["sunspec-inverter"]), sockets=True)
