"""Between two plans, every cycle: who of the waiting jobs starts now. Pure.

The greedy rules are the ground: without a plan they decide alone, and their latest starts bind always. A plan
may start more than the surplus carries, or hold back what the surplus would start; a cloud that passes or
breaks moves nothing, because surplus and plan count only when they have held for a while, and because the
threshold to hold back is not the one to go on. The battery's own rule takes up the rest first; power caps
come with the power-cap agents; running jobs are never stopped here (`pauses` does, where the site lets it).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from igoudar.control.planning.latest import latest_starts
from igoudar.control.planning.policies import greedy
from igoudar.control.planning.requests import Decision, JobRequest, Margins, Supply, Verb

SUSTAINED = timedelta(minutes=5)  # how long surplus must hold: most clouds pass faster; our assumption
DOWN_SHARE, UP_SHARE = 0.05, 0.02  # of the GPUs: hold back when this much over the plan; go on when not

Marks = tuple[tuple[datetime, float], ...]


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the plan asks of this moment."""

    gpus: float  # of flexible jobs
    running_gpus: int  # of flexible jobs that run or start by themselves


@dataclass(frozen=True, slots=True)
class Steady:
    """What dispatch remembers from cycle to cycle."""

    surplus: Marks = ()
    wanted: Marks = ()
    holding: bool = False


def dispatch(
    supply: Supply,
    running: Sequence[JobRequest],
    waiting: Sequence[JobRequest],
    margins: Margins,
    guidance: Guidance | None = None,
    steady: Steady = Steady(),
) -> tuple[list[Decision], Steady]:
    """One decision per waiting job, and what to remember."""
    surplus = _marks(steady.surplus, supply.now, supply.surplus_w)
    calm = replace(supply, surplus_w=_least(surplus))
    decisions = greedy(calm, running, waiting, margins)
    if guidance is None or supply.surplus_w is None:
        return decisions, Steady(surplus)
    wanted = _marks(steady.wanted, supply.now, guidance.gpus)
    asked = replace(guidance, gpus=_least(wanted) or 0.0)
    holding = _holding(guidance, supply.gpus, steady.holding)
    latest = latest_starts(supply.now, supply.gpus, running, waiting, margins)
    by_plan = _held(decisions, latest, guidance) if holding else _more(decisions, calm, waiting, asked)
    return by_plan, Steady(surplus, wanted, holding)


def _marks(marks: Marks, now: datetime, value: float | None) -> Marks:
    """The last minutes' values; nothing is remembered over a time that nobody knows."""
    return (*(m for m in marks if now - m[0] <= SUSTAINED), (now, value)) if value is not None else ()


def _least(marks: Marks) -> float | None:
    return min((value for _, value in marks), default=None)


def _holding(guidance: Guidance, gpus: int, was: bool) -> bool:
    """Whether more runs than the plan wants, with a wider threshold to begin holding than to end it."""
    over = guidance.running_gpus - guidance.gpus
    return over > (UP_SHARE if was else DOWN_SHARE) * gpus


def _held(decisions: Sequence[Decision], latest: dict[str, datetime], guidance: Guidance) -> list[Decision]:
    """Nothing starts on surplus that the plan has another use for; forced starts stay."""
    params = {"plan_gpus": round(guidance.gpus), "gpus": guidance.running_gpus}
    return [
        Decision(
            d.job_id, Verb.WAIT, latest[d.job_id], "control.plan_holds", {**params, "until": latest[d.job_id]}
        )
        if d.code == "control.surplus"
        else d
        for d in decisions
    ]


def _more(
    decisions: Sequence[Decision], supply: Supply, waiting: Sequence[JobRequest], asked: Guidance
) -> list[Decision]:
    """Jobs that wait for surplus start, least slack first, as far as the plan runs more."""
    jobs = {job.job_id: job for job in waiting}
    starting = [jobs[d.job_id] for d in decisions if _newly(d)]
    room = asked.gpus - asked.running_gpus - sum(job.gpus for job in starting)
    free = supply.gpus_free - sum(job.new_gpus for job in starting)
    found: list[Decision] = []
    for decision in decisions:
        job = jobs[decision.job_id]
        if decision.code == "control.wait" and job.gpus <= room and job.new_gpus <= free:
            room, free = room - job.gpus, free - job.new_gpus
            found.append(_by_plan(decision, supply.now, asked))
        else:
            found.append(decision)
    return found


def _newly(decision: Decision) -> bool:
    return decision.verb is Verb.START and decision.code != "control.queued"


def _by_plan(decision: Decision, now: datetime, asked: Guidance) -> Decision:
    params: dict[str, object] = {"plan_gpus": round(asked.gpus), "gpus": asked.running_gpus}
    return Decision(decision.job_id, Verb.START, now, "control.plan", params)
