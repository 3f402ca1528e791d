"""A farm of equal machines behind one meter: PV inverters or wind turbines, each with its own limit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from igoudar.core.model import Device


@dataclass(slots=True)
class Curtailment:
    """What was written to one inverter, with the meaning of SunSpec model 123."""

    limit_pct: float = 100.0
    limit_enabled_state: float = 0.0
    limit_revert_s: float = 0.0

    @property
    def ratio(self) -> float:
        """Highest power over rated power."""
        return min(1.0, max(0.0, self.limit_pct / 100.0)) if self.limit_enabled_state >= 1.0 else float("inf")


class Farm:
    """Machines that share one resource; what no device stands for is one machine without a limit."""

    def __init__(self, rated_w: float, devices: Sequence[Device], seed: int, key: int) -> None:
        shares = [device.share for device in devices]
        rest = max(0.0, 1.0 - sum(shares))
        shares = [*shares, rest] if rest > 1e-9 else shares
        self.rated_w = rated_w
        self.index = {device.name: i for i, device in enumerate(devices)}
        self.share = np.array(shares)
        self.unit_w = rated_w * self.share
        spread = np.random.default_rng([seed, key]).normal(1.0, 0.012, len(shares))
        mean = float((spread * self.share).sum())
        self.spread = spread / mean if mean > 0 else spread  # mismatch, wakes
        self.curtailments = {device.name: Curtailment() for device in devices}
        self.limit_w = np.full(len(shares), np.inf)
        self.available_w = np.zeros(len(shares))
        self.possible_w = np.zeros(len(shares))
        self.power_w = np.zeros(len(shares))
        self.energy_wh = np.zeros(len(shares))

    def resource(self, ratio: float) -> None:
        """Set what sun or wind offer (share of rated power), and what the machines' limits leave of it."""
        self.available_w = np.minimum(self.unit_w * self.spread * ratio, self.unit_w)
        self.possible_w = np.minimum(self.available_w, self.limit_w)

    def produce(self, keep: float) -> None:
        """Feed in `keep` (0 to 1) of what is possible; the rest is curtailed."""
        self.power_w = self.possible_w * keep

    def run(self, seconds: float) -> None:
        """Count the energy of `seconds` at the present power."""
        self.energy_wh += self.power_w * (seconds / 3600.0)

    def curtail(self, device: str, point: str, value: float) -> None:
        """Write one point of a machine's curtailment."""
        curtailment, unit = self.curtailments[device], self.index[device]
        setattr(curtailment, point, value)
        self.limit_w[unit] = self.unit_w[unit] * curtailment.ratio if self.unit_w[unit] > 0 else 0.0

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "limit_w": self.limit_w.tolist(),
            "energy_wh": self.energy_wh.tolist(),
            "curtailments": {name: asdict(kept) for name, kept in self.curtailments.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.limit_w, self.energy_wh = np.array(state["limit_w"]), np.array(state["energy_wh"])
        self.curtailments = {name: Curtailment(**kept) for name, kept in state["curtailments"].items()}
