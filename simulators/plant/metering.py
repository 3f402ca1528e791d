"""What meters show: power and energy of their role, and the electrical values that go with it."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from igoudar.core.model import Device
from igoudar.simulators.plant.noise import Series, noise_at

if TYPE_CHECKING:
    from igoudar.simulators.plant.plant import Plant

PHASE_V = 230.0
LINE_V = 400.0
POWER_FACTOR = 0.985
RACK_V = 240.0


class Flow(NamedTuple):
    """Power now [W], and energy [Wh] in the role's positive and negative direction."""

    power_w: float
    forward_wh: float
    backward_wh: float = 0.0


def of_racks(plant: "Plant", subject: str, rack_values: Series) -> float:
    """What a hall, feed, CDU or rack carries of values per rack; 0 for an unknown subject."""
    rack = plant.racks.index.get(subject)
    if rack is not None:
        return float(rack_values[rack])
    weights = plant.racks.weights.get(subject)
    return 0.0 if weights is None else weights.of(rack_values)


def meter(plant: "Plant", device: Device) -> dict[str, float | None]:
    """All canonical points of a meter."""
    power, forward, backward = _ROLES[device.role](plant, device.subject)
    return {
        "active_energy_import_wh": forward * device.share,
        "active_energy_export_wh": backward * device.share,
        **three_phase(plant, power * device.share),
    }


def _grid(plant: "Plant", subject: str) -> Flow:
    return Flow(plant.grid_w, plant.totals.grid_import, plant.totals.grid_export)


def _transformer(plant: "Plant", subject: str) -> Flow:
    parts = plant.transformers
    unit = parts.index.get(subject)
    if unit is None:
        return Flow(float(parts.load_w.sum()), float(parts.energy_wh.sum()))
    return Flow(float(parts.load_w[unit]), float(parts.energy_wh[unit]))


def _it(plant: "Plant", subject: str) -> Flow:
    racks = plant.racks
    if subject not in racks.weights:
        return Flow(float(racks.power_w.sum()), float(racks.energy_wh.sum()))
    return Flow(of_racks(plant, subject, racks.power_w), of_racks(plant, subject, racks.energy_wh))


def _pv(plant: "Plant", subject: str) -> Flow:
    return Flow(float(plant.solar.power_w.sum()), float(plant.solar.energy_wh.sum()))


def _wind(plant: "Plant", subject: str) -> Flow:
    return Flow(float(plant.wind.power_w.sum()), float(plant.wind.energy_wh.sum()))


def _battery(plant: "Plant", subject: str) -> Flow:
    totals = plant.totals
    return Flow(plant.battery.power_w, totals.battery_discharge, totals.battery_charge)


def _cooling(plant: "Plant", subject: str) -> Flow:
    return Flow(plant.cooling.powers.total, plant.cooling.energy_wh)


def _desalination(plant: "Plant", subject: str) -> Flow:
    return Flow(plant.desalination.power_w, plant.desalination.energy_wh)


def _electrolyser(plant: "Plant", subject: str) -> Flow:
    return Flow(plant.electrolyser.power_w, plant.electrolyser.energy_wh)


_ROLES: dict[str, Callable[["Plant", str], Flow]] = {
    "grid": _grid,
    "transformer": _transformer,
    "it": _it,
    "pv": _pv,
    "wind": _wind,
    "battery": _battery,
    "cooling": _cooling,
    "desalination": _desalination,
    "electrolyser": _electrolyser,
}


def frequency_hz(plant: "Plant") -> float:
    """Grid frequency, a seeded process of our own."""
    return 50.0 + 0.015 * noise_at(plant.seed, "frequency", 10.0, 60.0, plant.time_s)


def three_phase(plant: "Plant", power_w: float) -> dict[str, float]:
    """Electrical values of a balanced three-phase power at the low-voltage side."""
    sag = 1.0 + 0.004 * noise_at(plant.seed, "voltage", 60.0, 900.0, plant.time_s)
    volts = [PHASE_V * sag * part for part in (1.0, 1.002, 0.998)]
    apparent = abs(power_w) / POWER_FACTOR
    amps = apparent / (3.0 * PHASE_V * sag)
    return {
        "active_power_w": power_w,
        **{f"voltage_l{i}_v": volt for i, volt in enumerate(volts, 1)},
        **{f"current_l{i}_a": amps for i in (1, 2, 3)},
        "reactive_power_var": math.sqrt(max(0.0, apparent**2 - power_w**2)),
        "apparent_power_va": apparent,
        "frequency_hz": frequency_hz(plant),
    }


def single_phase(plant: "Plant", power_w: float) -> dict[str, float | None]:
    """Electrical values of one inlet of a rack PDU."""
    apparent = abs(power_w) / POWER_FACTOR
    volts = RACK_V * (1.0 + 0.004 * noise_at(plant.seed, "voltage", 60.0, 900.0, plant.time_s))
    return {
        "active_power_w": power_w,
        "apparent_power_va": apparent,
        "voltage_v": volts,
        "current_a": apparent / volts,
        "power_factor_ratio": POWER_FACTOR,
        "frequency_hz": frequency_hz(plant),
        "reactive_power_var": math.sqrt(max(0.0, apparent**2 - power_w**2)),
    }
