"""A scheduler that does not answer, or in no known form, is an alarm: no job is moved meanwhile."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from igoudar.control.alarms.watch import Conditions, Signal, standing
from igoudar.control.picture import Picture
from igoudar.core.terminal import printable

CODE, PRIORITY = "scheduler_unheard", 2
AFTER_S = 60.0  # site time: a scheduler that is restarted is no alarm


@dataclass(frozen=True, slots=True)
class Unheard:
    """Tells the alarm engine in each cycle.

    Args:
        site: Its name.
        trouble: What is wrong with the scheduler's list of jobs, "" while it can be read.
    """

    site: str
    trouble: Callable[[], str]

    def signals(self, picture: Picture, before: Conditions) -> Iterator[Signal]:
        """What the alarm engine follows."""
        why = self.trouble()
        params: dict[str, object] = {"why": printable(why)}
        yield standing(CODE, self.site, PRIORITY, bool(why), picture.at, before, params, AFTER_S)
