"""What every device kind shows of the plant: one small function per kind, canonical points in base units."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from igoudar.core.model import Device, Kind
from igoudar.simulators.plant import metering, power_shelf
from igoudar.simulators.plant.chillers import WATER_RISE_K, Chiller
from igoudar.simulators.plant.cooling import AIR_RISE_K, LIQUID_RISE_K, outdoor_c
from igoudar.simulators.plant.flexible_loads import Drive
from igoudar.simulators.plant.noise import noise_at

if TYPE_CHECKING:
    from igoudar.simulators.plant.plant import Plant

Values = dict[str, float | None]
GPU_POWER_RATIO = 0.65  # of a rack's peak: 72 x 1.2 kW of 132 kW
SLEEPING, MPPT, THROTTLED = 2.0, 4.0, 5.0  # SunSpec 103 St
CONNECTED, STANDBY = 3.0, 4.0  # SunSpec 802 State
CHILLER_OFF, CHILLER_RUNS = 0.0, 7.0  # Carrier 23XRV status


def read(plant: "Plant", device: Device) -> Values:
    """Canonical points of a device now; None where the plant has no such value."""
    return _READERS[device.kind](plant, device)


def _meter(plant: "Plant", device: Device) -> Values:
    return metering.meter(plant, device)


def _pdu(plant: "Plant", device: Device) -> Values:
    power = metering.of_racks(plant, device.subject, plant.racks.power_w) * device.share
    return metering.single_phase(plant, power)


def _inverter(plant: "Plant", device: Device) -> Values:
    unit, solar = plant.solar.index[device.name], plant.solar
    power, wish = float(solar.power_w[unit]), float(solar.available_w[unit])
    curtailment = solar.curtailments[device.name]
    electric = metering.three_phase(plant, power)
    state = SLEEPING if wish <= 0 else THROTTLED if power < 0.995 * wish else MPPT
    load = power / max(1.0, float(solar.unit_w[unit]))
    return {
        "active_power_w": power,
        "current_a": 3.0 * electric["current_l1_a"],
        "voltage_v": electric["voltage_l1_v"],
        "frequency_hz": electric["frequency_hz"],
        "reactive_power_var": 0.0,
        "energy_wh": float(solar.energy_wh[unit]),
        "dc_power_w": power / 0.98,
        "cabinet_temperature_c": plant.sky.ambient_c + 4.0 + 22.0 * load,
        "operating_state": state,
        "limit_pct": curtailment.limit_pct,
        "limit_enabled_state": curtailment.limit_enabled_state,
        "limit_revert_s": curtailment.limit_revert_s,
    }


def _battery(plant: "Plant", device: Device) -> Values:
    unit, bank = plant.battery.converters[device.name], plant.battery.bank
    soc, power = plant.battery.soc_pct, unit.power_w
    volts = 1180.0 + 2.0 * soc
    return {
        "soc_pct": soc,
        "soh_pct": 99.0,
        "active_power_w": power,
        "voltage_v": volts,
        "current_a": power / volts,
        "operating_state": CONNECTED if abs(power) > 1.0 else STANDBY,
        "storage_mode_state": unit.rates.storage_mode_state,
        "discharge_rate_pct": unit.rates.discharge_rate_pct,
        "charge_rate_pct": unit.rates.charge_rate_pct,
        "rate_revert_s": unit.revert_s,
        "reserve_pct": unit.rates.reserve_pct,
        "max_charge_w": bank.power_w * unit.share,
        "heartbeat_count": float(int(plant.time_s) % 65_536),
    }


def _weather(plant: "Plant", device: Device) -> Values:
    sky = plant.sky
    names = ("ghi_wm2", "poa_wm2", "ambient_c", "humidity_pct", "pressure_kpa", "wind_speed_mps")
    return {**{name: getattr(sky, name) for name in names}, "wind_direction_deg": sky.wind_direction_deg}


def _turbine(plant: "Plant", device: Device) -> Values:
    unit, wind = plant.wind.index[device.name], plant.wind
    power, limit = float(wind.power_w[unit]), float(wind.limit_w[unit])
    turning = power > 0
    return {
        "active_power_w": power,
        "energy_wh": float(wind.energy_wh[unit]),
        "turbine_state": 2.0 if turning else 1.0,
        "rotor_speed_hz": min(0.17, 0.08 + 0.008 * plant.sky.hub_speed_mps) if turning else 0.0,
        "wind_speed_mps": plant.sky.hub_speed_mps,
        "limit_w": limit if math.isfinite(limit) else float(wind.unit_w[unit]),
    }


def _chiller(plant: "Plant", device: Device) -> Values:
    unit: Chiller = plant.cooling.chillers.units[device.name]
    load = unit.heat_w / unit.rated_w if unit.rated_w > 0 else 0.0
    runs = unit.heat_w > 0.01 * unit.rated_w
    leaving = unit.setpoint_c + (0.0 if runs else 2.0)
    condenser = outdoor_c(plant.sky) + 5.0
    return {
        "leaving_c": leaving,
        "entering_c": leaving + WATER_RISE_K * load,
        "capacity_pct": 100.0 * load,
        "setpoint_c": unit.setpoint_c,
        "demand_limit_pct": unit.demand_limit_pct,
        "enable_state": 1.0 if unit.enabled else 0.0,
        "run_state": CHILLER_RUNS if runs else CHILLER_OFF,
        "alarm_count": 0.0,
        "current_a": unit.power_w / (math.sqrt(3.0) * metering.LINE_V * 0.9),
        "condenser_entering_c": condenser,
        "condenser_leaving_c": condenser + 5.0 * load,
    }


def _cdu(plant: "Plant", device: Device) -> Values:
    cooling = plant.cooling
    unit = cooling.cdu_index.get(device.subject)
    if unit is None:
        return {"setpoint_c": None}
    supply, flow = float(cooling.liquid_c[unit]), float(cooling.cdu_flow[unit])
    heat = float(cooling.cdu_heat_w[unit])
    rise = LIQUID_RISE_K * heat / float(cooling.cdu_rated_w[unit]) / flow
    return {
        "supply_c": supply,
        "return_c": supply + rise,
        "primary_supply_c": cooling.supply_c,
        "primary_return_c": cooling.supply_c + rise,
        "flow_lpm": float(cooling.cdu_flow_lpm()[unit]),
        "pump_pct": 100.0 * flow,
        "heat_w": heat,
        "active_power_w": cooling.cdu_pump_w(unit),
        "pressure_kpa": 60.0 + 180.0 * flow**2,
        "setpoint_c": float(cooling.cdu_setpoint_c[unit]),
        "leak_state": 0.0,
    }


def _dry_cooler(plant: "Plant", device: Device) -> Values:
    cooling = plant.cooling
    return {
        "leaving_c": cooling.supply_c,
        "entering_c": cooling.supply_c + cooling.loop_rise_k,
        "fan_pct": 100.0 * cooling.fan_ratio,
        "active_power_w": cooling.powers.cooler_fans * device.share,
        "ambient_c": plant.sky.ambient_c,
    }


def _cooling_plant(plant: "Plant", device: Device) -> Values:
    cooling = plant.cooling
    return {
        "free_cooling_state": cooling.free_cooling_state,
        "supply_c": cooling.supply_c,
        "return_c": cooling.supply_c + cooling.loop_rise_k,
        "setpoint_c": cooling.supply_setpoint_c,
        "active_power_w": cooling.powers.total,
        "energy_wh": cooling.energy_wh,
        "wet_bulb_c": plant.sky.wet_bulb_c,
        "flow_lpm": float(cooling.cdu_flow_lpm().sum()),
    }


def _rack_sensors(plant: "Plant", device: Device) -> Values:
    rack, cooling = plant.racks.index[device.subject], plant.cooling
    load = float(plant.racks.power_w[rack] / max(1.0, plant.racks.peak_w[rack]))
    mean = cooling.air_c + float(plant.racks.inlet_offset_k[rack]) + 0.6 * load
    mean += 0.15 * noise_at(plant.seed, f"inlet {rack % 16}", 60.0, 600.0, plant.time_s)
    cdu = int(cooling.cdu_of_rack[rack])
    flow = cooling.cdu_flow_lpm()[cdu] * plant.racks.peak_w[rack] / max(1.0, cooling.cdu_peak_w[cdu])
    supply = float(cooling.liquid_c[cdu])
    return {
        "inlet_c": mean + 0.5,
        "inlet_mean_c": mean,
        "outlet_c": mean + AIR_RISE_K * load / max(cooling.air_flow, 0.1),
        "humidity_pct": min(70.0, max(20.0, plant.sky.humidity_pct * 0.65)),
        "liquid_supply_c": supply,
        "liquid_return_c": supply + LIQUID_RISE_K * load / float(cooling.cdu_flow[cdu]),
        "liquid_flow_lpm": float(flow),
        "leak_state": 0.0,
    }


def _gpu(plant: "Plant", device: Device) -> Values:
    racks, rack = plant.racks, plant.racks.index[device.subject]
    part = GPU_POWER_RATIO * device.share
    used = float((racks.power_w[rack] - racks.idle_w[rack]) / max(1.0, racks.dynamic_w[rack]))
    liquid = float(plant.cooling.liquid_c[int(plant.cooling.cdu_of_rack[rack])])
    return {
        "gpu_power_w": float(racks.power_w[rack]) * part,
        "gpu_power_limit_w": min(float(racks.peak_w[rack]), float(racks.limits.limit_w[rack])) * part,
        "gpu_utilisation_pct": 100.0 * min(1.0, max(0.0, used)),
        "gpu_temperature_c": liquid + 8.0 + 26.0 * used,
        "gpu_energy_wh": float(racks.energy_wh[rack]) * part,
        "gpu_count": float(racks.gpus[rack]) * device.share,
    }


def _drive(drive: Drive, product: str) -> Values:
    limit = drive.load.power_w if drive.limit_w is None else drive.limit_w
    return {
        "active_power_w": drive.power_w,
        "energy_wh": drive.energy_wh,
        "limit_w": limit,
        "enable_state": 1.0 if drive.enabled else 0.0,
        product: drive.product,
    }


_READERS: dict[Kind, Callable[["Plant", Device], Values]] = {
    Kind.METER: _meter,
    Kind.PDU: _pdu,
    Kind.INVERTER: _inverter,
    Kind.BATTERY: _battery,
    Kind.WEATHER: _weather,
    Kind.TURBINE: _turbine,
    Kind.CHILLER: _chiller,
    Kind.CDU: _cdu,
    Kind.DRY_COOLER: _dry_cooler,
    Kind.COOLING_PLANT: _cooling_plant,
    Kind.RACK_SENSORS: _rack_sensors,
    Kind.GPU: _gpu,
    Kind.POWER_SHELF: power_shelf.values,
    Kind.DESALINATION: lambda plant, device: _drive(plant.desalination, "product_m3"),
    Kind.ELECTROLYSER: lambda plant, device: _drive(plant.electrolyser, "product_kg"),
}
