"""11. The reversion timer is armed before the setpoint; where there is none, the site says so by name."""

from dataclasses import replace
from pathlib import Path

import pytest

from igoudar.collectors.results import Error, Rejected, Success
from igoudar.core.errors import ConfigError
from igoudar.core.site import load_site, seed_names

from .plant import INVERTER, PROFILES, plant, with_rules

SITE = """
name = "small"
title = "Small"
[place]
latitude_deg = 23.7
longitude_deg = -15.9
time_zone = "Africa/El_Aaiun"
[cooling]
[[devices]]
name = "plant"
profile = "generic-cooling-plant"
address = "opc.tcp://10.0.0.1:4840/plant"
subject = "cooling"
allow = ["setpoint_c"]
"""


async def test_line_11_the_timer_is_armed_before_the_setpoint(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", 50.0) == Success(50.0)
        assert await site.write("discharge_rate_pct", -30.0, "battery") == Success(-30.0)
        assert site.wrote == [
            ("limit_revert_s", 60.0),
            ("limit_pct", 50.0),
            ("limit_enabled_state", 1.0),
            ("rate_revert_s", 60.0),
            ("discharge_rate_pct", -30.0),
            ("storage_mode_state", 2.0),
        ]


async def test_line_11_a_timer_that_does_not_take_keeps_the_setpoint_away(tmp_path: Path) -> None:
    quick = with_rules(INVERTER, "limit_pct", verify_s=0.1)
    async with plant(tmp_path, inverter=quick) as site:
        await site.ready()
        site.recorder.deaf.add(site.place("inverter", "limit_revert_s"))
        result = await site.write("limit_pct", 50.0)
        assert isinstance(result, Error)
        assert [point for point, _ in site.wrote] == ["limit_revert_s"]


async def test_line_11_an_optional_timer_is_probed(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("inverter", "limit_revert_s", None)
        await site.ready()
        assert await site.write("limit_pct", 50.0) == Rejected("no_reversion")
        assert not site.recorder.written
        station = site.stations["inverter"]
        station.device = replace(station.device, no_reversion=frozenset({"limit_pct"}))
        await site.pass_s(10)
        assert await site.write("limit_pct", 50.0) == Success(50.0)
        assert site.wrote == [("limit_pct", 50.0), ("limit_enabled_state", 1.0)]


async def test_line_11_a_timer_is_renewed_while_wanted_and_control_turns(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0, life_s=1000.0)
        for _ in range(12):
            await site.pass_s(10)
            await site.renewal.round()
        renewals = [value for point, value in site.wrote if point == "limit_revert_s"]
        assert len(renewals) == 1 + 6  # every 20 s
        assert site.held("inverter", "limit_enabled_state") == 1.0
        written = len(site.recorder.written)
        for _ in range(3):  # the lease is kept, but the loop stands
            await site.pass_s(10, turn=False)
            site.grant(turn=False)
            await site.renewal.round()
        assert len(site.recorder.written) == written


async def test_line_11_what_somebody_else_changed_is_not_renewed(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("limit_pct", 50.0)
        site.show("inverter", "limit_pct", 70.0)
        for _ in range(4):
            await site.pass_s(10)
            await site.renewal.round()
        assert site.held("inverter", "limit_pct") == 70.0
        assert site.actuator.metrics()["collector_setpoints_lost_total"] == 1


def test_line_11_a_point_that_stays_as_written_is_acknowledged_by_name(tmp_path: Path) -> None:
    file = tmp_path / "small.toml"
    file.write_text(SITE)
    with pytest.raises(ConfigError, match='no_reversion = \\["setpoint_c"\\]'):
        load_site(str(file), PROFILES)
    file.write_text(SITE + 'no_reversion = ["setpoint_c"]\n')
    (device,) = load_site(str(file), PROFILES).devices
    assert device.no_reversion == {"setpoint_c"}
    file.write_text(SITE + 'no_reversion = ["setpoint_c", "flow_lpm"]\n')
    with pytest.raises(ConfigError, match="'flow_lpm' is not in `allow`"):
        load_site(str(file), PROFILES)


@pytest.mark.parametrize("name", [name for name in seed_names() if name != "morocco"])
def test_line_11_every_seed_says_what_stays_as_written(name: str) -> None:
    for device in load_site(name, PROFILES).devices:
        for point in device.allow:
            rules = PROFILES[device.profile].points[point].writable
            assert rules is not None
            served = point == PROFILES[device.profile].remote.heartbeat
            assert rules.reversion or served or point in device.no_reversion
