"""How setpoints of DER products are written: what must hold before, then the value, its switch at last."""

from dataclasses import replace
from pathlib import Path

from igoudar.collectors.results import Error, Success
from igoudar.core.model import Profile
from tests.safety import plant as rig
from tests.safety.plant import Plant, plant, with_rules

STORAGE, INVERTER = (rig.PROFILES[name] for name in ("sunspec-der-storage", "sunspec-der-inverter"))
SHOWN = {
    "inverter_state": 1.0,
    "frequency_hz": 50.0,
    "soc_pct": 50.0,
    "setpoint_w": 0.0,
    "setpoint_mode_state": 0.0,
    "setpoint_reverted_state": 1.0,
    "setpoint_revert_s": 0.0,
    "setpoint_enabled_state": 0.0,
    "local_state": 0.0,
    "controller_heartbeat_count": 1.0,
}


def as_battery(site: Plant, profile: Profile, shown: dict[str, float | None]) -> None:
    """The battery is another product."""
    site.recorder.units[2] = rig.image(profile, shown)


async def test_704_is_told_that_watts_are_meant_and_where_its_reversion_ends(tmp_path: Path) -> None:
    async with plant(tmp_path, battery=STORAGE) as site:
        as_battery(site, STORAGE, SHOWN)
        await site.ready()
        assert await site.write("setpoint_w", -5000.0, "battery") == Success(-5000.0)
        assert site.wrote == [
            ("setpoint_revert_s", 60.0),
            ("setpoint_mode_state", 1.0),
            ("setpoint_reverted_state", 0.0),
            ("setpoint_w", -5000.0),
            ("setpoint_enabled_state", 1.0),
        ]
        await site.renewal.stop()
        assert site.wrote[-1] == ("setpoint_enabled_state", 0.0)


async def test_what_holds_already_or_is_not_implemented_is_not_prepared(tmp_path: Path) -> None:
    async with plant(tmp_path, battery=STORAGE) as site:
        as_battery(site, STORAGE, SHOWN | {"setpoint_mode_state": 1.0, "setpoint_reverted_state": None})
        await site.ready()
        assert await site.write("setpoint_w", 5000.0, "battery") == Success(5000.0)
        assert [point for point, _ in site.wrote] == [
            "setpoint_revert_s",
            "setpoint_w",
            "setpoint_enabled_state",
        ]


async def test_what_can_not_be_prepared_keeps_the_setpoint_away(tmp_path: Path) -> None:
    quick = with_rules(STORAGE, "setpoint_w", verify_s=0.1)
    async with plant(tmp_path, battery=quick) as site:
        as_battery(site, quick, SHOWN)
        await site.ready()
        site.recorder.deaf.add(site.place("battery", "setpoint_mode_state"))
        assert isinstance(await site.write("setpoint_w", 5000.0, "battery"), Error)
        assert "setpoint_w" not in {point for point, _ in site.wrote}


async def test_two_rates_share_a_switch_and_each_gives_up_its_own_bit(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("discharge_rate_pct", 40.0, "battery", life_s=15.0)
        await site.write("charge_rate_pct", 40.0, "battery", life_s=100.0)
        assert site.held("battery", "storage_mode_state") == 3.0
        await site.pass_s(20)
        await site.renewal.round()
        assert site.held("battery", "storage_mode_state") == 1.0


async def test_what_must_not_be_written_often_is_armed_for_its_whole_life(tmp_path: Path) -> None:
    wearing = with_rules(rig.INVERTER, "limit_pct", eeprom=True)
    async with plant(tmp_path, inverter=wearing) as site:
        await site.ready()
        assert await site.write("limit_pct", 50.0, life_s=600.0) == Success(50.0)
        assert site.held("inverter", "limit_revert_s") == 600.0
        for _ in range(19):
            await site.pass_s(10)
            await site.renewal.round()
        assert len([point for point, _ in site.wrote if point == "limit_pct"]) == 1


async def test_a_point_that_stays_is_given_its_factory_value(tmp_path: Path) -> None:
    async with plant(tmp_path, cdu=with_rules(rig.CDU, "setpoint_c", factory=32.0)) as site:
        await site.ready()
        await site.write("setpoint_c", 25.0, "cdu", life_s=15.0)
        await site.pass_s(20)
        await site.renewal.round()
        assert site.held("cdu", "setpoint_c") == 32.0


async def test_a_device_that_leaves_the_site_is_forgotten(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("setpoint_c", 25.0, "cdu")
        site.site = replace(site.site, devices=tuple(d for d in site.site.devices if d.name != "cdu"))
        await site.restart()
        await site.ready()
        assert len(site.actuator.holds) == 1
        await site.renewal.round()
        assert len(site.actuator.holds) == 0
