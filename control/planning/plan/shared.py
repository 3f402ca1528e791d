"""Bounds, sides and costs of columns (course, ..., slot) whose first slot all courses share."""

import numpy as np

from igoudar.control.planning.plan.program import Solver
from igoudar.control.planning.table import Floats, Integers


def once(index: Integers, low: Floats | float, high: Floats | float) -> tuple[Integers, Floats, Floats]:
    """Flattened, with what the courses share taken once."""
    shaped = np.broadcast_arrays(index, np.asarray(low, np.float64), np.asarray(high, np.float64))
    first = [part[0, ..., 0].ravel() for part in shaped]
    rest = [part[..., 1:].ravel() for part in shaped]
    flat, lows, highs = (np.concatenate(pair) for pair in zip(first, rest, strict=True))
    return flat, lows, highs


def bound(solver: Solver, columns: Integers, low: Floats | float, high: Floats | float) -> None:
    """New bounds of columns."""
    solver.bound_columns(*once(columns, low, high))


def sides(solver: Solver, rows: Integers, low: Floats | float, high: Floats | float) -> None:
    """New sides of rows."""
    solver.bound_rows(*once(rows, low, high))


def price(solver: Solver, columns: Integers, cost: Floats | float) -> None:
    """New costs of columns."""
    flat, costs, _ = once(columns, cost, 0.0)
    solver.price_columns(flat, costs)
