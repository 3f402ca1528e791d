"""GPUs that will find power under the IT cap in the coming steps, beside the urgent load."""

import numpy as np

from igoudar.control.planning.policy import View
from igoudar.control.planning.table import Floats

DAY_STEPS = 96
HORIZON_STEPS = 7 * DAY_STEPS


def headroom(view: View) -> Floats:
    """GPUs per step, the present one first: as the urgent load is forecast, else as now; (HORIZON_STEPS,)."""
    if view.forecast is None:
        return np.full(HORIZON_STEPS, float(view.gpus_by_power))
    return _beside(view, view.forecast.urgent.p50_w)


class LastDay:
    """What a policy without a forecast goes by: the urgent load at the same time of the last day."""

    def __init__(self) -> None:
        self._urgent_w: list[float] = []

    def headroom(self, view: View) -> Floats:
        """GPUs per step; before a day is seen, as beside the highest urgent load so far; (HORIZON_STEPS,)."""
        self._urgent_w = [*self._urgent_w, view.urgent_w][-DAY_STEPS:]
        if len(self._urgent_w) < DAY_STEPS:
            return _beside(view, np.array([max(self._urgent_w)]))
        return _beside(view, np.array([self._urgent_w[-1], *self._urgent_w[:-1]]))


def _beside(view: View, urgent_w: Floats) -> Floats:
    """GPUs beside an urgent load; beyond its end the last day of it is repeated."""
    limits = view.limits
    days = np.resize(urgent_w[-DAY_STEPS:], HORIZON_STEPS)
    course_w = np.concatenate([urgent_w, days])[:HORIZON_STEPS]
    gpus = np.clip((limits.it_cap_w - course_w) / limits.gpu_w, 0.0, limits.gpus)
    gpus[0] = view.gpus_by_power
    return np.asarray(gpus, np.float64)
