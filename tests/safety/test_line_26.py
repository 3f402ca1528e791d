"""26. A clean stop gives back what was set; a restart waits until the plant has settled."""

import asyncio
from dataclasses import replace
from pathlib import Path

from igoudar.collectors import service
from igoudar.collectors.authority import Authority
from igoudar.collectors.client import CollectClient
from igoudar.collectors.results import Rejected, Success
from igoudar.core.model_writes import WriteRules
from igoudar.core.store.parquet import ParquetStore

from .plant import AUTO, PROFILES, Plant, plant


async def set_three(site: Plant) -> None:
    assert await site.write("limit_pct", 50.0) == Success(50.0)
    assert await site.write("discharge_rate_pct", -20.0, "battery") == Success(-20.0)
    assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)


def given_back(site: Plant) -> bool:
    switches = site.held("inverter", "limit_enabled_state"), site.held("battery", "storage_mode_state")
    return switches == (0.0, 0.0) and site.held("cdu", "setpoint_c") == 30.0


async def test_line_26_a_clean_stop_gives_everything_back(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await set_three(site)
        await site.renewal.stop()
        assert given_back(site)
        assert len(site.actuator.holds) == 0


async def test_line_26_so_does_the_whole_collector(tmp_path: Path) -> None:
    async with plant(tmp_path / "rig") as site:
        ready, store = asyncio.Event(), ParquetStore.open(tmp_path / "store")
        quick = replace(site.site, writes=WriteRules(settle_s=0.0))
        task = asyncio.create_task(
            service.run(quick, PROFILES, {}, site.clock, store, tmp_path, ready=ready.set)
        )
        await asyncio.wait_for(ready.wait(), 10)
        async with CollectClient(tmp_path / "collect.sock") as client, asyncio.timeout(10):
            while (await client.metrics())["collector_devices_answering"] < 4:
                await asyncio.sleep(0.02)
            await client.authority(Authority(1, "test", 60.0, AUTO, cycle=1))
            assert await client.write(site.wish("limit_pct", 50.0)) == Success(50.0)
            assert await client.write(site.wish("setpoint_c", 25.0, "cdu")) == Success(25.0)
        task.cancel()
        await asyncio.wait((task,))
        store.close()
        assert given_back(site)


async def test_line_26_losing_the_authority_gives_everything_back_at_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready(lease_s=5.0)
        await set_three(site)
        await site.pass_s(6, turn=False)
        await site.renewal.round()
        assert given_back(site)


async def test_line_26_long_after_the_authority_ended_nothing_is_written_any_more(tmp_path: Path) -> None:
    """Somebody else may have taken over: only the timers act then."""
    async with plant(tmp_path) as site:
        await site.ready(lease_s=5.0)
        await set_three(site)
        written = len(site.recorder.written)
        await site.pass_s(20, turn=False)
        await site.renewal.round()
        await site.renewal.stop()
        assert len(site.recorder.written) == written


async def test_line_26_after_a_kill_what_has_no_timer_is_given_back_by_the_next(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await set_three(site)
        await site.restart()
        site.clock.advance(400)
        await site.look()
        site.grant()
        await site.renewal.round()
        assert site.held("cdu", "setpoint_c") == 25.0  # it settles first
        assert await site.write("limit_pct", 40.0) == Rejected("settling")
        await site.ready()
        await site.renewal.round()
        assert site.held("cdu", "setpoint_c") == 30.0


async def test_line_26_what_a_person_changed_meanwhile_is_not_given_back(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await set_three(site)
        site.show("cdu", "setpoint_c", 27.0)
        await site.renewal.stop()
        assert site.held("cdu", "setpoint_c") == 27.0
