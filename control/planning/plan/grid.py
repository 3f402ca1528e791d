"""The plan's time grid: quarter-hours first, whole hours after; slots are counted from now."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.table import Floats, Integers

HOURS = STEP_S / 3600.0


@dataclass(frozen=True, slots=True)
class Grid:
    """`edges` are steps of 15 min from now: slot k covers the steps from edges[k] to edges[k + 1]."""

    edges: Integers

    @classmethod
    def of(cls, fine_h: float = 6.0, horizon_h: float = 48.0) -> "Grid":
        """15 min for the first `fine_h` hours, 1 h to `horizon_h`."""
        fine = np.arange(int(fine_h * 4))
        return cls(np.concatenate([fine, np.arange(int(fine_h * 4), int(horizon_h * 4) + 1, 4)]))

    def __len__(self) -> int:
        return len(self.edges) - 1

    @property
    def hours(self) -> Floats:
        """Length of each slot [h]."""
        return np.diff(self.edges.astype(np.float64) * HOURS)

    @property
    def ends_h(self) -> Floats:
        """End of each slot [h from now]."""
        return self.edges[1:].astype(np.float64) * HOURS

    def mean(self, series: Floats) -> Floats:
        """Slot means of a series per step; a short one goes on with its last value."""
        steps = int(self.edges[-1])
        whole = np.concatenate([series[:steps], np.full(max(0, steps - len(series)), series[-1])])
        total = np.concatenate([[0.0], np.cumsum(whole)])
        means: Floats = np.diff(total[self.edges]) / np.diff(self.edges).astype(np.float64)
        return means
