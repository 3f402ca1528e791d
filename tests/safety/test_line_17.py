"""17. Interlocks beat the optimiser: flow before the compressor, state-of-charge limits."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.results import Rejected, Success
from igoudar.core.model_writes import Interlock

from .plant import plant

PUMP = Interlock("setpoint_c", "flow_state", minimum=1.0, below=20.0, device="cdu", needs_device="chiller")


async def test_line_17_no_compressor_without_flow(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("chiller", "flow_state", 0.0)
        await site.ready()
        result = await site.write("enable_state", 1.0, "chiller", origin="safety")
        assert result == Rejected("interlock")
        assert isinstance(result, Rejected)
        assert result.detail == "flow_state is 0, outside 1..inf"
        assert not site.recorder.written
        site.show("chiller", "flow_state", 1.0)
        await site.look()
        assert await site.write("enable_state", 1.0, "chiller") == Success(1.0)


async def test_line_17_stopping_needs_no_flow(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("chiller", "flow_state", 0.0)
        site.show("chiller", "enable_state", 1.0)
        await site.ready()
        assert await site.write("enable_state", 0.0, "chiller") == Success(0.0)


async def test_line_17_a_flow_that_is_not_known_is_no_flow(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        site.show("chiller", "flow_state", 7.0)  # not plausible
        await site.ready()
        assert await site.write("enable_state", 1.0, "chiller") == Rejected("interlock")


async def test_line_17_a_site_interlock_reaches_across_devices(tmp_path: Path) -> None:
    async with plant(tmp_path, locks=(PUMP,)) as site:
        site.show("chiller", "flow_state", 0.0)
        await site.ready()
        assert await site.write("setpoint_c", 19.0, "cdu") == Rejected("interlock")
        assert await site.write("setpoint_c", 25.0, "cdu") == Success(25.0)


@pytest.mark.parametrize(
    ("soc_pct", "point", "value", "allowed"),
    [
        (50.0, "discharge_rate_pct", 40.0, True),
        (9.9, "discharge_rate_pct", 40.0, False),
        (9.9, "discharge_rate_pct", -40.0, True),
        (95.1, "discharge_rate_pct", -40.0, False),
        (95.1, "charge_rate_pct", 40.0, False),
        (9.9, "charge_rate_pct", -40.0, False),
        (9.9, "discharge_rate_pct", 0.0, True),
        (95.1, "charge_rate_pct", 0.0, True),
    ],
)
async def test_line_17_the_batterys_limits_hold(
    tmp_path: Path, soc_pct: float, point: str, value: float, allowed: bool
) -> None:
    async with plant(tmp_path) as site:
        site.show("battery", "soc_pct", soc_pct)
        await site.ready()
        result = await site.write(point, value, "battery", origin="override")
        assert result == (Success(value) if allowed else Rejected("interlock"))
        assert bool(site.recorder.written) == allowed


async def test_line_17_a_discharge_that_reaches_the_limit_is_given_up(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        await site.write("discharge_rate_pct", 40.0, "battery")
        site.show("battery", "soc_pct", 9.0)
        await site.pass_s(5)
        await site.renewal.round()
        assert site.held("battery", "storage_mode_state") == 0.0


@given(low=st.floats(-100, 100), high=st.floats(-100, 100), value=st.floats(-200, 200))
def test_line_17_what_a_lock_guards_lies_between_its_bounds(low: float, high: float, value: float) -> None:
    lock = Interlock("p_w", "n_w", above=low, below=high)
    assert lock.guards("any", "p_w", value) == (low < value < high)
    assert not lock.guards("any", "q_w", value)
