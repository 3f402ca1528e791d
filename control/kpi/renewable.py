"""Renewable share of consumption, with the battery's memory of what charged it.

Source: INTERFACES.md, KPI boundary: (on-site generation used + battery discharge x renewable share of its
charge) / total consumption, per 15 min, energy-weighted.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quarter:
    """Energies of one 15-min step [Wh], all metered in the same step."""

    generation_wh: float
    import_wh: float
    export_wh: float
    charge_wh: float
    discharge_wh: float

    @property
    def consumption_wh(self) -> float:
        """What the campus used, battery losses left out [Wh]."""
        supplied = self.generation_wh + self.import_wh + self.discharge_wh
        return max(0.0, supplied - self.export_wh - self.charge_wh)


@dataclass(frozen=True, slots=True)
class Stock:
    """Energy put into the battery and not yet taken out [Wh], and how much of it was renewable."""

    total_wh: float = 0.0
    renewable_wh: float = 0.0

    @property
    def share(self) -> float:
        """Renewable share of the charge; unknown charge counts as none."""
        return self.renewable_wh / self.total_wh if self.total_wh > 0 else 0.0

    def charged(self, renewable_wh: float, grid_wh: float) -> "Stock":
        """The stock after charging from both origins."""
        return Stock(self.total_wh + renewable_wh + grid_wh, self.renewable_wh + renewable_wh)

    def discharged(self, energy_wh: float) -> "Stock":
        """The stock after a discharge, which takes from both origins alike."""
        left = max(0.0, self.total_wh - energy_wh)
        return Stock(left, left * self.share)


@dataclass(frozen=True, slots=True)
class Share:
    """Renewable and total consumption of one step [Wh], and the battery's stock after it."""

    renewable_wh: float
    consumption_wh: float
    stock: Stock

    @property
    def ratio(self) -> float | None:
        """Renewable share of the step, None when nothing was used."""
        return self.renewable_wh / self.consumption_wh if self.consumption_wh > 0 else None


def step(quarter: Quarter, stock: Stock) -> Share:
    """One step: load and export take generation first, the battery takes what is left of it, then grid."""
    used_wh = min(quarter.consumption_wh, max(0.0, quarter.generation_wh - quarter.export_wh))
    spare_wh = max(0.0, quarter.generation_wh - quarter.export_wh - used_wh)
    stored_wh = min(quarter.charge_wh, spare_wh)
    from_battery_wh = min(quarter.discharge_wh, quarter.consumption_wh - used_wh) * stock.share
    after = stock.discharged(quarter.discharge_wh).charged(stored_wh, quarter.charge_wh - stored_wh)
    return Share(used_wh + from_battery_wh, quarter.consumption_wh, after)


def shares(quarters: Iterable[Quarter | None], stock: Stock) -> list[Share | None]:
    """Every step in turn, the stock carried along; a step that was not metered stays None."""
    found: list[Share | None] = []
    for quarter in quarters:
        share = step(quarter, stock) if quarter else None
        stock = share.stock if share else stock
        found.append(share)
    return found


def renewable_share(steps: Iterable[Share | None]) -> float | None:
    """Energy-weighted share over the metered steps, None when nothing was used in them."""
    known = [share for share in steps if share]
    consumption_wh = sum(share.consumption_wh for share in known)
    return sum(share.renewable_wh for share in known) / consumption_wh if consumption_wh > 0 else None
