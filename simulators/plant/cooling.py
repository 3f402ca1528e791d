"""Free cooling with dry coolers, CDUs and trim chillers: heat, temperatures, and the power that it takes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from igoudar.core.model import Kind, Site
from igoudar.simulators.plant.chillers import WATER_RISE_K, Chillers
from igoudar.simulators.plant.noise import Series
from igoudar.simulators.plant.weather import Conditions

# Design figures, our assumptions, chosen so that PUE comes out between 1.05 and 1.12 at Dakhla.
CDU_APPROACH_K = 4.0  # facility water to rack liquid
LIQUID_RISE_K = 10.0  # over a rack at full load
AIR_RISE_K = 12.0
AIR_SUPPLY_C = 24.0  # cold aisle
COIL_APPROACH_K = 5.0  # chilled water to cold aisle
COOLER_APPROACH_K = 3.0  # outdoor air to air-side water
COOLER_DESIGN_K = 8.0  # facility water to outdoor air at rated heat
PAD_RATIO = 0.6  # wet pads cover this share of the wet-bulb depression
PAD_FROM_C = 22.0
CDU_PUMP_RATIO, LOOP_PUMP_RATIO = 0.014, 0.010  # power at full flow over rated heat
AIR_FAN_RATIO, COOLER_FAN_RATIO = 0.070, 0.030
LEAST_FLOW = 0.35
TIME_CONSTANT_S = 300.0
WATER_J_PER_L_K = 4186.0


def flow_for(heat_ratio: Series) -> Series:
    """Flow over rated flow that carries a heat over rated heat at the design temperature rise."""
    flow: Series = np.clip(heat_ratio, LEAST_FLOW, 1.0)
    return flow


def affinity(flow_ratio: float) -> float:
    """Power over rated power of a pump or fan. Source: affinity laws, the cube of the flow."""
    return flow_ratio**3


@dataclass(slots=True)
class Powers:
    """Electric power of the cooling plant by part [W]."""

    cdu_pumps: float = 0.0
    loop_pumps: float = 0.0
    air_fans: float = 0.0
    cooler_fans: float = 0.0
    chillers: float = 0.0

    @property
    def total(self) -> float:
        """All parts [W]."""
        return self.cdu_pumps + self.loop_pumps + self.air_fans + self.cooler_fans + self.chillers


class Cooling:
    """The plant: one liquid loop over the CDUs, one air-side loop that the trim chillers help."""

    def __init__(self, site: Site) -> None:
        plant = self.plant = site.cooling
        peaks = np.array([rack.peak_w for rack in site.racks], dtype=float)
        self.cdu_index = {name: i for i, name in enumerate(dict.fromkeys(rack.cdu for rack in site.racks))}
        self.cdu_of_rack = np.array([self.cdu_index[rack.cdu] for rack in site.racks], dtype=np.int64)
        self.cdus = max(1, len(self.cdu_index))
        self.cdu_peak_w = self._per_cdu(peaks)
        self.cdu_rated_w = np.maximum(self.cdu_peak_w * plant.liquid_share, 1.0)
        self.air_rated_w = max(1.0, float(peaks.sum()) * (1.0 - plant.liquid_share))
        self.chillers = Chillers(
            plant.chillers * plant.chiller_w,
            {device.name: device.share for device in site.devices if device.kind is Kind.CHILLER},
        )
        self.cdu_setpoint_c = np.full(self.cdus, plant.supply_c)
        self.supply_setpoint_c = plant.supply_c - CDU_APPROACH_K  # facility water
        self.supply_c = self.supply_setpoint_c
        self.liquid_c = self.cdu_setpoint_c.copy()
        self.air_c = AIR_SUPPLY_C
        self.cdu_heat_w = np.zeros(self.cdus)
        self.cdu_flow = np.full(self.cdus, LEAST_FLOW)
        self.air_flow = self.fan_ratio = LEAST_FLOW
        self.free_ratio = 1.0  # of the air-side heat, taken without a compressor
        self.unmet_w = 0.0
        self._short = (0.0, 0.0)  # heat that liquid and air side could not get rid of [W]
        self.powers = Powers()
        self.energy_wh = 0.0

    def _per_cdu(self, rack_values: Series) -> Series:
        sums: Series = np.bincount(self.cdu_of_rack, weights=rack_values, minlength=self.cdus).astype(float)
        return sums

    def carry(self, rack_w: Series, sky: Conditions) -> float:
        """Set the plant for the racks' heat under the present sky; return its electric power [W]."""
        it = float(rack_w.sum())
        self.cdu_heat_w = self._per_cdu(rack_w) * self.plant.liquid_share
        self.cdu_flow = flow_for(self.cdu_heat_w / self.cdu_rated_w)
        liquid_w, air_w = it * self.plant.liquid_share, it * (1.0 - self.plant.liquid_share)
        outdoor = outdoor_c(sky)
        free_air_w = self._free_air(air_w, outdoor)
        lifted = self.chillers.lift(air_w - free_air_w, outdoor)
        liquid_short = self._reject(liquid_w + free_air_w + lifted + self.chillers.power_w, outdoor)
        self._power(liquid_w, air_w)
        self._short = (liquid_short, max(0.0, air_w - free_air_w - lifted))
        self.unmet_w = sum(self._short)
        return self.powers.total

    @property
    def free_cooling_state(self) -> float:
        """Air side without a compressor: 0 not at all, 1 partly, 2 wholly."""
        if self.free_ratio >= 1.0:
            return 2.0
        return 1.0 if self.free_ratio > 0.0 else 0.0

    def _free_air(self, air_w: float, outdoor: float) -> float:
        """Set and return the air-side heat that outdoor air takes without a compressor [W]."""
        share = (self.chillers.water_c + WATER_RISE_K - outdoor - COOLER_APPROACH_K) / WATER_RISE_K
        self.free_ratio = min(1.0, max(0.0, share))
        return air_w * self.free_ratio

    def _reject(self, heat_w: float, outdoor: float) -> float:
        """Set the dry coolers' fans for a heat; return what they can't reject [W]."""
        rated = max(1.0, self.plant.dry_coolers * self.plant.dry_cooler_w)
        head = max(0.3, (self.supply_setpoint_c + LIQUID_RISE_K / 2.0 - outdoor) / COOLER_DESIGN_K)
        needed = heat_w / (rated * head)
        self.fan_ratio = min(1.0, max(0.15, needed**1.25))  # heat transfer grows with flow to the 0.8
        return max(0.0, heat_w - rated * head)

    def _power(self, liquid_w: float, air_w: float) -> None:
        rated_liquid = float(self.cdu_rated_w.sum())
        self.air_flow = min(1.0, max(LEAST_FLOW, air_w / self.air_rated_w))
        loop = min(1.0, max(LEAST_FLOW, liquid_w / rated_liquid))
        cooler_rated = self.plant.dry_coolers * self.plant.dry_cooler_w
        self.powers = Powers(
            cdu_pumps=float((self.cdu_rated_w * self.cdu_flow**3).sum()) * CDU_PUMP_RATIO,
            loop_pumps=rated_liquid * LOOP_PUMP_RATIO * affinity(loop),
            air_fans=self.air_rated_w * AIR_FAN_RATIO * affinity(self.air_flow),
            cooler_fans=cooler_rated * COOLER_FAN_RATIO * affinity(self.fan_ratio),
            chillers=self.chillers.power_w,
        )

    def run(self, seconds: float) -> None:
        """Count the energy of `seconds` and let the temperatures drift toward their targets."""
        self.energy_wh += self.powers.total * seconds / 3600.0
        liquid_short, air_short = self._short
        part = 1.0 - math.exp(-seconds / TIME_CONSTANT_S)
        excess = liquid_short / float(self.cdu_rated_w.sum()) * 40.0
        self.supply_c += (self.supply_setpoint_c + excess - self.supply_c) * part
        reachable = np.maximum(self.cdu_setpoint_c, self.supply_c + CDU_APPROACH_K)
        self.liquid_c = self.liquid_c + (reachable - self.liquid_c) * part
        coldest_c = max(AIR_SUPPLY_C, self.chillers.water_c + COIL_APPROACH_K)  # valves throttle colder water
        air_target = coldest_c + air_short / self.air_rated_w * 25.0
        self.air_c += (air_target - self.air_c) * part

    def cdu_flow_lpm(self) -> Series:
        """Flow of every CDU's secondary loop [l/min]."""
        rated: Series = self.cdu_rated_w / (WATER_J_PER_L_K * LIQUID_RISE_K) * 60.0
        flow: Series = rated * self.cdu_flow
        return flow

    def cdu_pump_w(self, unit: int) -> float:
        """Electric power of one CDU's pumps [W]."""
        return float(self.cdu_rated_w[unit]) * CDU_PUMP_RATIO * affinity(float(self.cdu_flow[unit]))

    @property
    def loop_rise_k(self) -> float:
        """Temperature rise of the facility water over all CDUs [K]."""
        flow = float((self.cdu_rated_w * self.cdu_flow).sum())
        return LIQUID_RISE_K * float(self.cdu_heat_w.sum()) / flow

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "chillers": self.chillers.state(),
            "cdu_setpoint_c": self.cdu_setpoint_c.tolist(),
            "liquid_c": self.liquid_c.tolist(),
            "scalars": [self.supply_setpoint_c, self.supply_c, self.air_c, self.energy_wh],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.chillers.load(state["chillers"])
        self.cdu_setpoint_c, self.liquid_c = np.array(state["cdu_setpoint_c"]), np.array(state["liquid_c"])
        self.supply_setpoint_c, self.supply_c, self.air_c, self.energy_wh = state["scalars"]


def outdoor_c(sky: Conditions) -> float:
    """Air that enters the dry coolers [degC]: wet pads help when it is warm."""
    pads = PAD_RATIO if sky.ambient_c > PAD_FROM_C else 0.0
    return sky.ambient_c - pads * (sky.ambient_c - sky.wet_bulb_c)
