"""What a plan expects: a few courses of supply with their weights, from a forecast's bands."""

from dataclasses import dataclass

import numpy as np

from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.policy import Band, View
from igoudar.control.planning.table import Floats

# (weight, side): the middle, then 10 % and 90 %. The low one weighs most because an import peak, once billed,
# is not undone by a better week; tuned in the lab.
COURSES = ((0.3, 0.0), (0.5, -1.0), (0.2, 1.0))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Per slot; `supply_w` is (course, slot)."""

    weight: Floats
    supply_w: Floats
    urgent_w: Floats
    pue: Floats
    arrivals_gpu_h: Floats  # per step of 15 min


def outlook(view: View, grid: Grid, courses: tuple[tuple[float, float], ...] = COURSES) -> Outlook:
    """Courses that stay on one side of the forecast; the present slot is known in all of them."""
    steps = int(grid.edges[-1])
    if view.forecast is None:
        flat = np.full(steps, view.pv_w + view.wind_w)
        supply = np.repeat(grid.mean(flat)[None], len(courses), axis=0)
        urgent, pue, arrivals = np.full(steps, view.urgent_w), np.full(steps, view.pue), np.zeros(steps)
    else:
        given = view.forecast
        supply = np.stack([grid.mean(_course((given.pv, given.wind), side)) for _, side in courses])
        urgent, pue, arrivals = given.urgent.p50_w, given.pue, given.arrivals_gpu_s / 3600.0
    supply[:, 0] = view.pv_w + view.wind_w
    urgent_w, pue_ratio = grid.mean(urgent), grid.mean(pue)
    urgent_w[0], pue_ratio[0] = view.urgent_w, view.pue
    weight = np.array([weight for weight, _ in courses])
    return Outlook(weight / weight.sum(), supply, urgent_w, pue_ratio, arrivals)


def _course(bands: tuple[Band, ...], side: float) -> Floats:
    """The sum of bands, `side` of the way to where both together reach with 10 % on that side."""
    middle = np.sum([band.p50_w for band in bands], axis=0)
    if side == 0.0:
        return np.asarray(middle, np.float64)
    apart = [(band.p50_w - band.p10_w) if side < 0 else (band.p90_w - band.p50_w) for band in bands]
    away = np.sqrt(np.sum(np.square(apart), axis=0))
    return np.asarray(np.maximum(0.0, middle + side * away), np.float64)
