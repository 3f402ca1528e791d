"""A linear program put together in columns and rows, and HiGHS to solve it again and again."""

from dataclasses import dataclass, field
from typing import Any

import highspy
import numpy as np
from numpy.typing import ArrayLike

from igoudar.control.planning.table import Floats, Integers

FREE = float("inf")
DEVEX = 1  # HiGHS: prices rows cheaper than by steepest edge, which pays only for starts from nothing
_UNTYPED: Any = highspy  # its annotations miss half of what it has


@dataclass(slots=True)
class Program:
    """Columns, rows and the entries between them, gathered before HiGHS sees any; it minimises."""

    cost: list[Floats] = field(default_factory=list)
    low: list[Floats] = field(default_factory=list)
    high: list[Floats] = field(default_factory=list)
    row_low: list[Floats] = field(default_factory=list)
    row_high: list[Floats] = field(default_factory=list)
    entries: list[tuple[Integers, Integers, Floats]] = field(default_factory=list)
    columns: int = 0
    rows: int = 0

    def add_columns(
        self, count: int, low: ArrayLike = 0.0, high: ArrayLike = FREE, cost: ArrayLike = 0.0
    ) -> Integers:
        """`count` columns with their bounds and costs; their indices."""
        for kept, given in ((self.low, low), (self.high, high), (self.cost, cost)):
            kept.append(np.broadcast_to(np.asarray(given, np.float64), count))
        self.columns += count
        return np.arange(self.columns - count, self.columns)

    def add_rows(self, count: int, low: ArrayLike = -FREE, high: ArrayLike = FREE) -> Integers:
        """`count` rows with their sides; their indices."""
        for kept, given in ((self.row_low, low), (self.row_high, high)):
            kept.append(np.broadcast_to(np.asarray(given, np.float64), count))
        self.rows += count
        return np.arange(self.rows - count, self.rows)

    def put(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Entries of the matrix, broadcast against each other; entries at one place may not repeat."""
        shaped = np.broadcast_arrays(np.asarray(rows), np.asarray(columns), np.asarray(values, np.float64))
        at_row, at_column, value = (part.ravel() for part in shaped)
        self.entries.append((at_row, at_column, value))

    def model(self) -> Any:
        """The program as HiGHS takes it."""
        rows, columns, values = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        order = np.lexsort((rows, columns))
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self.columns, self.rows
        model.col_cost_ = np.concatenate(self.cost)
        model.col_lower_, model.col_upper_ = np.concatenate(self.low), np.concatenate(self.high)
        model.row_lower_, model.row_upper_ = np.concatenate(self.row_low), np.concatenate(self.row_high)
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(self.columns + 1)).astype(np.int32)
        model.a_matrix_.index_ = rows[order].astype(np.int32)
        model.a_matrix_.value_ = values[order]
        return model


@dataclass(frozen=True, slots=True)
class Solved:
    """An optimum: values and prices. `price` of a row is what one more unit of its right side costs."""

    objective: float
    value: Floats
    price: Floats


class Solver:
    """HiGHS around one program: quiet, on one thread, bounded in time, started from its last optimum."""

    def __init__(self, program: Program, *, method: str = "choose", limit_s: float = FREE) -> None:
        self._highs: Any = _UNTYPED.Highs()
        self._limit_s = limit_s
        options: dict[str, object] = {"output_flag": False, "threads": 1, "solver": method}
        options["simplex_dual_edge_weight_strategy"] = DEVEX
        for name, value in options.items():
            self._highs.setOptionValue(name, value)
        self._highs.passModel(program.model())

    def bound_columns(self, columns: Integers, low: Floats, high: Floats) -> None:
        """New bounds of columns."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), low, high)

    def bound_rows(self, rows: Integers, low: Floats, high: Floats) -> None:
        """New sides of rows."""
        self._highs.changeRowsBounds(len(rows), rows.astype(np.int32), low, high)

    def price_columns(self, columns: Integers, cost: Floats) -> None:
        """New costs of columns."""
        self._highs.changeColsCost(len(columns), columns.astype(np.int32), cost)

    def put(self, rows: Integers, columns: Integers, values: Floats) -> None:
        """New entries of the matrix."""
        for row, column, value in zip(rows, columns, values, strict=True):
            self._highs.changeCoeff(int(row), int(column), float(value))

    def solve(self) -> Solved | None:
        """The optimum, None when there is none within the time limit."""
        self._highs.setOptionValue(
            "time_limit", self._highs.getRunTime() + self._limit_s
        )  # its clock runs on
        self._highs.run()
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return None
        solution = self._highs.getSolution()
        return Solved(
            self._highs.getObjectiveValue(), np.array(solution.col_value), np.array(solution.row_dual)
        )
