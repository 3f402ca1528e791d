"""One job on the simulated cluster: what it is, where it stands, what it has done."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from igoudar.core.model import Job, JobState


@dataclass(slots=True)
class JobRecord:
    """A job and where it stands; times in seconds since 1970."""

    job: Job
    expected_s: float
    submitted_s: float
    state: JobState = JobState.WAITING
    begin_s: float = 0.0  # not started before
    began_s: float | None = None  # first start
    finished_s: float | None = None
    done_s: float = 0.0  # work done until `since_s`
    since_s: float = 0.0  # start of the present run
    placed: dict[int, int] = field(default_factory=dict)  # rack index -> GPUs
    stops: int = 0
    shifted: bool = False  # held, delayed or suspended by somebody
    pace: float = 1.0  # of the present run: work per time; less than 1 under a power limit

    @property
    def begin_at(self) -> datetime:
        """Not started before, UTC."""
        return datetime.fromtimestamp(self.begin_s, UTC)

    @property
    def started(self) -> datetime | None:
        """First start, UTC."""
        return None if self.began_s is None else datetime.fromtimestamp(self.began_s, UTC)

    @property
    def finished(self) -> datetime | None:
        """End, UTC."""
        return None if self.finished_s is None else datetime.fromtimestamp(self.finished_s, UTC)

    @property
    def end_s(self) -> float:
        """When the present run ends by itself."""
        left_s = self.job.duration_s - self.done_s
        return self.since_s + left_s / self.pace if self.pace > 0 else math.inf

    def work_done_s(self, now_s: float) -> float:
        """Work done until `now_s` [s at full power]."""
        running = self.state is JobState.RUNNING
        return min(
            self.job.duration_s, self.done_s + (self.pace * (now_s - self.since_s) if running else 0.0)
        )


def expected_s(job: Job, seed: int) -> float:
    """What a scheduler would expect a job to last [s]: the truth within about 20 %, fixed by seed and job."""
    draw = np.random.default_rng([seed, crc32(job.job_id.encode())]).normal()
    return job.duration_s * (1.0 + 0.12 * float(np.clip(draw, -1.7, 1.7)))


def place(free: NDArray[np.int64], gpus: int) -> dict[int, int]:
    """Racks for a gang, rack index -> GPUs: the fullest one that holds it whole, else the emptiest ones."""
    whole = np.flatnonzero(free >= gpus)
    if len(whole):
        return {int(whole[np.argmin(free[whole])]): gpus}
    placed: dict[int, int] = {}
    for rack in np.argsort(-free, kind="stable").tolist():
        placed[rack] = min(gpus, int(free[rack]))
        gpus -= placed[rack]
        if gpus == 0:
            break
    return placed
