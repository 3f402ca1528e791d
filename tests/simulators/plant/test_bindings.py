"""Every kind shows its canonical points, and they make sense together."""

import pytest

from igoudar.core.model import Kind
from igoudar.simulators.plant.plant import Plant

from .lab import START, breeze, lab

POINTS = {
    Kind.METER: "active_power_w active_energy_import_wh active_energy_export_wh voltage_l1_v voltage_l2_v "
    "voltage_l3_v current_l1_a current_l2_a current_l3_a reactive_power_var apparent_power_va frequency_hz",
    Kind.PDU: "active_power_w apparent_power_va voltage_v current_a power_factor_ratio frequency_hz "
    "reactive_power_var",
    Kind.INVERTER: "active_power_w current_a voltage_v frequency_hz reactive_power_var energy_wh dc_power_w "
    "cabinet_temperature_c operating_state limit_pct limit_enabled_state limit_revert_s",
    Kind.BATTERY: "soc_pct soh_pct active_power_w voltage_v current_a operating_state storage_mode_state "
    "discharge_rate_pct charge_rate_pct rate_revert_s reserve_pct max_charge_w heartbeat_count",
    Kind.WEATHER: "ghi_wm2 poa_wm2 ambient_c humidity_pct pressure_kpa wind_speed_mps wind_direction_deg",
    Kind.TURBINE: "active_power_w energy_wh turbine_state rotor_speed_hz wind_speed_mps limit_w",
    Kind.CHILLER: "leaving_c entering_c capacity_pct setpoint_c demand_limit_pct enable_state run_state "
    "alarm_count current_a condenser_entering_c condenser_leaving_c",
    Kind.CDU: "supply_c return_c primary_supply_c primary_return_c flow_lpm pump_pct heat_w active_power_w "
    "pressure_kpa setpoint_c leak_state",
    Kind.DRY_COOLER: "leaving_c entering_c fan_pct active_power_w ambient_c",
    Kind.COOLING_PLANT: "free_cooling_state supply_c return_c setpoint_c active_power_w energy_wh wet_bulb_c "
    "flow_lpm",
    Kind.RACK_SENSORS: "inlet_c inlet_mean_c outlet_c humidity_pct liquid_supply_c liquid_return_c "
    "liquid_flow_lpm leak_state",
    Kind.GPU: "gpu_power_w gpu_power_limit_w gpu_utilisation_pct gpu_temperature_c gpu_energy_wh gpu_count",
    Kind.POWER_SHELF: "active_power_w energy_wh power_limit_w limit_enabled_state applied_limit_w "
    "limit_low_w limit_high_w capacity_w supplies_count",
    Kind.DESALINATION: "active_power_w energy_wh limit_w enable_state product_m3",
    Kind.ELECTROLYSER: "active_power_w energy_wh limit_w enable_state product_kg",
}


@pytest.fixture(scope="module")
def plant() -> Plant:
    made = Plant(lab(), START, 1, breeze())
    made.step(45_000.0)
    return made


def shown(plant: Plant, kind: Kind) -> list[dict[str, float]]:
    found = [plant.values(device) for device in plant.site.devices if device.kind is kind]
    return [{name: value for name, value in values.items() if value is not None} for values in found]


@pytest.mark.parametrize("kind", list(Kind))
def test_a_kind_shows_all_its_points_and_no_others(plant: Plant, kind: Kind) -> None:
    for values in shown(plant, kind):
        assert set(values) == set(POINTS[kind].split())


def test_air_warms_over_a_rack_and_liquid_too(plant: Plant) -> None:
    racks = shown(plant, Kind.RACK_SENSORS)
    for rack in racks:
        assert 18.0 < rack["inlet_mean_c"] < rack["inlet_c"] < 28.0
        assert rack["outlet_c"] > rack["inlet_c"]
        assert rack["liquid_return_c"] > rack["liquid_supply_c"]
    assert max(r["inlet_c"] for r in racks) - min(r["inlet_c"] for r in racks) > 0.3


def test_the_cdu_carries_the_liquid_share_of_the_heat(plant: Plant) -> None:
    cdu = shown(plant, Kind.CDU)[0]
    assert cdu["heat_w"] == pytest.approx(0.85 * float(plant.racks.power_w.sum()))
    carried = cdu["flow_lpm"] / 60.0 * 4186.0 * (cdu["return_c"] - cdu["supply_c"])
    assert carried == pytest.approx(cdu["heat_w"])


def test_flows_of_the_racks_add_up_to_their_cdu_s(plant: Plant) -> None:
    racks = sum(rack["liquid_flow_lpm"] for rack in shown(plant, Kind.RACK_SENSORS))
    assert racks == pytest.approx(shown(plant, Kind.CDU)[0]["flow_lpm"])


def test_a_meter_s_voltages_and_currents_give_its_apparent_power(plant: Plant) -> None:
    for meter in shown(plant, Kind.METER):
        phases = sum(meter[f"voltage_l{i}_v"] * meter[f"current_l{i}_a"] for i in (1, 2, 3))
        assert phases == pytest.approx(meter["apparent_power_va"])


def test_gpus_draw_less_than_their_limit(plant: Plant) -> None:
    for gpu in shown(plant, Kind.GPU):
        assert 0.0 < gpu["gpu_power_w"] < gpu["gpu_power_limit_w"]
        assert 0.0 <= gpu["gpu_utilisation_pct"] <= 100.0
