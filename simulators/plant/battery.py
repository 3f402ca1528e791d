"""Battery bank: losses each way, limits, self-consumption by itself, rates that a setpoint bounds."""

from dataclasses import asdict, dataclass, field
from typing import Any

from igoudar.core.model import BatteryBank

CHARGE_BOUND, DISCHARGE_BOUND = 1, 2  # bits of SunSpec 124 StorCtl_Mod


@dataclass(slots=True)
class Rates:
    """What was written to one power converter, with the meaning of SunSpec model 124.

    A negative rate forces the other direction: mode 2 with discharge_rate_pct = -50 charges at 50 % or more.
    """

    storage_mode_state: float = 0.0
    discharge_rate_pct: float = 100.0
    charge_rate_pct: float = 100.0
    reserve_pct: float = 0.0

    def bounds(self) -> tuple[float, float]:
        """Lowest and highest power over rated power; positive = discharge."""
        mode = int(self.storage_mode_state)
        high = self.discharge_rate_pct / 100.0 if mode & DISCHARGE_BOUND else 1.0
        low = -self.charge_rate_pct / 100.0 if mode & CHARGE_BOUND else -1.0
        low, high = max(-1.0, min(1.0, low)), max(-1.0, min(1.0, high))
        return min(low, high), high


@dataclass(slots=True)
class Converter:
    """One power converter: its share of the bank."""

    share: float
    rates: Rates = field(default_factory=Rates)
    revert_s: float = 0.0
    power_w: float = 0.0
    charge_wh: float = 0.0
    discharge_wh: float = 0.0
    loss_wh: float = 0.0


class Battery:
    """One stock of energy behind one or more converters; AC power, positive = discharge."""

    def __init__(self, bank: BatteryBank, shares: dict[str, float]) -> None:
        self.bank = bank
        self.converters = {name: Converter(share) for name, share in shares.items()}
        rest = 1.0 - sum(shares.values())
        if rest > 1e-9:
            self.converters[""] = Converter(rest)
        self.stored_wh = 0.5 * bank.energy_wh
        self.power_w = 0.0

    @property
    def soc_pct(self) -> float:
        """State of charge [%]."""
        return 100.0 * self.stored_wh / self.bank.energy_wh if self.bank.energy_wh > 0 else 0.0

    def follow(self, surplus_w: float, seconds: float) -> float:
        """Set the power from the campus' surplus (negative = lack) for the next `seconds`; return it [W]."""
        self.power_w = 0.0
        for unit in self.converters.values():
            low, high = unit.rates.bounds()
            rated = self.bank.power_w * unit.share
            wish = min(max(-surplus_w * unit.share, low * rated), high * rated)
            unit.power_w = self._within_stock(wish, unit, seconds)
            self.power_w += unit.power_w
        return self.power_w

    def _within_stock(self, wish_w: float, unit: Converter, seconds: float) -> float:
        """A wish cut to what the converter's share of the stock can give or take in `seconds`."""
        bank, hours = self.bank, max(seconds, 1.0) / 3600.0
        floor = bank.energy_wh * max(bank.soc_min_pct, unit.rates.reserve_pct) / 100.0
        ceiling = bank.energy_wh * bank.soc_max_pct / 100.0
        most = max(0.0, self.stored_wh - floor) * unit.share * bank.efficiency / hours
        least = -max(0.0, ceiling - self.stored_wh) * unit.share / bank.efficiency / hours
        return min(max(wish_w, least), most)

    def run(self, seconds: float) -> None:
        """Move the stock by `seconds` at the present power."""
        hours, efficiency = seconds / 3600.0, self.bank.efficiency
        for unit in self.converters.values():
            energy = unit.power_w * hours
            unit.discharge_wh += max(0.0, energy)
            unit.charge_wh += max(0.0, -energy)
            unit.loss_wh += energy * (1.0 / efficiency - 1.0) if energy > 0 else -energy * (1.0 - efficiency)
            self.stored_wh -= energy / efficiency if energy > 0 else energy * efficiency

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"stored_wh": self.stored_wh, "converters": {n: asdict(c) for n, c in self.converters.items()}}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.stored_wh = state["stored_wh"]
        for name, kept in state["converters"].items():
            self.converters[name] = Converter(**{**kept, "rates": Rates(**kept["rates"])})
