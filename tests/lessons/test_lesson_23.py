"""23. Start-up and shutdown writes do not race; a restart overwrites no limit; a black-out ends gently."""

import asyncio
from pathlib import Path

from igoudar.collectors.results import Partial, Rejected
from tests.collectors.rigs import until
from tests.safety.plant import plant
from tests.safety.recorder import Telegram


async def test_lesson_23_the_writes_of_a_stop_wait_for_the_one_on_its_way(tmp_path: Path) -> None:
    """evcc#31634: the setpoint of a command and the giving back of a stop went out interleaved."""
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 80.0)
        await site.pass_s(10)
        gate = asyncio.Event()

        async def slow(telegram: Telegram) -> None:
            if telegram.writes:
                await gate.wait()

        site.recorder.before_answer = slow
        before = len(site.recorder.written)
        writing = asyncio.create_task(site.write("limit_pct", 50.0))
        await until(lambda: len(site.recorder.written) > before)
        stopping = asyncio.create_task(site.renewal.stop())
        await until(lambda: site.gate.stopping)
        gate.set()
        assert await writing == Rejected("stopping")
        await stopping
        assert await site.write("limit_pct", 70.0) == Rejected("stopping")
        assert site.wrote[before:] == [("limit_revert_s", 60.0), ("limit_enabled_state", 0.0)]
        assert len(site.actuator.holds) == 0


async def test_lesson_23_a_restart_overwrites_no_limit(tmp_path: Path) -> None:
    """evcc#31187: a restart wrote its default over a limit that somebody had set."""
    async with plant(tmp_path) as site:
        site.show("inverter", "limit_pct", 30.0)
        site.show("inverter", "limit_enabled_state", 1.0)
        for _ in range(3):
            await site.ready()
            await site.renewal.round()
            await site.restart()
        assert not site.recorder.written
        assert site.held("inverter", "limit_pct") == 30.0


async def test_lesson_23_after_a_black_out_nothing_is_lifted_until_it_was_looked_at(tmp_path: Path) -> None:
    """evcc#8018: the load came back at full power before anybody had read the meter."""
    async with plant(tmp_path) as site:
        site.show("cdu", "setpoint_c", 22.0)
        site.grant()
        assert await site.write("setpoint_c", 40.0, "cdu") == Rejected("settling")
        await site.look()
        assert await site.write("setpoint_c", 40.0, "cdu") == Rejected("settling")
        assert not site.recorder.written


async def test_lesson_23_two_commands_for_one_device_follow_each_other(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        results = await asyncio.gather(
            site.write("discharge_rate_pct", 40.0, "battery"),
            site.write("charge_rate_pct", -40.0, "battery"),
        )
        assert not any(isinstance(result, Partial) for result in results)
        assert [point for point, _ in site.wrote] == [
            "rate_revert_s",
            "discharge_rate_pct",
            "storage_mode_state",
            "rate_revert_s",
            "charge_rate_pct",
            "storage_mode_state",
        ]
        assert site.held("battery", "storage_mode_state") == 3.0
