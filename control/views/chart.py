"""One time axis for what was and what may come; null where nothing is known."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from igoudar.control.planner.ask import Plan
from igoudar.control.scene import Scene
from igoudar.control.schema import Chart
from igoudar.control.series import Column
from igoudar.control.windows import QUARTER

AHEAD_STEPS = 192
LOADS = ("urgent_w", "flexible_w", "cooling_w", "drives_w")


def chart(scene: Scene) -> Chart:
    """The last 24 h metered, the load without shift beside it; 48 h ahead as the plan in force expects it."""
    day, found = scene.day, scene.plan.plan
    time = day.time + [day.time[-1] + QUARTER * step for step in range(1, AHEAD_STEPS + 1)]
    nothing: Column = [None] * AHEAD_STEPS
    run_now = [scene.run_now.get(at) for at in day.time]
    moved = [
        load - without if load is not None and without is not None else None
        for load, without in zip(day.load_w, run_now, strict=True)
    ]
    return Chart(
        time=time,
        now=scene.now,
        renewable_w=day.renewable_w + nothing,
        load_w=day.load_w + nothing,
        run_now_w=run_now + nothing,
        moved_w=moved + nothing,
        forecast_p10_w=_planned(found, time, "supply_p10_w"),
        forecast_p50_w=_planned(found, time, "supply_p50_w"),
        forecast_p90_w=_planned(found, time, "supply_p90_w"),
        plan_w=_planned(found, time, *LOADS),
    )


def _planned(found: Plan | None, time: Sequence[datetime], *names: str) -> Column:
    """The sum of some of the plan's columns on the chart's axis; none without a plan."""
    if found is None:
        return []
    total = np.sum([found.powers[name] for name in names], axis=0)
    steps = [found.step(at) for at in time]
    return [None if step is None else float(total[step]) for step in steps]
