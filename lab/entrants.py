"""The policies that may enter a study, by the names that INTERFACES.md pins."""

from collections.abc import Callable, Sequence

import numpy as np

from igoudar.control.planning import baselines
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.policy import Forecast, Limits, Policy
from igoudar.control.planning.rolling import Rolling
from igoudar.control.planning.table import Floats
from igoudar.lab.engine import Played, play
from igoudar.lab.forecasts import forecaster_for, teachers
from igoudar.lab.foresight import Foresight
from igoudar.lab.oracle import Bound, bound
from igoudar.lab.periods import FIRST_CHARGE, Period, limits_of
from igoudar.lab.power import charge_after_wh
from igoudar.lab.scenario import Scenario

Issue = Callable[[int], Forecast]

SIMPLE: dict[str, Callable[[], Policy]] = {
    "run-now": baselines.RunNow,
    "daily": baselines.Daily,
    "threshold": baselines.Threshold,
    "greedy": baselines.Greedy,
    "wait-awhile": baselines.WaitAwhile,
    "wait-awhile-interruptible": baselines.WaitAwhileInterruptible,
    "sure-surplus": baselines.SureSurplus,
}
FORECASTS = {
    "wait-awhile": "model",
    "wait-awhile-interruptible": "model",
    "sure-surplus": "model",
    "rolling-persistence": "persistence",
    "rolling": "model",
}
NAMES = (*SIMPLE, "rolling-persistence", "rolling", "reachable", "oracle")


def enter(name: str, scenario: Scenario, periods: Sequence[Period], index: int) -> Played:
    """Play one period of a run with the policy of that name."""
    period, limits = periods[index], limits_of(scenario)
    if name == "oracle":
        return Played(bound_site(period, limits, bound(period, limits)), None)
    return play(period, limits, _policy(name, period, limits), _issue(name, scenario, periods, index))


def _policy(name: str, period: Period, limits: Limits) -> Policy:
    if name == "reachable":
        whole = Grid.of(horizon_h=period.end_s / 3600.0)
        return Rolling(limits, name=name, knowledge=Foresight(period), grid=whole)
    return SIMPLE[name]() if name in SIMPLE else Rolling(limits, name=name)


def _issue(name: str, scenario: Scenario, periods: Sequence[Period], index: int) -> Issue | None:
    if name not in FORECASTS:
        return None
    others = teachers(periods, index, scenario)
    return forecaster_for(periods[index], others, scenario, FORECASTS[name])


def bound_site(period: Period, limits: Limits, best: Bound) -> dict[str, Floats]:
    """The bound's profile as a site table."""
    load_w = (period.urgent_w + best.flexible_w) * period.pue + best.desalination_w + best.electrolyser_w
    offered_w = period.pv_w + period.wind_w + best.import_w + best.battery_w
    return {
        "pv_w": period.pv_w,
        "wind_w": period.wind_w,
        "urgent_w": period.urgent_w,
        "flexible_w": best.flexible_w,
        "cooling_w": (period.pue - 1.0) * (period.urgent_w + best.flexible_w),
        "battery_w": best.battery_w,
        "soc_wh": _charge_wh(limits, best.battery_w),
        "import_w": best.import_w,
        "export_w": best.export_w,
        "curtailed_w": offered_w - load_w - best.export_w,
        "desalination_w": best.desalination_w,
        "electrolyser_w": best.electrolyser_w,
        "pue": period.pue,
    }


def _charge_wh(limits: Limits, battery_w: Floats) -> Floats:
    soc_wh, held_wh = np.zeros(len(battery_w)), FIRST_CHARGE * limits.battery_wh
    for step, power_w in enumerate(battery_w):
        held_wh = soc_wh[step] = charge_after_wh(limits, held_wh, float(power_w))
    return soc_wh
