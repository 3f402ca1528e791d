"""Power limits of racks, set at their power shelves: what is left for jobs, and how fast they then run."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from igoudar.core.throughput import CURVE, IDLE_RATIO
from igoudar.simulators.plant.noise import Series

POWERS, WORKS = (np.array(column) for column in zip(*CURVE, strict=True))


@dataclass(slots=True)
class Limit:
    """What was written to one power shelf."""

    power_limit_w: float
    limit_enabled_state: float = 0.0


class PowerLimits:
    """The limits of all racks; a rack without one is not touched.

    A limit takes from the flexible jobs of its rack first. What is then still above it is taken from the
    urgent load, never from the idle draw, and counted: a plan that lets this happen broke its promise.
    """

    def __init__(self, racks: int) -> None:
        self.limit_w = np.full(racks, np.inf)
        self.throughput = np.ones(racks)  # of the flexible jobs of each rack, 0 to 1
        self.urgent_cut_w = 0.0
        self.settings: dict[str, Limit] = {}

    def set(self, device: str, point: str, value: float, rack: int, share: float, peak_w: float) -> bool:
        """Take one written point of a shelf that feeds `share` of a rack; tells whether it has that point."""
        if point not in Limit.__slots__:
            return False
        setting = self.settings.setdefault(device, Limit(peak_w * share))
        setattr(setting, point, value)
        enabled = setting.limit_enabled_state >= 1.0
        self.limit_w[rack] = setting.power_limit_w / share if enabled else np.inf
        return True

    def share_out(self, idle_w: Series, urgent_w: Series, flexible_w: Series) -> tuple[Series, Series]:
        """What the limits leave of urgent and flexible power above the idle draw, per rack [W]."""
        room = np.maximum(self.limit_w - idle_w, 0.0)
        urgent = np.minimum(urgent_w, room)
        flexible = np.minimum(flexible_w, room - urgent)
        self.urgent_cut_w = float((urgent_w - urgent).sum())
        left = np.divide(flexible, flexible_w, out=np.ones(len(room)), where=flexible_w > 0)
        self.throughput = np.interp(IDLE_RATIO + (1.0 - IDLE_RATIO) * left, POWERS, WORKS)
        return urgent, flexible

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {
            "limits": {str(rack): float(w) for rack, w in enumerate(self.limit_w) if np.isfinite(w)},
            "settings": {name: asdict(setting) for name, setting in self.settings.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        for rack, limit_w in state["limits"].items():
            self.limit_w[int(rack)] = limit_w
        self.settings = {name: Limit(**kept) for name, kept in state["settings"].items()}
