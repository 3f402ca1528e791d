"""What the bound may use beyond the plain site: caps, cooling that gives way, and limits that it must keep.

Each has at least the freedom that the plant leaves a policy; a scenario without it adds nothing.
"""

from typing import TYPE_CHECKING

import numpy as np

from igoudar.control.planning.plan.segments import segments
from igoudar.control.planning.policy import IMPORT, METERS, Cooling
from igoudar.control.planning.table import Integers
from igoudar.lab.events import strictest
from igoudar.lab.power import HOURS

if TYPE_CHECKING:
    from igoudar.lab.oracle import Relaxed

MW = 1e6
OVER_LIMIT_PER_MWH = 1e4  # more than any bill: an announced limit gives way only where no schedule keeps it
Relief = list[tuple[Integers, float]]


def add_caps(relaxed: "Relaxed", total: Integers) -> None:
    """What caps save, free of all rules but their curve; `total` are the rows that join jobs and power."""
    program, parts = relaxed.program, segments(relaxed.limits.cap_curve)
    saved = [program.add_columns(relaxed.steps) for _ in parts]
    for at, (width, loss) in enumerate(parts):
        program.put(total, saved[at], loss - 1.0)
        room = program.add_rows(relaxed.steps, high=0.0)
        program.put(room, relaxed.flexible, -width)
        for other, columns in enumerate(saved):
            program.put(room, columns, 1.0 - width if other == at else -width)


def add_cooling(relaxed: "Relaxed") -> Relief:
    """A warmer supply at no ramp and no cost, and the tank: columns that relieve the overhead."""
    cooling, add = relaxed.limits.cooling, relaxed.program.add_columns
    if cooling is None:
        return []
    most = cooling.tank_w / MW
    warm, out, into = add(relaxed.steps), add(relaxed.steps, high=most), add(relaxed.steps, high=most)
    relief = [(warm, 1.0), (out, 1.0), (into, -1.0)]
    for columns, sign in relief:
        relaxed.program.put(relaxed.net, columns, sign)
    room = np.maximum(0.0, relaxed.period.pue - cooling.least_pue)
    for share, parts in ((np.minimum(room, cooling.most_ratio), (warm,)), (room, (warm, out))):
        rows = relaxed.program.add_rows(relaxed.steps, high=share * relaxed.period.urgent_w / MW)
        relaxed.program.put(rows, relaxed.flexible, -share)
        for columns in parts:
            relaxed.program.put(rows, columns, 1.0)
    _tank(relaxed, cooling, out, into)
    return relief


def _tank(relaxed: "Relaxed", cooling: Cooling, out: Integers, into: Integers) -> None:
    """Empty at first; what is in it at the end is worth nothing."""
    program, put = relaxed.program, relaxed.program.put
    held = program.add_columns(relaxed.steps, high=cooling.tank_wh / MW)
    rows = program.add_rows(relaxed.steps, 0.0, 0.0)
    put(rows, held, 1.0)
    put(rows[1:], held[:-1], -((1.0 - cooling.loss_per_h) ** HOURS))
    put(rows, into, -HOURS)
    put(rows, out, HOURS)


def add_limits(relaxed: "Relaxed", relief: Relief) -> Integers:
    """Announced limits, known from the start: the columns of what is above them."""
    return np.concatenate([_limit(relaxed, meter, relief) for meter in METERS])


def _limit(relaxed: "Relaxed", meter: str, relief: Relief) -> Integers:
    program, period = relaxed.program, relaxed.period
    limit_w = strictest(period.limits, meter, relaxed.steps)
    steps = np.flatnonzero(np.isfinite(limit_w))
    over = program.add_columns(len(steps), cost=OVER_LIMIT_PER_MWH * HOURS)
    if meter == IMPORT:
        rows = program.add_rows(len(steps), high=limit_w[steps] / MW)
        program.put(rows, relaxed.imported[steps], 1.0)
    else:
        pue = period.pue[steps]
        rows = program.add_rows(len(steps), high=(limit_w[steps] - period.urgent_w[steps] * pue) / MW)
        program.put(rows, relaxed.flexible[steps], pue)
        for columns, sign in relief:
            program.put(rows, columns[steps], -sign)
    program.put(rows, over, -1.0)
    return over
