"""The policies that may enter a study, by the names that INTERFACES.md pins."""

from collections.abc import Callable, Sequence

from igoudar.control.planning import baselines
from igoudar.control.planning.policy import Policy
from igoudar.lab.engine import Played, play
from igoudar.lab.periods import Period, limits_of
from igoudar.lab.scenario import Scenario

SIMPLE: dict[str, Callable[[], Policy]] = {
    "run-now": baselines.RunNow,
    "daily": baselines.Daily,
    "threshold": baselines.Threshold,
    "greedy": baselines.Greedy,
    "wait-awhile": baselines.WaitAwhile,
    "wait-awhile-interruptible": baselines.WaitAwhileInterruptible,
    "sure-surplus": baselines.SureSurplus,
}
NAMES = tuple(SIMPLE)


def enter(name: str, scenario: Scenario, periods: Sequence[Period], index: int) -> Played:
    """Play one period of a run with the policy of that name."""
    return play(periods[index], limits_of(scenario), SIMPLE[name]())
