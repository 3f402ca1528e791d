"""3. Only points that the profile marks writable and the site allow-lists can be written."""

from dataclasses import replace
from pathlib import Path

import pytest

from igoudar.collectors.results import Rejected

from .plant import Plant, plant


@pytest.mark.parametrize(
    ("device", "point", "reason"),
    [
        ("nobody", "limit_pct", "unknown_device"),
        ("inverter", "nothing_w", "unknown_point"),
        ("inverter", "active_power_w", "read_only"),
        ("inverter", "limit_revert_s", "companion"),
        ("inverter", "limit_enabled_state", "companion"),
        ("battery", "controller_heartbeat_count", "companion"),
    ],
)
async def test_line_03_what_is_no_setpoint_is_not_written(
    tmp_path: Path, device: str, point: str, reason: str
) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write(point, 1.0, device) == Rejected(reason)
        assert not site.recorder.written


async def test_line_03_writable_is_not_yet_allowed(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        _allow(site, "inverter", frozenset())
        assert await site.write("limit_pct", 50.0) == Rejected("not_allowed")
        _allow(site, "inverter", frozenset({"limit_pct"}))
        await site.write("limit_pct", 50.0)
        assert ("limit_pct", 50.0) in site.wrote


async def test_line_03_a_write_touches_its_own_registers_only(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0)
        assert {point for point, _ in site.wrote} == {"limit_revert_s", "limit_pct", "limit_enabled_state"}
        assert {telegram.unit for telegram in site.recorder.written} == {1}


def _allow(site: Plant, device: str, points: frozenset[str]) -> None:
    station = site.stations[device]
    station.device = replace(station.device, allow=points)
