"""What the terms beyond the plain plan add to a step's orders: caps, a warmer supply, the tank. Pure."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.caps import lowered
from igoudar.control.planning.cooling import cooled
from igoudar.control.planning.plan.cooling import CoolingTerm
from igoudar.control.planning.plan.model import PlanModel
from igoudar.control.planning.plan.program import Solved
from igoudar.control.planning.plan.segments import CapSegments
from igoudar.control.planning.policy import Orders, View
from igoudar.control.planning.select import drawn_gpus
from igoudar.control.planning.table import Floats, Integers


@dataclass(frozen=True, slots=True)
class Extras:
    """Per step; zeros where a term is absent."""

    saved_w: Floats  # by caps: what full power would draw more
    warm_w: Floats  # by a warmer supply
    tank_w: Floats  # positive = cold is taken out

    @classmethod
    def of(cls, model: PlanModel, solved: Solved, slots: Integers) -> "Extras":
        """From an optimum, for some of its slots."""
        saved, warm, tank = np.zeros((3, len(model.grid)))
        for term in model.terms:
            if isinstance(term, CapSegments):
                saved = term.saved_w(solved, 0)
            elif isinstance(term, CoolingTerm):
                warm, tank = term.relief_w(solved, 0)
        return cls(saved[slots], warm[slots], tank[slots])

    def carried(self, view: View, orders: Orders, index: int) -> Orders:
        """The orders of the step at `index`, with all of them."""
        capped = lowered(view, orders, float(self.saved_w[index]))
        drawn = drawn_gpus(view, capped.run) * (1.0 if capped.power_ratio is None else capped.power_ratio)
        it_w = view.urgent_w + float(drawn.sum()) * view.limits.gpu_w
        return cooled(view, capped, it_w, float(self.warm_w[index]), float(self.tank_w[index]))
