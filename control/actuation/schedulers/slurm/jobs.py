"""Jobs as Slurm lists them, of any version since 22.05. Times are wall times [POSIX s]."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from igoudar.control.actuation.schedulers.slurm import hostlist
from igoudar.control.actuation.schedulers.slurm.document import AnswerError, Fields, records

MINUTE_S = 60.0
CUT = "..."  # the end of a task list that Slurm has shortened

_GRES = re.compile(r"(?:^|,)(?:gres[:/])?gpu(?:[:=]([0-9]+)|:[\w.-]+?(?:[:=]([0-9]+))?)?(?=[,(]|$)", re.ASCII)
_TRES = re.compile(r"(?:^|,)gres/gpu=([0-9]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """One job, one task of an array, or all tasks of an array that still wait together."""

    number: int  # Slurm's own
    job_id: str  # what people call it
    target: str  # what commands must call it, so that they meet this and nothing else
    name: str
    user: str
    partitions: tuple[str, ...]
    qos: str
    comment: str
    mark: str  # the administrator's comment
    states: frozenset[str]
    reason: str
    held: bool
    gpus: int  # of one task
    tasks: int
    at_once: int  # tasks that may run at the same time
    licences: str
    nodes: tuple[str, ...]
    submitted_s: float
    begin_s: float | None
    started_s: float | None
    ended_s: float | None
    deadline_s: float | None
    suspended_s: float | None
    ran_before_s: float
    limit_s: float | None  # None = none
    requeue: bool
    leader: int  # of a heterogeneous job, 0 = it is none

    @property
    def pending(self) -> bool:
        """It waits."""
        return "PENDING" in self.states

    @property
    def running(self) -> bool:
        """It runs, and is not about to end."""
        return "RUNNING" in self.states and "COMPLETING" not in self.states

    @property
    def suspended(self) -> bool:
        """It was stopped where it stands."""
        return "SUSPENDED" in self.states

    @property
    def over(self) -> bool:
        """It will not run any more."""
        return not (self.pending or self.running or self.suspended or "CONFIGURING" in self.states)

    def ran_s(self, now_s: float) -> float:
        """How long it has worked [s]."""
        if self.started_s is None or self.pending:
            return 0.0
        if self.suspended:
            return self.ran_before_s
        end_s = self.ended_s if self.over and self.ended_s is not None else now_s
        since_s = self.suspended_s or self.started_s
        return max(0.0, self.ran_before_s + end_s - since_s)


def read_jobs(text: bytes) -> list[SlurmJob]:
    """All jobs of `squeue --json`; the parts of a heterogeneous job keep their own records.

    Raises:
        AnswerError: naming version and field, for an answer that can't be read.
    """
    return [_job(fields) for fields in records(text, "jobs")]


def gpus_of(texts: Iterable[str]) -> int:
    """GPUs in Slurm's words for resources: `gpu:h100:8(IDX:0-7)`, `gres:gpu:2`, `gres/gpu=4`."""
    return sum(int(bare or typed or 1) for text in texts for bare, typed in _GRES.findall(text))


def _job(fields: Fields) -> SlurmJob:
    number, array = fields.whole("job_id"), fields.count("array_job_id")
    task = fields.number("array_task_id") if array else None
    waiting_tasks = fields.text("array_task_string") if array and task is None else ""
    states = frozenset(word.upper() for word in (*fields.words("job_state"), *fields.words("state_flags")))
    if not states:
        raise AnswerError("job_state is missing", where=fields.where)
    job_id = f"{array}_{int(task)}" if task is not None else str(array or number)
    count, at_once = _tasks(waiting_tasks, fields)
    limit = fields.number("time_limit")
    return SlurmJob(
        number=number,
        job_id=job_id,
        target=_target(job_id, waiting_tasks),
        name=fields.text("name"),
        user=fields.text("user_name"),
        partitions=tuple(fields.text("partition").split(",")),
        qos=fields.text("qos"),
        comment=fields.text("comment"),
        mark=fields.text("admin_comment"),
        states=states,
        reason=fields.text("state_reason"),
        held=_held(fields, states),
        gpus=_gpus(fields, "PENDING" in states),
        tasks=count,
        at_once=min(count, at_once or fields.count("array_max_tasks") or count),
        licences=fields.text("licenses"),
        nodes=_nodes(fields),
        submitted_s=float(fields.whole("submit_time")),
        begin_s=fields.time_s("eligible_time"),
        started_s=fields.time_s("start_time"),
        ended_s=fields.time_s("end_time"),
        deadline_s=fields.time_s("deadline"),
        suspended_s=fields.time_s("suspend_time"),
        ran_before_s=float(fields.count("pre_sus_time")),
        limit_s=limit * MINUTE_S if limit is not None and math.isfinite(limit) else None,
        requeue=fields.flag("requeue"),
        leader=fields.count("het_job_id"),
    )


def _held(fields: Fields, states: frozenset[str]) -> bool:
    if "PENDING" not in states:
        return False
    return fields.number("priority") == 0 or fields.text("state_reason") in ("JobHeldUser", "JobHeldAdmin")


def _tasks(expression: str, fields: Fields) -> tuple[int, int | None]:
    if not expression:
        return 1, None
    listed, _, throttle = expression.partition("%")
    if CUT in listed:  # shown short: what is left of it is counted
        listed = listed[: listed.rindex(",")] if "," in listed else "0"
    try:
        return hostlist.tasks(f"{listed}%{throttle}" if throttle else listed)
    except ValueError as error:
        raise AnswerError(f"array_task_string: {error}", where=fields.where) from error


def _target(job_id: str, waiting_tasks: str) -> str:
    """A bare array number would reach its running tasks as well: the waiting ones are named."""
    listed = waiting_tasks.partition("%")[0]
    return f"{job_id}_[{listed}]" if listed and CUT not in listed else job_id


def _gpus(fields: Fields, pending: bool) -> int:
    if not pending:
        held = gpus_of(fields.words("gres_detail"))
        tracked = _TRES.findall(fields.text("tres_alloc_str"))
        if held or tracked:
            return max([held, *map(int, tracked)])
    tracked = _TRES.findall(fields.text("tres_req_str"))
    if tracked:
        return int(tracked[0])
    of_job = gpus_of([fields.text("tres_per_job")])
    of_nodes = gpus_of([fields.text("tres_per_node")]) * max(1, fields.count("node_count"))
    return of_job or of_nodes or gpus_of([fields.text("tres_per_task")]) * max(1, fields.count("tasks"))


def _nodes(fields: Fields) -> tuple[str, ...]:
    text = fields.text("nodes")
    try:
        return hostlist.nodes("" if text in ("None assigned", "(null)") else text)
    except ValueError as error:
        raise AnswerError(f"nodes: {error}", where=fields.where) from error
