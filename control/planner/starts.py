"""When each waiting job starts if the plan's GPUs are handed out, least slack first. Pure."""

from dataclasses import dataclass, field

import numpy as np

from igoudar.control.planning.policy import STEP_S, View
from igoudar.control.planning.table import Floats, Integers
from igoudar.control.planning.urgency import left_s, running, slack_s


def starts(view: View, wanted_gpus: Floats, *, forced: bool = True) -> tuple[dict[int, int], Floats]:
    """Row -> step of its start, and the GPUs in use per step.

    Jobs that run go on to their end; a waiting one starts at its latest step even beyond `wanted_gpus`,
    unless `forced` is off.
    """
    rows = view.active
    runs = running(view, rows)
    steps = np.maximum(1, np.ceil(left_s(view, rows) / STEP_S)).astype(np.int64)
    used = np.zeros(len(wanted_gpus))
    for row, length in zip(rows[runs], steps[runs], strict=True):
        used[:length] += view.jobs.gpus[row]
    waiting = rows[~runs]
    slack = slack_s(view, waiting)
    latest = np.maximum(0.0, np.floor(slack / STEP_S)) if forced else np.full(len(waiting), np.inf)
    order = np.lexsort((waiting, slack))
    crowd = _Crowd(waiting[order], view.jobs.gpus[waiting[order]], steps[~runs][order], latest[order], used)
    return crowd.placed(wanted_gpus), used


@dataclass(slots=True)
class _Crowd:
    """Waiting jobs, least slack first."""

    rows: Integers
    gpus: Integers
    length: Integers  # steps
    latest: Floats
    used: Floats
    found: dict[int, int] = field(default_factory=dict)

    def placed(self, wanted: Floats) -> dict[int, int]:
        left = list(range(len(self.rows)))
        for step in range(len(wanted)):
            left = [job for job in left if not self._starts(job, step, wanted[step])]
            if not left:
                break
        return self.found

    def _starts(self, job: int, step: int, wanted: float) -> bool:
        if self.latest[job] > step and self.used[step] + self.gpus[job] > wanted:
            return False
        self.used[step : step + self.length[job]] += self.gpus[job]
        self.found[int(self.rows[job])] = step
        return True
