"""Jobs as columns, so that a week of fifteen thousand jobs costs a policy milliseconds."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]


class Phase(IntEnum):
    """Where a job stands."""

    AHEAD = 0  # not submitted yet
    WAITING = 1
    RUNNING = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class JobTable:
    """What is known of the jobs when they are submitted, one row a job, sorted by submission.

    Times are seconds since the start of the run. `expected_s` and `longest_s` are what a scheduler reckons
    with; `duration_s` is the truth and belongs to the plant alone: no policy but the oracle reads it.
    """

    job_id: tuple[str, ...]
    gpus: Integers
    submitted_s: Floats
    duration_s: Floats  # work at full power [s]
    expected_s: Floats
    longest_s: Floats  # not exceeded, as far as deadlines are concerned
    deadline_s: Floats  # inf when there is none
    preemptible: Booleans
    checkpoint_s: Floats  # work lost by one stop
    min_run_s: Floats  # once started, not stopped before

    def __len__(self) -> int:
        return len(self.job_id)


@dataclass(slots=True)
class Fleet:
    """Where every job of a table stands; arrays as long as the table."""

    phase: NDArray[np.int8]
    done_s: Floats  # useful work so far
    since_s: Floats  # start of the present run, NaN when not running
    first_start_s: Floats  # NaN before
    finished_s: Floats  # NaN before
    stops: Integers
    stopped_s: Floats  # the last one, NaN before

    @classmethod
    def fresh(cls, count: int) -> "Fleet":
        """`count` jobs that are all still ahead."""
        unknown = np.full(count, np.nan)
        return cls(
            np.zeros(count, np.int8),
            np.zeros(count),
            unknown.copy(),
            unknown.copy(),
            unknown.copy(),
            np.zeros(count, np.int64),
            unknown.copy(),
        )
