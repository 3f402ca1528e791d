"""21. A read-only device is never written; a failed write is a failure at once."""

from pathlib import Path

import pytest

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Error, Rejected
from tests.safety.plant import CDU, plant, with_rules

PROFILES = load_profiles()
READ_ONLY = [name for name, p in PROFILES.items() if not any(point.writable for point in p.points.values())]


@pytest.mark.parametrize("point", ["active_power_w", "energy_wh", "operating_state"])
async def test_lesson_21_a_point_that_is_only_read_is_never_written(tmp_path: Path, point: str) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write(point, 0.0, origin="override") == Rejected("read_only")
        assert not site.recorder.written


def test_lesson_21_meters_sensors_and_most_products_can_not_be_written_at_all() -> None:
    """OpenEMS#3815 wrote to a device in read-only mode and stopped a user's sun."""
    assert len(READ_ONLY) > 20
    assert {"meter", "weather", "rack_sensors"} <= {str(PROFILES[name].kind) for name in READ_ONLY}
    writable = {str(p.kind) for name, p in PROFILES.items() if name not in READ_ONLY}
    assert not writable & {"meter", "weather", "rack_sensors", "pdu"}


async def test_lesson_21_a_refused_write_fails_at_once(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        site.recorder.refused.add(site.place("cdu", "setpoint_c"))
        result = await site.write("setpoint_c", 25.0, "cdu")
        assert isinstance(result, Error)
        assert "refuses this value (Modbus exception 3)" in result.detail
        assert site.actuator.metrics()['collector_writes_total{result="error"}'] == 1


async def test_lesson_21_a_write_that_only_looks_successful_is_none(tmp_path: Path) -> None:
    """ha-modbus-manager#98: acknowledged for 2.5 days, and nothing changed."""
    async with plant(tmp_path, cdu=with_rules(CDU, "setpoint_c", verify_s=0.05)) as site:
        await site.ready()
        site.recorder.deaf.add(site.place("cdu", "setpoint_c"))
        assert isinstance(await site.write("setpoint_c", 25.0, "cdu"), Error)
