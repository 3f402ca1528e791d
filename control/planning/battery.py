"""When the battery should not follow its own rule: the plan keeps charge for later, or fetches it now. Pure.

By itself the battery covers every lack and takes every surplus. That stays so unless the plan clearly
differs: what is stored beyond the plan is free to use, and what the plan wants stored is kept.
"""

from dataclasses import dataclass

APART = (
    0.10  # of the rating: a plan that differs by less is followed by the battery's own rule; our assumption
)
GRID_W = 1e3  # an import of less is rounding


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

    battery_w: float  # positive = discharge
    import_w: float
    stored_wh: float  # at the step's end
    hours_left: float  # of the step


@dataclass(frozen=True, slots=True)
class Wish:
    """At most `discharge_w` out; negative = at least so much in."""

    discharge_w: float


def wish(stock: Stock, course: Course) -> Wish | None:
    """What to ask of the battery; None = its own rule."""
    apart_w, hours = APART * stock.rated_w, max(course.hours_left, 1 / 60)
    missing_wh = course.stored_wh - stock.stored_wh
    if missing_wh > 0 and course.battery_w < -apart_w and course.import_w > GRID_W:
        charge_w = min(stock.rated_w, missing_wh / stock.efficiency / hours)
        return Wish(-charge_w) if charge_w > max(stock.surplus_w, 0.0) + apart_w else None
    by_itself_w = min(stock.rated_w, max(0.0, -stock.surplus_w))
    free_w = max(0.0, -missing_wh) * stock.efficiency / hours
    return Wish(free_w) if free_w < by_itself_w - apart_w else None
