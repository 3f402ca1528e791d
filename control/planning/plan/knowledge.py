"""What a plan may know of the time ahead: a forecast and the habits of arriving work."""

from typing import Protocol

from igoudar.control.planning.plan.classes import Corridor, Habit, corridors, with_arrivals
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.outlook import COURSES, Outlook, outlook
from igoudar.control.planning.policy import View

HABIT_STEPS = 24  # what arriving work is like is learned anew so often


class Knowledge(Protocol):
    """Where a plan takes the time ahead from."""

    courses: int

    def ahead(self, view: View, grid: Grid) -> tuple[Outlook, Corridor]:
        """Supply and load per slot, and the work that may be done in it."""
        ...


class Expected:
    """Courses of supply around a forecast, and work as it usually arrives."""

    def __init__(self, courses: tuple[tuple[float, float], ...] = COURSES) -> None:
        self.courses, self._given = len(courses), courses
        self._habit: Habit | None = None

    def ahead(self, view: View, grid: Grid) -> tuple[Outlook, Corridor]:
        """The forecast's courses; known jobs and those that usually come."""
        look = outlook(view, grid, self._given)
        if self._habit is None or view.step % HABIT_STEPS == 0:
            self._habit = Habit.of(view, int(grid.edges[-1]))
        known = corridors(view, grid)
        return look, with_arrivals(known, look.arrivals_gpu_h, self._habit, grid)
