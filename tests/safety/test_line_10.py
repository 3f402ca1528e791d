"""10. Every command carries an expiry; a late command is dropped, even when it became late on its way."""

import asyncio
from datetime import timedelta
from pathlib import Path

from igoudar.collectors.results import Partial, Rejected, Success
from tests.collectors.rigs import START, until

from .plant import plant
from .recorder import Telegram


async def test_line_10_a_late_command_is_dropped(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        for at in (START, START - timedelta(days=1)):
            assert await site.write("limit_pct", 50.0, expires_at=at) == Rejected("expired")
        assert not site.recorder.written


async def test_line_10_a_command_that_waits_for_its_turn_may_become_late(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        gate = asyncio.Event()

        async def slow(telegram: Telegram) -> None:
            if telegram.writes:
                await gate.wait()

        site.recorder.before_answer = slow
        first = asyncio.create_task(site.write("limit_pct", 50.0))
        await until(lambda: site.recorder.written)
        second = asyncio.create_task(site.write("limit_pct", 40.0, life_s=5.0))
        await asyncio.sleep(0)
        site.clock.advance(6.0)
        gate.set()
        assert await first == Success(50.0)
        assert await second == Rejected("expired")
        assert ("limit_pct", 40.0) not in site.wrote


async def test_line_10_the_end_is_looked_at_once_more_before_each_telegram(tmp_path: Path) -> None:
    """The clock passes the command's end while the device is read, and again between value and switch."""
    async with plant(tmp_path) as site:
        await site.ready()
        _, limit = site.place("inverter", "limit_pct")

        async def late(telegram: Telegram) -> None:
            if telegram.address == limit:
                site.clock.advance(10.0)

        site.recorder.before_answer = late
        assert await site.write("limit_pct", 50.0, life_s=5.0) == Rejected("expired")
        assert not site.recorder.written
        result = await site.write("limit_pct", 50.0, life_s=25.0)
        assert result == Partial(50.0, "expired")
        assert [point for point, _ in site.wrote] == ["limit_revert_s", "limit_pct"]


async def test_line_10_what_stands_is_given_back_when_its_command_ends(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0, life_s=25.0)
        await site.write("setpoint_c", 25.0, "cdu", life_s=25.0)
        for _ in range(3):
            await site.pass_s(10)
            await site.renewal.round()
        assert site.held("inverter", "limit_enabled_state") == 0.0
        assert site.held("cdu", "setpoint_c") == 30.0
        assert len(site.actuator.holds) == 0
