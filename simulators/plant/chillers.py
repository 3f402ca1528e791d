"""Trim chillers: they lift what outdoor air can't take from the air-side loop."""

from dataclasses import asdict, dataclass
from typing import Any

WATER_C = 19.0  # leaving chilled water, our assumption: warm, so that free cooling carries most hours
WATER_RISE_K = 6.0
CONDENSER_APPROACH_K = 12.0  # condensing over outdoor air
EVAPORATOR_APPROACH_K = 4.0


def chiller_cop(lift_k: float) -> float:
    """Cooling over electric power: 45 % of Carnot at 285 K, between 3 and 9 (our assumption)."""
    return min(9.0, max(3.0, 0.45 * 285.0 / max(lift_k, 10.0)))


@dataclass(slots=True)
class Chiller:
    """One machine: what was written to it, and what it does now."""

    rated_w: float
    setpoint_c: float = WATER_C
    demand_limit_pct: float = 100.0
    enabled: bool = True
    heat_w: float = 0.0
    power_w: float = 0.0

    @property
    def available_w(self) -> float:
        """Heat it may lift now [W]."""
        return self.rated_w * self.demand_limit_pct / 100.0 if self.enabled else 0.0


class Chillers:
    """All chillers of a site; one nameless machine where no device stands for them."""

    def __init__(self, rated_w: float, shares: dict[str, float]) -> None:
        self.units = {name: Chiller(rated_w * share) for name, share in (shares or {"": 1.0}).items()}

    @property
    def water_c(self) -> float:
        """Chilled water that leaves the running machines, mixed [degC]."""
        running = [unit.setpoint_c for unit in self.units.values() if unit.enabled]
        return sum(running) / len(running) if running else WATER_C

    def lift(self, heat_w: float, outdoor_c: float) -> float:
        """Share a heat among the machines by what each may lift; return what they lift [W]."""
        most = sum(unit.available_w for unit in self.units.values())
        part = min(1.0, heat_w / most) if most > 0 else 0.0
        for unit in self.units.values():
            unit.heat_w = unit.available_w * part
            lift_k = outdoor_c + CONDENSER_APPROACH_K - unit.setpoint_c + EVAPORATOR_APPROACH_K
            unit.power_w = unit.heat_w / chiller_cop(lift_k)
        return sum(unit.heat_w for unit in self.units.values())

    @property
    def power_w(self) -> float:
        """Electric power of all machines [W]."""
        return sum(unit.power_w for unit in self.units.values())

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {name: asdict(unit) for name, unit in self.units.items()}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.units = {name: Chiller(**kept) for name, kept in state.items()}
