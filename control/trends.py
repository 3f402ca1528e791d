"""What a tile shows of the last 24 h where no counter tells: one value per 15-min step."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.records.tables import PublishedRow
from igoudar.control.windows import QUARTER, floor_quarter

DAY_STEPS = 96


@dataclass(slots=True)
class Trends:
    """The last value seen in each step; closed steps wait to be published."""

    values: dict[str, dict[datetime, float]] = field(default_factory=dict)
    _closed: dict[tuple[str, datetime], float] = field(default_factory=dict)

    def note(self, name: str, at: datetime, value: float | None) -> None:
        """Enter a value at a time; none leaves the step empty."""
        if value is None:
            return
        steps = self.values.setdefault(name, {})
        step = floor_quarter(at)
        if step not in steps and steps:
            last = max(steps)
            self._closed[(name, last)] = steps[last]
        steps[step] = value
        if len(steps) > 2 * DAY_STEPS:
            del steps[min(steps)]

    def history(self, name: str, now: datetime) -> list[tuple[datetime, float | None]]:
        """96 steps up to now; None where nothing was seen."""
        steps = self.values.get(name, {})
        return [(step, steps.get(step)) for step in day_steps(now)]

    def take_closed(self, editions: dict[str, str]) -> list[PublishedRow]:
        """Rows for the steps that ended since the last call."""
        rows = [
            PublishedRow(name=name, time=step, value=value, edition=editions.get(name, ""))
            for (name, step), value in self._closed.items()
        ]
        self._closed.clear()
        return rows

    def restore(self, rows: Iterable[PublishedRow]) -> None:
        """Take up what an earlier process had published."""
        for row in rows:
            self.values.setdefault(row.name, {})[row.time] = row.value


def day_steps(now: datetime) -> list[datetime]:
    """The starts of the last 96 steps, the present one included."""
    last = floor_quarter(now)
    return [last - QUARTER * back for back in range(DAY_STEPS - 1, -1, -1)]
