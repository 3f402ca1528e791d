"""The policies that may enter a study, by the names that INTERFACES.md pins."""

from collections.abc import Callable, Sequence

import numpy as np

from igoudar.control.planning import baselines
from igoudar.control.planning.policy import Forecast, Limits, Policy
from igoudar.control.planning.rolling import Rolling
from igoudar.control.planning.table import Floats
from igoudar.lab.engine import Played, play
from igoudar.lab.forecasts import forecaster_for, teachers
from igoudar.lab.oracle import Bound, bound
from igoudar.lab.periods import Period, limits_of
from igoudar.lab.reachable import best_known, charges_wh, reachable
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
NAMES = (*SIMPLE, "rolling-persistence", "rolling", "reachable", "best-known", "oracle")


def enter(name: str, scenario: Scenario, periods: Sequence[Period], index: int) -> Played:
    """Play one period of a run with the policy of that name."""
    period, limits = periods[index], limits_of(scenario)
    if name == "oracle":
        return Played(bound_site(period, limits, bound(period, limits)), None)
    if name == "reachable":
        return reachable(period, limits)
    if name == "best-known":
        return best_known(period, limits)
    return play(period, limits, _policy(name, limits), _issue(name, scenario, periods, index))


def _policy(name: str, limits: Limits) -> Policy:
    return SIMPLE[name]() if name in SIMPLE else Rolling(limits, name=name)


def _issue(name: str, scenario: Scenario, periods: Sequence[Period], index: int) -> Issue | None:
    if name not in FORECASTS:
        return None
    others = teachers(periods, index, scenario)
    return forecaster_for(periods[index], others, scenario, FORECASTS[name])


def bound_site(period: Period, limits: Limits, best: Bound) -> dict[str, Floats]:
    """The bound's profile as a site table."""
    it_w = period.urgent_w + best.flexible_w
    cooling_w = (period.pue - 1.0) * it_w - best.relief_w
    load_w = it_w * period.pue - best.relief_w + best.desalination_w + best.electrolyser_w
    offered_w = period.pv_w + period.wind_w + best.import_w + best.battery_w
    return {
        "pv_w": period.pv_w,
        "wind_w": period.wind_w,
        "urgent_w": period.urgent_w,
        "flexible_w": best.flexible_w,
        "cooling_w": cooling_w,
        "battery_w": best.battery_w,
        "soc_wh": charges_wh(limits, best.battery_w),
        "import_w": best.import_w,
        "export_w": best.export_w,
        "curtailed_w": offered_w - load_w - best.export_w,
        "desalination_w": best.desalination_w,
        "electrolyser_w": best.electrolyser_w,
        "pue": period.pue if limits.cooling is None else 1.0 + cooling_w / np.maximum(it_w, 1.0),
    }
