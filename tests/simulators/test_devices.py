"""Firmware: what is remembered, what reverts and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.errors import ConfigError
from igoudar.simulators.devices import Firmware, Firmwares
from tests.simulators.conftest import HeldPlant, firmware


@pytest.fixture
def inverter(plant: HeldPlant) -> Firmware:
    plant.held["inverter-1"] = {"active_power_w": 200e3, "limit_pct": 100.0, "limit_enabled_state": 0.0}
    return firmware("inverter-1", "sunspec-inverter", plant)


def curtail(inverter: Firmware, pct: float, revert_s: float) -> None:
    inverter.write("limit_revert_s", revert_s)
    inverter.write("limit_pct", pct)
    inverter.write("limit_enabled_state", 1)


def test_what_was_written_reads_back(inverter: Firmware) -> None:
    curtail(inverter, 40, 0)
    values = inverter.values()
    assert (values["limit_pct"], values["limit_enabled_state"], values["limit_revert_s"]) == (40, 1, 0)


def test_a_curtailment_reverts_when_its_timer_runs_out(inverter: Firmware, plant: HeldPlant) -> None:
    curtail(inverter, 40, 300)
    plant.advance(299)
    inverter.revert_due(plant.now)
    assert inverter.values()["limit_enabled_state"] == 1
    plant.advance(1)
    inverter.revert_due(plant.now)
    assert inverter.values()["limit_enabled_state"] == 0
    assert plant.written[-1] == ("inverter-1", "limit_enabled_state", 0.0)


def test_writing_again_restarts_the_timer(inverter: Firmware, plant: HeldPlant) -> None:
    curtail(inverter, 40, 300)
    plant.advance(200)
    inverter.write("limit_pct", 50)
    plant.advance(200)
    inverter.revert_due(plant.now)
    assert inverter.values()["limit_enabled_state"] == 1


def test_a_limit_that_is_not_enabled_starts_no_timer(inverter: Firmware, plant: HeldPlant) -> None:
    inverter.write("limit_revert_s", 60)
    inverter.write("limit_pct", 40)
    plant.advance(1000)
    inverter.revert_due(plant.now)
    assert inverter.values()["limit_pct"] == 40


def test_disabling_by_hand_stops_the_timer(inverter: Firmware, plant: HeldPlant) -> None:
    curtail(inverter, 40, 60)
    inverter.write("limit_enabled_state", 0)
    written = len(plant.written)
    plant.advance(1000)
    inverter.revert_due(plant.now)
    assert len(plant.written) == written


def test_a_setpoint_without_an_enable_goes_back_to_what_it_was(plant: HeldPlant) -> None:
    plant.held["desalination-1"] = {"limit_w": 5e6}
    unit = firmware("desalination-1", "generic-desalination", plant)
    unit.write("limit_revert_s", 120)
    unit.write("limit_w", 1e6)
    plant.advance(120)
    unit.revert_due(plant.now)
    assert plant.written[-1] == ("desalination-1", "limit_w", 5e6)


def test_two_rates_that_share_a_switch_both_revert(plant: HeldPlant) -> None:
    plant.held["battery-1"] = {"discharge_rate_pct": 100.0, "charge_rate_pct": 100.0}
    battery = firmware("battery-1", "sunspec-battery", plant)
    for point, value in (("rate_revert_s", 120), ("discharge_rate_pct", -50), ("storage_mode_state", 2)):
        battery.write(point, value)
    plant.advance(60)
    for point, value in (("charge_rate_pct", 30), ("storage_mode_state", 3)):
        battery.write(point, value)
    battery.write("discharge_rate_pct", -50)
    plant.advance(120)
    battery.revert_due(plant.now)
    values = battery.values()
    assert (values["discharge_rate_pct"], values["charge_rate_pct"]) == (100.0, 100.0)
    assert values["storage_mode_state"] == 0


@given(asked=st.floats(1, 1e4), floor=st.floats(1, 1e4), waited=st.floats(0, 2e4))
def test_no_timer_runs_shorter_than_its_floor(asked: float, floor: float, waited: float) -> None:
    plant = HeldPlant()
    inverter = firmware("inverter-1", "sunspec-inverter", plant, floor_s=floor)
    curtail(inverter, 40, asked)
    plant.advance(waited)
    inverter.revert_due(plant.now)
    still_limited = inverter.values()["limit_enabled_state"] == 1
    if abs(waited - max(asked, floor)) > 1e-3:
        assert still_limited == (waited < max(asked, floor))


def test_a_restart_remembers_registers_and_timers(inverter: Firmware, plant: HeldPlant) -> None:
    curtail(inverter, 40, 300)
    kept = Firmwares([inverter]).state()
    restarted = Firmwares([firmware("inverter-1", "sunspec-inverter", plant)])
    restarted.restore({**kept, "no-longer-there": kept["inverter-1"]})
    assert restarted["inverter-1"].values()["limit_pct"] == 40
    plant.advance(300)
    restarted.revert_due(plant.now)
    assert restarted["inverter-1"].values()["limit_enabled_state"] == 0


def test_a_read_only_point_is_refused(inverter: Firmware) -> None:
    with pytest.raises(ConfigError, match="active_power_w can't be written"):
        inverter.write("active_power_w", 1)
