"""4. Minimum and maximum per point are fixed in the profile; no planner output passes them."""

from pathlib import Path

import pytest

from igoudar.collectors.results import Error, OutOfBounds, Rejected

from .plant import plant


@pytest.mark.parametrize("value", [-0.01, 100.01, 1e9, -1e300])
@pytest.mark.parametrize("origin", ["plan", "event", "operator", "override", "safety"])
async def test_line_04_no_value_outside_the_range_leaves_whoever_asks(
    tmp_path: Path, value: float, origin: str
) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", value, origin=origin) == OutOfBounds(0, 100)
        assert not site.recorder.written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
async def test_line_04_what_is_no_number_does_not_leave(tmp_path: Path, value: float) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", value) == Rejected("not_a_number")
        assert not site.recorder.written


async def test_line_04_a_scale_factor_without_room_for_the_value_bends_nothing(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        unit, address = site.place("battery", "discharge_rate_pct")
        site.recorder.units[unit][address + 13] = 0xFFFD  # InOutWRte_SF = -3: an i16 ends at 32.767
        result = await site.write("discharge_rate_pct", -80.0, "battery")
        assert isinstance(result, Error)
        assert "can't hold -80" in result.detail
        assert ("discharge_rate_pct", 32.767) not in site.wrote
        assert not [point for point, _ in site.wrote if point != "rate_revert_s"]
