"""Desalination and electrolyser: a power, a daily quantity, a limit that can be written."""

from dataclasses import asdict, dataclass
from typing import Any

from igoudar.core.model import FlexibleLoad
from igoudar.simulators.plant.noise import DAY_S

DESALINATION_WH_PER_M3 = 3_500.0  # seawater reverse osmosis with energy recovery
ELECTROLYSER_WH_PER_KG = 53_000.0  # hydrogen, system level


@dataclass(slots=True)
class Drive:
    """One flexible load.

    By itself it spreads what is left of the day's quantity evenly until midnight UTC. A written limit is
    followed instead, up to the day's quantity; what a limit kept back is done the next day.
    """

    load: FlexibleLoad
    wh_per_unit: float
    limit_w: float | None = None
    enabled: bool = True
    left_wh: float = 0.0
    day: int = -1
    power_w: float = 0.0
    energy_wh: float = 0.0

    @property
    def product(self) -> float:
        """What was made so far: m3 of water, or kg of hydrogen."""
        return self.energy_wh / self.wh_per_unit

    def decide(self, time_s: float, seconds: float) -> float:
        """Set the power for the `seconds` from `time_s` (since 1970); return it [W]."""
        day, within_s = divmod(time_s, DAY_S)
        if int(day) != self.day:
            self._new_day(int(day), within_s)
        even = self.left_wh / ((DAY_S - within_s) / 3600.0)
        wish = even if self.limit_w is None else self.limit_w
        most = min(self.load.power_w, self.left_wh / (max(seconds, 1.0) / 3600.0))
        self.power_w = min(max(0.0, wish), most) if self.enabled else 0.0
        return self.power_w

    def _new_day(self, day: int, within_s: float) -> None:
        """Add a day's quantity (at the start, of the rest of the day); at most a full day's run is owed."""
        part = 1.0 - within_s / DAY_S if self.day < 0 else 1.0
        self.left_wh = min(self.left_wh + part * self.load.daily_wh, 24.0 * self.load.power_w)
        self.day = day

    def run(self, seconds: float) -> None:
        """Count the energy of `seconds` at the present power."""
        energy = self.power_w * seconds / 3600.0
        self.energy_wh += energy
        self.left_wh = max(0.0, self.left_wh - energy)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {key: value for key, value in asdict(self).items() if key not in ("load", "wh_per_unit")}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        for key, value in state.items():
            setattr(self, key, value)
