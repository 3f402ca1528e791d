"""What is remembered of commands once they are carried out, or were not. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from igoudar.collectors.results import Partial, Rejected, Success
from igoudar.control.actuation.command import ActuatorClass, Command
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response import debt
from igoudar.control.demand_response.levers import JobLever, Levers, Wishes
from igoudar.control.demand_response.memory import REFUSED_FOR, WISH, Effect, Memory, Paused

SOON = timedelta(minutes=1)
STANDS = Rejected("unchanged")
# Says nothing about who was asked: of time, or of what people allow just now.
NOT_NOW = frozenset(
    ("too_soon", "rate_limited", "proposed", "observe", "hands_off", "no_lease", "audit_full")
)


def written(outcome: Outcome) -> bool:
    """Whether its hold began anew with it."""
    return isinstance(outcome.result, Success | Partial)


def done(outcome: Outcome) -> bool:
    """Whether it stands, as far as anybody knows; what stood already has not been written again."""
    return written(outcome) or outcome.result == STANDS


def carried(
    memory: Memory, wishes: Wishes, levers: Levers, outcomes: Sequence[Outcome], now: datetime
) -> Memory:
    """The memory after one cycle's commands."""
    jobs = levers.by_id()
    for outcome in outcomes:
        if isinstance(outcome.result, Rejected) and outcome.result.reason in NOT_NOW:
            continue  # neither done nor refused: the next cycle asks again
        if outcome.command.actuator is ActuatorClass.JOBS:
            memory = _job(memory, jobs, outcome.command, done(outcome), now)
        else:
            memory = _device(memory, levers, outcome, now)
    return _battery(memory, wishes, levers, outcomes, now)


def _device(memory: Memory, levers: Levers, outcome: Outcome, now: datetime) -> Memory:
    command, after = outcome.command, memory
    if not done(outcome):
        return _refused(memory, command.target, now)
    if command.actuator is ActuatorClass.CAPS:
        after = _cap(memory, levers, command, now)
    elif command.actuator is ActuatorClass.LOADS:
        after = _load(memory, levers, command, now)
    # Nothing moves by what stood already.
    return after if written(outcome) else replace(after, effects=memory.effects)


def _job(memory: Memory, jobs: Mapping[str, JobLever], command: Command, ok: bool, now: datetime) -> Memory:
    job = jobs[command.target]
    if not ok:
        back = command.point in ("resume", "release")  # tried again soon: work must not stand for a slip
        return _refused(memory, job.job_id, now, SOON if back else REFUSED_FOR)
    match command.point:
        case "suspend":
            pause = Paused(now, job.gpus, job.relief_w, command.until or now)
            debts = debt.paused(memory.debts, job.job_id, job.gpus, job.lost_s)
            memory = replace(memory, paused={**memory.paused, job.job_id: pause}, debts=debts)
            return _effect(memory, job.job_id, -job.relief_w, now)
        case "resume":
            paused = {name: one for name, one in memory.paused.items() if name != job.job_id}
            memory = replace(memory, paused=paused, resumed={**memory.resumed, job.job_id: now})
            return _effect(memory, job.job_id, job.rise_w, now)
        case "release":
            memory = _not_delayed(memory, job.job_id)
            memory = replace(memory, resumed={**memory.resumed, job.job_id: now})
            return _effect(memory, job.job_id, job.rise_w, now)
        case _:
            before = memory.delayed.get(job.job_id, job.begin_at or now)
            if command.until == before:
                return _not_delayed(memory, job.job_id)
            return replace(memory, delayed={**memory.delayed, job.job_id: before})


def _refused(memory: Memory, what: str, now: datetime, rest: timedelta = REFUSED_FOR) -> Memory:
    """It did not do as told: left alone for a while."""
    return replace(memory, refused={**memory.refused, what: now + rest})


def _not_delayed(memory: Memory, job_id: str) -> Memory:
    return replace(memory, delayed={name: at for name, at in memory.delayed.items() if name != job_id})


def _effect(memory: Memory, what: str, power_w: float, now: datetime) -> Memory:
    return replace(memory, effects=(*memory.effects, Effect(now, what, power_w, power_w)))


def _cap(memory: Memory, levers: Levers, command: Command, now: datetime) -> Memory:
    lever = next((one for one in levers.caps if one.target == command.target), None)
    limit_w = command.value or 0.0
    caps = {name: w for name, w in memory.caps.items() if name != command.target}
    if lever is None:  # an urgent job has come to it meanwhile: it is given back as soon as it may be
        return replace(memory, caps={**caps, command.target: limit_w})
    if limit_w < lever.full_w:
        caps[lever.target] = limit_w
        return _effect(replace(memory, caps=caps), lever.target, min(0.0, limit_w - lever.now_w), now)
    return _effect(replace(memory, caps=caps), lever.target, lever.full_w - lever.now_w, now)


def _load(memory: Memory, levers: Levers, command: Command, now: datetime) -> Memory:
    lever = next((one for one in levers.loads if one.device == command.target), None)
    limit_w = command.value or 0.0
    loads = {name: w for name, w in memory.loads.items() if name != command.target}
    if lever is None:
        return replace(memory, loads={**loads, command.target: limit_w})
    if limit_w < lever.rated_w:
        loads[lever.device] = limit_w
    moved_w = min(limit_w, lever.rated_w) - lever.now_w
    change_w = 0.0 if memory.loads.get(lever.device) == limit_w else moved_w
    change = Effect(now, lever.device, 0.0, change_w)
    return replace(memory, loads=loads, effects=(*memory.effects, change))


def _battery(
    memory: Memory, wishes: Wishes, levers: Levers, outcomes: Sequence[Outcome], now: datetime
) -> Memory:
    if wishes.battery_w is None:
        return memory.released()
    now_w = levers.battery.now_w if levers.battery else 0.0
    for outcome in outcomes:
        wish_w = outcome.command.params.get(WISH)
        if isinstance(wish_w, float) and done(outcome):
            memory = memory.asked(wish_w, now_w, now)
    return memory
