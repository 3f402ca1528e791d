"""The rolling linear program, built once: columns, rows and what joins them. MW and MWh throughout."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from igoudar.control.planning.plan.classes import CLASSES
from igoudar.control.planning.plan.grid import Grid
from igoudar.control.planning.plan.outlook import Outlook
from igoudar.control.planning.plan.program import FREE, Program, Solver
from igoudar.control.planning.plan.terms import terms_of
from igoudar.control.planning.policy import Limits
from igoudar.control.planning.table import Floats, Integers

DRIVES = 2  # desalination, electrolyser: classes of work of their own
PEAK_PARTS = 3  # reached so far, expected in the period anyway, beyond


@dataclass(frozen=True, slots=True)
class Columns:
    """Column indices (course, slot), or as said; all courses share the first slot's."""

    work: Integers  # (course, class, slot): done by the end of the slot, cumulated
    drives: Integers  # (course, drive, slot): the same
    flexible: Integers  # IT power of jobs
    late: Integers  # of jobs that the cap leaves no room for
    imported: Integers
    over_limit: Integers  # import over its limit
    exported: Integers
    curtailed: Integers
    charge: Integers
    discharge: Integers
    stored: Integers
    down: Integers  # fall of flexible power against the slot before
    ramp: Integers  # change of the exchange with the grid beyond its ramp
    peak: Integers  # (course, part)
    missing: Integers  # (course,): charge that the period's end lacks


@dataclass(frozen=True, slots=True)
class Rows:
    """Row indices (course, slot), or as said; the first slot's exist once but for the peak's."""

    balance: Integers
    flexible: Integers
    rate: Integers  # (course, class, slot)
    needed: Integers  # of the work of all classes
    drive_rate: Integers
    stored: Integers
    down: Integers
    ramp_up: Integers
    ramp_down: Integers
    peak: Integers
    end: Integers  # (course,)


class PlanModel:
    """The structure for `courses` courses of supply over one grid."""

    def __init__(self, limits: Limits, grid: Grid, courses: int, limit_s: float = FREE) -> None:
        self.limits, self.grid, self.courses = limits, grid, courses
        self._program = Program()
        self.columns, self.rows = self._columns(), self._rows()
        self._work_entries()
        self._power_entries()
        self._battery_entries()
        self._change_entries()
        self.relief: list[tuple[Integers, float]] = []  # columns that lighten the facility's load
        self.terms = terms_of(self)
        self.size = self._program.columns, self._program.rows
        self.solver = Solver(self._program, method="simplex", limit_s=limit_s)

    def shared(self, *shape: int, row: bool = False, high: float = FREE) -> Integers:
        """New columns (or rows) of shape (course, ..., slot) whose first slot is the same in all courses."""
        slots, each = len(self.grid) - 1, int(np.prod(shape, dtype=np.int64))
        count = each + self.courses * each * slots
        made = self._program.add_rows(count) if row else self._program.add_columns(count, high=high)
        index = np.empty((self.courses, *shape, slots + 1), np.int64)
        index[..., 0] = made[:each].reshape(shape)
        index[..., 1:] = made[each:].reshape((self.courses, *shape, slots))
        return index

    def _columns(self) -> Columns:
        power, energy = self.limits.battery_w / 1e6, self.limits.soc_max_wh / 1e6
        return Columns(
            work=self.shared(CLASSES),
            drives=self.shared(DRIVES),
            flexible=self.shared(),
            late=self.shared(),
            imported=self.shared(),
            over_limit=self.shared(),
            exported=self.shared(high=self.limits.export_limit_w / 1e6),
            curtailed=self.shared(),
            charge=self.shared(high=power),
            discharge=self.shared(high=power),
            stored=self.shared(high=energy),
            down=self.shared(),
            ramp=self.shared(),
            peak=self._program.add_columns(PEAK_PARTS * self.courses).reshape(self.courses, PEAK_PARTS),
            missing=self._program.add_columns(self.courses),
        )

    def _rows(self) -> Rows:
        slots = len(self.grid)
        return Rows(
            balance=self.shared(row=True),
            flexible=self.shared(row=True),
            rate=self.shared(CLASSES, row=True),
            needed=self.shared(row=True),
            drive_rate=self.shared(DRIVES, row=True),
            stored=self.shared(row=True),
            down=self.shared(row=True),
            ramp_up=self.shared(row=True),
            ramp_down=self.shared(row=True),
            peak=self._program.add_rows(self.courses * slots, high=0.0).reshape(self.courses, slots),
            end=self._program.add_rows(self.courses),
        )

    def weights(self, outlook: Outlook) -> Floats:
        """Of each course and slot in the objective; the shared first slot counts once."""
        weight: Floats = outlook.weight[:, None] * np.ones(len(self.grid))
        weight[:, 0] = 1.0
        return weight

    def put(self, rows: Integers, columns: Integers, values: ArrayLike) -> None:
        """Entries (course, ..., slot), those of the shared first slot once."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, np.float64))
        self._program.put(row[:1, ..., :1], column[:1, ..., :1], value[:1, ..., :1])
        self._program.put(row[..., 1:], column[..., 1:], value[..., 1:])

    def put_later(self, rows: Integers, columns: Integers, values: ArrayLike) -> None:
        """Entries of every slot but the shared first."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, np.float64))
        self._program.put(row[..., 1:], column[..., 1:], value[..., 1:])

    def put_before(self, rows: Integers, columns: Integers, values: ArrayLike) -> None:
        """Entries that join each slot's row to the column of the slot before."""
        row, column, value = np.broadcast_arrays(rows, columns, np.asarray(values, np.float64))
        self._program.put(row[..., 1:], column[..., :-1], value[..., 1:])

    def _work_entries(self) -> None:
        """Power is what work grows by in a slot."""
        columns, rows, per_h = self.columns, self.rows, 1.0 / self.grid.hours
        for row, column in ((rows.rate, columns.work), (rows.drive_rate, columns.drives)):
            self.put(row, column, 1.0)
            self.put_before(row, column, -1.0)
        for row, column, sign in (
            (rows.flexible, columns.work, 1.0),
            (rows.balance, columns.drives, -1.0),
        ):
            self.put(row[:, None, :], column, sign * per_h)
            self.put_before(row[:, None, :], column, -sign * per_h)
        self.put(rows.needed[:, None, :], columns.work, 1.0)
        self.put(rows.flexible, columns.flexible, -1.0)
        self.put(rows.flexible, columns.late, -1.0)

    def _power_entries(self) -> None:
        """Supply + import + discharge = load + charge + export + curtailment; no import above the peak."""
        columns, rows = self.columns, self.rows
        for column, sign in (
            *((columns.imported, 1.0), (columns.over_limit, 1.0), (columns.discharge, 1.0)),
            *((columns.charge, -1.0), (columns.exported, -1.0), (columns.curtailed, -1.0)),
            (columns.flexible, -1.0),  # times the PUE, which changes
        ):
            self.put(rows.balance, column, sign)
        self._program.put(rows.peak, columns.imported, 1.0)
        self._program.put(rows.peak, columns.over_limit, 1.0)
        self._program.put(rows.peak[:, :, None], columns.peak[:, None, :], -1.0)

    def _battery_entries(self) -> None:
        columns, rows, hours = self.columns, self.rows, self.grid.hours
        self.put(rows.stored, columns.stored, 1.0)
        self.put_before(rows.stored, columns.stored, -1.0)
        self.put(rows.stored, columns.charge, -self.limits.efficiency * hours)
        self.put(rows.stored, columns.discharge, hours / self.limits.efficiency)
        self._program.put(rows.end, columns.missing, 1.0)
        self._program.put(rows.end, columns.stored[:, -1], 1.0)

    def _change_entries(self) -> None:
        """What a slot changes against the one before: flexible power, and the exchange with the grid."""
        columns, rows = self.columns, self.rows
        self.put(rows.down, columns.flexible, 1.0)
        self.put_before(rows.down, columns.flexible, -1.0)
        self.put(rows.down, columns.down, 1.0)
        for row, sign in ((rows.ramp_up, 1.0), (rows.ramp_down, -1.0)):
            for column, way in ((columns.imported, 1.0), (columns.over_limit, 1.0), (columns.exported, -1.0)):
                self.put(row, column, sign * way)
                self.put_before(row, column, -sign * way)
            self.put(row, columns.ramp, -1.0)
