"""Pauses as they are noted before they are asked for, and found again where the answer was lost. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from igoudar.control.actuation.command import Command
from igoudar.control.demand_response.levers import JobLever, Pause
from igoudar.control.demand_response.memory import Memory, Paused
from igoudar.control.records.safety_tables import SuspendRow
from igoudar.core.model import JobState


def prolonged(memory: Memory, longer: Iterable[Pause]) -> Memory:
    """The memory with jobs that stand longer than was noted."""
    until = {pause.job_id: pause.resume_by for pause in longer}
    paused = {n: replace(one, resume_by=until.get(n, one.resume_by)) for n, one in memory.paused.items()}
    return replace(memory, paused=paused)


def rows(
    commands: Iterable[Command], longer: Sequence[Pause], memory: Memory, event_id: str
) -> list[SuspendRow]:
    """What must be on disk before the first of these commands is asked for."""
    found = [
        SuspendRow(
            job_id=one.target,
            at=one.issued_at,
            resume_by=one.until or one.issued_at,
            resumed_at=None,
            command_id=one.command_id,
        )
        for one in commands
        if one.point == "suspend"
    ]
    paused = memory.paused
    return found + [
        SuspendRow(
            job_id=one.job_id,
            at=paused[one.job_id].at,
            resume_by=one.resume_by,
            resumed_at=None,
            command_id=f"{event_id}-longer",
        )
        for one in longer
    ]


def adopted(memory: Memory, found: Mapping[str, SuspendRow], jobs: Mapping[str, JobLever]) -> Memory:
    """The memory with noted jobs that do stand, though nobody remembers that they were paused."""
    new = {
        name: Paused(row.at, jobs[name].gpus, jobs[name].relief_w, row.resume_by)
        for name, row in found.items()
        if name not in memory.paused and name in jobs and jobs[name].state is JobState.SUSPENDED
    }
    refused = {name: at for name, at in memory.refused.items() if name not in new}
    return replace(memory, paused={**memory.paused, **new}, refused=refused)


def in_doubt(memory: Memory, found: Iterable[str]) -> bool:
    """Whether a noted job that did not do as told may still come to stand."""
    return any(name in memory.refused and name not in memory.paused for name in found)
