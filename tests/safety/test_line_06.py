"""6. Rate limit per point."""

from pathlib import Path

from igoudar.collectors.results import Rejected, Success

from .plant import INVERTER, plant, with_rules


async def test_line_06_a_point_is_written_at_its_pace(tmp_path: Path) -> None:
    async with plant(tmp_path, inverter=with_rules(INVERTER, "limit_pct", every_s=60.0)) as site:
        await site.ready()
        done = []
        for turn in range(18):
            done.append(await site.write("limit_pct", 20.0 + 3 * turn))
            await site.pass_s(10)
        assert [10 * turn for turn, result in enumerate(done) if isinstance(result, Success)] == [0, 60, 120]
        assert done[1] == Rejected("rate_limited")
        assert len([point for point, _ in site.wrote if point == "limit_pct"]) == 3


async def test_line_06_one_points_pace_is_not_anothers(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("discharge_rate_pct", 40.0, "battery") == Success(40.0)
        assert await site.write("charge_rate_pct", 40.0, "battery") == Success(40.0)
        assert await site.write("discharge_rate_pct", 60.0, "battery") == Rejected("rate_limited")


async def test_line_06_a_site_clock_that_went_back_does_not_block_for_ever(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", 50.0) == Success(50.0)
        site.clock.advance(-3600)
        await site.look()
        assert await site.write("limit_pct", 60.0) == Success(60.0)
