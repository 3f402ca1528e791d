"""18. An operator's override wins within one cycle and is sticky until released (the collector's part)."""

from datetime import timedelta
from pathlib import Path

from igoudar.collectors.authority import Hold
from igoudar.collectors.results import Rejected, Success

from .plant import Plant, plant


def hold(site: Plant, life_s: float = 3600.0) -> Hold:
    return Hold("inverter", "limit_pct", site.clock.now() + timedelta(seconds=life_s))


async def test_line_18_the_plan_yields_to_the_operator(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", 50.0) == Success(50.0)
        site.grant(overrides=[hold(site)])
        for origin in ("plan", "event", "operator"):
            assert await site.write("limit_pct", 40.0, origin=origin) == Rejected("overridden")
        await site.pass_s(5, turn=False)
        site.grant(overrides=[hold(site)])
        assert await site.write("limit_pct", 80.0, origin="override") == Success(80.0)
        assert await site.write("discharge_rate_pct", 10.0, "battery") == Success(10.0)  # not held


async def test_line_18_what_the_plan_had_set_is_given_back_within_a_cycle(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0)
        site.grant(overrides=[hold(site)])
        await site.renewal.round()
        assert site.held("inverter", "limit_enabled_state") == 0.0


async def test_line_18_the_override_sticks_and_ends(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        held = hold(site, 100.0)
        for _ in range(9):
            await site.pass_s(10, turn=False)
            site.grant(overrides=[held])
            assert await site.write("limit_pct", 40.0) == Rejected("overridden")
        await site.pass_s(10, turn=False)
        site.grant(overrides=[held])
        assert await site.write("limit_pct", 40.0) == Success(40.0)
