"""What travels between the loop and the process that solves: a question, and a plan or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.control.planning.forecast.history import Record
from igoudar.control.planning.policy import View, Why
from igoudar.control.planning.table import Floats

STEP = timedelta(minutes=15)
Teaching = Mapping[str, Sequence[Record]]  # channel -> what its forecast learns from


@dataclass(frozen=True, slots=True)
class Ask:
    """One instant of the site; `seen` are 15-min steps up to the present one, which is the last."""

    view: View
    most: Mapping[str, float]  # what a channel can reach [W]
    seen: Mapping[str, Record]
    arrivals_gpu_s: float  # expected per step
    notes: tuple[Why, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """192 steps of 15 min from `start` on; powers are step means [W]."""

    version: str
    issued_at: datetime
    start: datetime  # of the step in which it was issued
    powers: Mapping[str, Floats]  # by the names of schema.PlanStep
    gpus: Floats  # of flexible jobs
    starts: Mapping[str, int]  # waiting job -> step; absent when it starts beyond the horizon
    job_reasons: Mapping[str, Why]
    step_reasons: tuple[tuple[Why, ...], ...]
    gave_way: tuple[Why, ...]
    notes: tuple[Why, ...]
    solve_s: float
    drives: Mapping[str, Floats] = field(default_factory=dict)  # desalination, electrolyser [W]
    stored_wh: Floats | None = None  # in the battery at each step's end
    saved_w: Floats | None = None  # by caps, of flexible power
    warm_w: Floats | None = None  # overhead that a warmer cooling supply saves; None = it is not the plan's
    precharge_w: Floats | None = None  # charge bought from the grid for an announced limit

    def step(self, at: datetime) -> int | None:
        """Index of the step that holds `at`, None outside the plan."""
        index = int((at - self.start) // STEP)
        return index if 0 <= index < len(self.gpus) else None

    def start_of(self, job_id: str) -> datetime | None:
        """When a waiting job starts."""
        index = self.starts.get(job_id)
        return self.start + STEP * index if index is not None else None


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Nothing came out, and why."""

    why: Why


def floor_step(at: datetime) -> datetime:
    """The step that holds `at`."""
    return at - timedelta(seconds=at.timestamp() % STEP.total_seconds())
