"""7. Deadband: an unchanged value is not written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.checks.deadband import unchanged
from igoudar.collectors.results import Success

from .plant import plant


async def test_line_07_what_the_device_holds_already_is_not_written(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("setpoint_c", 30.0, "cdu") == Success(30.0)
        assert await site.write("setpoint_c", 30.1, "cdu") == Success(30.0)
        assert not site.recorder.written


async def test_line_07_a_setpoint_that_stands_is_asked_for_again_without_a_write(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", 60.0) == Success(60.0)
        written = len(site.recorder.written)
        for _ in range(5):
            await site.pass_s(5)
            assert await site.write("limit_pct", 60.4) == Success(60.0)
        assert len(site.recorder.written) == written
        held = site.actuator.holds.at(("inverter", "limit_pct"))
        assert held is not None
        assert held.wish.command_id == "c6"


async def test_line_07_a_limit_that_is_not_in_force_is_written_although_its_value_stands(
    tmp_path: Path,
) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        assert await site.write("limit_pct", 100.0) == Success(100.0)
        assert site.held("inverter", "limit_enabled_state") == 1.0


async def test_line_07_many_small_steps_do_not_creep_past_the_deadband(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        for step in range(10):
            await site.write("setpoint_c", 30.0 + 0.1 * step, "cdu")
            await site.pass_s(10)
        told = site.held("cdu", "setpoint_c")
        assert told is not None
        assert abs(told - 30.9) <= 0.2 + 1e-9


@given(held=st.floats(-1e9, 1e9), wanted=st.floats(-1e9, 1e9), deadband=st.floats(0, 1e6))
def test_line_07_a_change_beyond_the_deadband_is_never_swallowed(
    held: float, wanted: float, deadband: float
) -> None:
    slack = max(abs(held), abs(wanted)) * 1e-6 + 1e-9
    if abs(held - wanted) > deadband + slack:
        assert not unchanged(held, wanted, deadband)
    assert unchanged(held, held, deadband)


@pytest.mark.parametrize("deadband", [0.0, 1.0])
def test_line_07_a_float_that_was_rounded_on_the_wire_is_unchanged(deadband: float) -> None:
    assert unchanged(67.2200012, 67.22, deadband)
