"""When the battery should not follow its own rule: the plan keeps charge for later. Pure.

By itself the battery covers every lack and takes every surplus. That stays so unless the plan clearly
differs: it imports although charge is there. Then what is stored beyond the plan is free to use, and what the
plan wants stored is kept. A lack that the plan did not expect is covered as ever. Charge is never bought from
the grid on a forecast alone: its losses are certain, the peak that it would spare is not.
"""

from dataclasses import dataclass

GRID_W = 1e3  # an import of less is rounding
APART = 0.10  # of the rating: a plan that differs by less is not begun to be followed; our assumption
LEAST_H = 0.1  # what is free is spread over so long at least: it must not grow without end as a step ends


@dataclass(frozen=True, slots=True)
class Stock:
    """The battery now; power positive = discharge."""

    rated_w: float
    efficiency: float  # each way
    stored_wh: float
    surplus_w: float  # generation less load; negative = lack


@dataclass(frozen=True, slots=True)
class Course:
    """What the plan has for the present step."""

    stored_wh: float  # at its end
    import_w: float
    hours_left: float


def discharge_most_w(stock: Stock, course: Course, *, kept: bool) -> float | None:
    """The most that may be taken out now [W]; None = the battery's own rule.

    `kept` says that a bound stands: it does until the battery by itself would take no more than is free.
    """
    if course.import_w <= GRID_W:
        return None
    hours = max(course.hours_left, LEAST_H)
    free_w = max(0.0, stock.stored_wh - course.stored_wh) * stock.efficiency / hours
    by_itself_w = min(stock.rated_w, max(0.0, -stock.surplus_w))
    apart_w = 0.0 if kept else APART * stock.rated_w
    return free_w if free_w < by_itself_w - apart_w else None
