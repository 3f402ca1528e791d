"""Racks: power follows the jobs on them; half of the GPUs serve urgent load, half are for flexible jobs."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igoudar.core.model import Feed, Site
from igoudar.simulators.plant.noise import DAY_S, Series, noise_at
from igoudar.simulators.plant.power_limits import PowerLimits

URGENT_SWING = 0.15  # reference scenario: 1 + 0.15 sin(2 pi (h - 14) / 24)
URGENT_NOISE = 0.02
DYNAMIC = 0.5  # share of a rack's GPUs that serve urgent load


def urgent_w(site: Site, seed: int, time_s: float) -> float:
    """Urgent IT load of the site, the idle draw of every rack included, with 2 % noise [W]."""
    hour = (time_s % DAY_S) / 3600.0
    shape = 1.0 + URGENT_SWING * math.sin(2.0 * math.pi * (hour - 14.0) / 24.0)
    noise = 1.0 + URGENT_NOISE * noise_at(seed, "urgent", 300.0, 1800.0, time_s)
    return site.urgent_share * site.it_w * shape * noise


class Weights(NamedTuple):
    """Which share of which racks somebody carries."""

    racks: NDArray[np.int64]
    share: Series

    def of(self, rack_values: Series) -> float:
        """What is carried of values per rack."""
        return float((self.share * rack_values[self.racks]).sum())


class Occupied(NamedTuple):
    """What an outside scheduler runs: parts (0 to 1) of each rack's GPUs, in the site's order."""

    urgent: Series
    flexible: Series
    off: Series  # switched off: not even the idle draw is left

    @classmethod
    def none(cls, racks: int) -> "Occupied":
        """Nothing runs, nothing is off."""
        return cls(*(np.zeros(racks) for _ in cls._fields))


class Racks:
    """All racks of a site as arrays, in the site's order."""

    def __init__(self, site: Site, seed: int) -> None:
        racks = site.racks
        self.index = {rack.name: i for i, rack in enumerate(racks)}
        self.gpus = np.array([rack.gpus for rack in racks], dtype=np.int64)
        self.flexible_gpus = self.gpus // 2
        self.peak_w = np.array([rack.peak_w for rack in racks], dtype=float)
        self.idle_w = np.array([rack.idle_w for rack in racks], dtype=float)
        self.dynamic_w = self.peak_w - self.idle_w
        self.per_gpu_w = self.dynamic_w / np.maximum(self.gpus, 1)
        spread = np.random.default_rng([seed, 17]).normal(1.0, 0.08, len(racks))
        self.spread = spread / spread.mean() if len(racks) else spread
        # Air does not reach all racks alike: most within half a kelvin, the worst ones 1.4 K warmer.
        offsets = np.abs(np.random.default_rng([seed, 19]).normal(0.0, 0.5, len(racks)))
        self.inlet_offset_k = np.minimum(offsets, 1.4)
        self.urgent_ratio = np.zeros(len(racks))  # share of a rack's dynamic power in urgent use
        self.power_w = self.idle_w.copy()
        self.energy_wh = np.zeros(len(racks))
        self.flexible_w = 0.0
        self.limits = PowerLimits(len(racks))
        follows = site.scheduler.kind != "simulated"
        self.occupied = Occupied.none(len(racks)) if follows else None  # of the scheduler that is followed
        self.weights = _weights(site)

    def load(self, urgent: float, busy: NDArray[np.int64]) -> None:
        """Set the racks' power from the urgent load [W] and the flexible GPUs that are running, per rack."""
        pool = float(self.dynamic_w.sum()) * DYNAMIC
        level = max(0.0, urgent - float(self.idle_w.sum())) / pool if pool > 0 else 0.0
        self.urgent_ratio = DYNAMIC * np.clip(level * self.spread, 0.0, 1.0)
        self._draw(self.idle_w, busy * self.per_gpu_w)

    def follow(self, occupied: Occupied) -> None:
        """Set the racks' power from what an outside scheduler runs on them, urgent jobs and others."""
        self.urgent_ratio = np.clip(occupied.urgent, 0.0, 1.0)
        on = 1.0 - np.clip(occupied.off, 0.0, 1.0)
        flexible = self.dynamic_w * np.clip(occupied.flexible, 0.0, 1.0 - self.urgent_ratio)
        self._draw(self.idle_w * on, flexible)

    def _draw(self, idle_w: Series, flexible_w: Series) -> None:
        """Set the racks' power from what they want, as far as their power shelves' limits let them."""
        urgent, flexible = self.limits.share_out(idle_w, self.dynamic_w * self.urgent_ratio, flexible_w)
        self.flexible_w = float(flexible.sum())
        self.power_w = idle_w + urgent + flexible

    def run(self, seconds: float) -> None:
        """Count the energy of `seconds` at the present power."""
        self.energy_wh += self.power_w * (seconds / 3600.0)

    def utilisation(self) -> Series:
        """GPU utilisation of every rack, 0 to 1."""
        busy: Series = np.clip((self.power_w - self.idle_w) / np.maximum(self.dynamic_w, 1.0), 0.0, 1.0)
        return busy


def _weights(site: Site) -> dict[str, Weights]:
    """For every hall, feed and CDU: which share of which rack it carries."""
    feeds = {feed.name: feed for feed in site.feeds}
    carried: dict[str, dict[int, float]] = {}
    for i, rack in enumerate(site.racks):
        whole = {rack.hall, rack.cdu}
        for name in whole:
            carried.setdefault(name, {})[i] = 1.0
        for start in rack.feeds:
            for name in _upwards(feeds, start) - whole:
                racks = carried.setdefault(name, {})
                racks[i] = racks.get(i, 0.0) + 1.0 / len(rack.feeds)
    return {name: Weights(np.array(list(r)), np.array(list(r.values()))) for name, r in carried.items()}


def _upwards(feeds: dict[str, Feed], name: str) -> set[str]:
    """A feed and everything above it."""
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        name = feeds[name].parent if name in feeds else ""
    return seen
