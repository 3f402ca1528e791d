"""A series as it stood when a forecast was issued: what came later can't be read through it."""

from igoudar.control.planning.table import Floats
from igoudar.core.errors import IgoudarError


class FutureReadError(IgoudarError):
    """A forecast asked for what nobody knew when it was issued."""


class Seen:
    """The part of a series of 15-min steps that is known when step `now` begins, that step included.

    The first step begins on a full hour, `start_hour` of the day (UTC), in `month` (1-12, 0 = not known).
    `clear` is the clear-sky output per hour from the first step to 48 h after `now` at least: the sun's
    course is known beforehand. `outlook` is what a weather service, at the issue time, foretold for the
    present hour and the 48 after it.
    """

    def __init__(
        self,
        series: Floats,
        now: int,
        start_hour: int = 0,
        month: int = 0,
        clear: Floats | None = None,
        outlook: Floats | None = None,
    ) -> None:
        if not 0 <= now < len(series):
            raise FutureReadError(f"step {now} of a series of {len(series)}", fix="issue within the series")
        self._series, self.now, self.start_hour, self.month = series, now, start_hour, month
        self.clear, self.outlook = clear, outlook

    def at(self, step: int) -> float:
        """The value of one step.

        Raises:
            FutureReadError: the step lies after the issue time, or before the series.
        """
        return float(self.between(step, step + 1)[0])

    def between(self, first: int, end: int) -> Floats:
        """Values of steps `first` to `end` (excluded), as a copy.

        Raises:
            FutureReadError: one of them lies after the issue time, or before the series.
        """
        if first < 0 or end > self.now + 1:
            what = f"steps {first} to {end - 1} asked for when only 0 to {self.now} are known"
            raise FutureReadError(what, fix="read the past only")
        return self._series[first:end].copy()
