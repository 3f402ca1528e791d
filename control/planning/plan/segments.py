"""Capped power: GPUs that run at less than full power, along the convex curve of throughput against power.

A MW saved in a segment costs `loss` MW of work. Where that is one or more, running fewer gangs does as well;
such segments are left out.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from igoudar.control.planning.plan import shared
from igoudar.control.planning.plan.binding import Binding
from igoudar.control.planning.plan.classes import Corridor
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE, Solved
from igoudar.control.planning.policy import View, Why
from igoudar.control.planning.table import Floats, Integers
from igoudar.core.throughput import CURVE, IDLE_RATIO, throughput_ratio

if TYPE_CHECKING:
    from igoudar.control.planning.plan.model import PlanModel

MW = 1e6
SEEN_W = 1e3  # less than this is rounding
CAP_PER_MWH = 5.0  # of power saved: users' jobs are slowed for something that is worth it; our assumption
Curve = tuple[tuple[float, float], ...]


def cap_curve(least_ratio: float, *, above_idle: bool = False) -> Curve:
    """(share of power, share of throughput) from the lowest cap up to full power, ascending.

    No cap goes below the idle draw: no work is done there. With `above_idle` the power counted is what a
    running GPU adds to an idle one.
    """
    least = max(least_ratio, IDLE_RATIO)
    points = [(least, throughput_ratio(least)), *(point for point in CURVE if point[0] > least)]
    base = IDLE_RATIO if above_idle else 0.0
    return tuple(((power - base) / (1.0 - base), work) for power, work in points)


def segments(curve: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """(width over full power, work lost per power saved) from full power down, while capping saves more."""
    found = [(high[0] - low[0], (high[1] - low[1]) / (high[0] - low[0])) for low, high in pairwise(curve)]
    return [(width, loss) for width, loss in reversed(found) if loss < 1.0]


class CapSegments:
    """Flexible power = what full power would be, less what each segment saves."""

    def __init__(self, model: "PlanModel") -> None:
        self._model = model
        self.parts = segments(model.limits.cap_curve)
        self.saved = model.shared(len(self.parts))  # (course, part, slot) [MW]
        self._room = model.shared(len(self.parts), row=True)
        self._full = model.shared(row=True)
        flexible = model.columns.flexible
        for at, (width, loss) in enumerate(self.parts):
            model.put(model.rows.flexible, self.saved[:, at], loss - 1.0)
            model.put(self._room[:, at], flexible, -width)
            for other in range(len(self.parts)):
                share = 1.0 - width if other == at else -width
                model.put(self._room[:, at], self.saved[:, other], share)
            model.put(self._full, self.saved[:, at], 1.0)
        model.put(self._full, flexible, 1.0)

    def feed(self, view: View, outlook: Outlook, work: Corridor) -> None:
        """GPUs are occupied at full power's worth, however little they draw."""
        solver, limits = self._model.solver, view.limits
        shared.sides(solver, self._room, -FREE, 0.0)
        cap_w = np.minimum(limits.it_cap_w - outlook.urgent_w, limits.gpus * limits.gpu_w)
        most_w = np.minimum(np.maximum(0.0, cap_w), work.rate.sum(axis=0) * limits.gpu_w)
        shared.sides(solver, self._full, -FREE, most_w / MW)
        cost = self._model.weights(outlook) * self._model.grid.hours * CAP_PER_MWH
        shared.price(solver, self.saved, cost[:, None, :])

    def saved_w(self, solved: Solved, course: int) -> Floats:
        """Per slot, what the caps take off [W]."""
        columns: Integers = self.saved[course]
        total: Floats = np.maximum(0.0, solved.value[columns]).sum(axis=0) * MW
        return total

    def gave_way(self, solved: Solved, course: int) -> tuple[Why, ...]:
        """Nothing: no cap has to be kept."""
        return ()

    def binds(self, solved: Solved, course: int, weight: Floats) -> tuple[Binding, ...]:
        """Where every GPU is at its lowest cap."""
        rows: Integers = self._room[course]
        price = np.abs(solved.price[rows]).min(axis=0) / (weight * self._model.grid.hours)
        saved_w = self.saved_w(solved, course)
        told_w = np.where(saved_w > SEEN_W, saved_w, np.inf)  # what runs nothing is at its lowest cap, too
        return (Binding("planner.step_caps", "power_w", told_w, price),)
