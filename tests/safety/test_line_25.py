"""25. Start-up reads the plant first and never pushes defaults."""

import asyncio
from pathlib import Path

from igoudar.collectors import service
from igoudar.collectors.client import CollectClient
from igoudar.collectors.results import Rejected, Success
from igoudar.core.store.parquet import ParquetStore

from .plant import PROFILES, SETTLE_S, plant


async def test_line_25_a_start_reads_and_writes_nothing(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("inverter", "limit_pct", 40.0)
        site.show("inverter", "limit_enabled_state", 1.0)
        for _ in range(2):
            await site.ready()
            for _ in range(5):
                await site.pass_s(5)
                await site.renewal.round()
            await site.restart()
        assert len(site.recorder.telegrams) > 20
        assert not site.recorder.written
        assert site.held("inverter", "limit_pct") == 40.0


async def test_line_25_nothing_is_written_before_the_plant_was_read(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.wait(100)
        site.grant()
        assert await site.write("limit_pct", 50.0) == Rejected("no_telemetry")
        await site.look()
        assert await site.write("limit_pct", 50.0) == Success(50.0)


async def test_line_25_nothing_is_written_before_it_has_settled(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.look()
        site.grant()
        assert await site.write("limit_pct", 50.0) == Rejected("settling")
        site.wait(SETTLE_S - 0.01)
        assert await site.write("limit_pct", 50.0) == Rejected("settling")
        assert not site.recorder.written
        site.wait(0.02)
        assert await site.write("limit_pct", 50.0) == Success(50.0)


async def test_line_25_the_whole_collector_starts_with_reads_only(tmp_path: Path) -> None:
    """The real process part, on its own clock, from its start to its end, without any control."""
    async with plant(tmp_path / "rig") as site:
        ready, store = asyncio.Event(), ParquetStore.open(tmp_path / "store")
        work = service.run(site.site, PROFILES, {}, site.clock, store, tmp_path, ready=ready.set)
        task = asyncio.create_task(work)
        await asyncio.wait_for(ready.wait(), 10)
        async with CollectClient(tmp_path / "collect.sock") as client, asyncio.timeout(10):
            while (await client.metrics())["collector_devices_answering"] < 4:
                await asyncio.sleep(0.02)
            assert await client.write(site.wish("limit_pct", 50.0)) == Rejected("no_authority")
        task.cancel()
        await asyncio.wait((task,))
        store.close()
        assert not site.recorder.written
