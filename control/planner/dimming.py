"""What caps leave of the flexible jobs' power, now and over the last two days. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from igoudar.control.actuation.schedulers import QueuedJob
from igoudar.control.planning.policy import STEP_S
from igoudar.control.planning.table import Floats
from igoudar.core.model import JobState

KEPT_STEPS = 49 * 4  # as far back as the plan looks, and an hour
Dimmed = Mapping[str, float]
"""Rack -> what its cap leaves of its jobs' power above idle, 0 to 1; a rack without a cap is not in it."""


def drawing_gpus(jobs: Iterable[QueuedJob], dimmed: Dimmed) -> float:
    """Running flexible GPUs at full power's worth: a capped one counts as what its cap leaves of it."""
    return sum(job.gpus * left(job, dimmed) for job in jobs if _runs(job))


def left(job: QueuedJob, dimmed: Dimmed) -> float:
    """What caps leave of a job's power, its GPUs spread evenly over its racks."""
    return sum(dimmed.get(rack, 1.0) for rack in job.racks) / len(job.racks) if job.racks else 1.0


@dataclass(slots=True)
class Dimming:
    """The mean of what was left in each step; what nobody noted was at full power."""

    _steps: dict[int, tuple[float, int]] = field(default_factory=dict)  # step -> (sum, how many)

    def note(self, at: datetime, jobs: Iterable[QueuedJob], dimmed: Dimmed) -> None:
        """How it stands now."""
        running = [job for job in jobs if _runs(job)]
        gpus = sum(job.gpus for job in running)
        ratio = drawing_gpus(running, dimmed) / gpus if gpus else 1.0
        step = int(at.timestamp() // STEP_S)
        total, count = self._steps.get(step, (0.0, 0))
        self._steps[step] = (total + ratio, count + 1)
        for old in [one for one in self._steps if one < step - KEPT_STEPS]:
            del self._steps[old]

    def ratios(self, edges: Floats) -> Floats:
        """Per step between edges [POSIX s]."""
        found = (self._steps.get(int(edge // STEP_S), (1.0, 1)) for edge in edges[:-1])
        return np.array([total / count for total, count in found])


def _runs(job: QueuedJob) -> bool:
    return job.flexible and job.state is JobState.RUNNING
