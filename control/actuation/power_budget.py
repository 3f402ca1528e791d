"""The plan's power for flexible jobs as the scheduler's moving budget, for a quarter of an hour each time."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.view import Held
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.schedulers import Queue, QueuedJob
from igoudar.control.dispatch import startable
from igoudar.control.plan_service import InForce
from igoudar.control.planning.requests import Decision, Verb
from igoudar.control.steering import BLIND_CYCLES, Moment, wanted_gpus
from igoudar.core.model import JobState, Site

LASTS = timedelta(minutes=15)  # wall; the adapter allows no more
RENEW = timedelta(minutes=4)  # wall, before its end: the adapter takes no renewal before five
REST = timedelta(minutes=1)  # wall, between changes that no job waits for
CHANGE = 0.05  # of the budget: a smaller change is not worth a command
HAS_WATTS = (JobState.RUNNING, JobState.SUSPENDED)


@dataclass(slots=True)
class BudgetOrders:
    """Asks for the budget of flexible work that the plan allows now; without a plan there is none.

    Whoever the dispatch or a person lets start is always inside it, so that it keeps only those waiting that
    come between two looks, or that somebody else releases.

    Args:
        site: Its scheduler and GPUs.
        in_force: The plan in force at a time.
        memory: The budget that stands.
        speed: Site seconds per wall second.
        life: Of a command.
        auto: Whether jobs are ours to move without asking.
        holding: Whether an event moves the jobs: then nothing new starts beside what it lets start.
    """

    site: Site
    in_force: Callable[[datetime], InForce]
    memory: Memory
    speed: float
    life: timedelta
    auto: Callable[[], bool]
    holding: Callable[[], bool] = field(default=lambda: False)
    _gpu_w: float | None = None  # what flexible jobs ask for each GPU

    def commands(self, moment: Moment, queue: Queue, decisions: Sequence[Decision]) -> list[Command]:
        """This cycle's: none while what stands is right; outside auto it is left to end by itself."""
        rules = self.site.scheduler
        if not rules.watts_licence or not self.auto():
            return []
        held = self.memory.held.get((rules.kind, ""))
        plan = self.in_force(moment.now).plan
        if plan is None or moment.blind >= BLIND_CYCLES:
            return self._ended(moment.now, held)
        used = list(committed(queue.jobs, decisions, moment.now + LASTS * self.speed))
        self._learn(queue)
        if self._gpu_w is None:
            return []  # nobody has asked for watts yet
        least_w = sum(job.asked_w for job in used)
        planned = 0.0 if self.holding() else wanted_gpus(plan, moment, self.site) or 0.0
        spare = max(0.0, planned - sum(job.gpus for job in used))
        budget_w = float(math.ceil(least_w + spare * self._gpu_w))
        return [self._command(budget_w, moment.now)] if self._due(held, least_w, budget_w, moment.now) else []

    def _ended(self, now: datetime, held: Held | None) -> list[Command]:
        stands = held is not None and held.value is not None and held.until > now
        return [self._command(None, now)] if stands else []

    def _learn(self, queue: Queue) -> None:
        """Users count watts, the plan counts GPUs: the jobs themselves tell how many are in one."""
        asking = [job for job in queue.jobs if job.flexible and job.asked_w and job.gpus]
        if asking:
            self._gpu_w = sum(job.asked_w for job in asking) / sum(job.gpus for job in asking)

    def _due(self, held: Held | None, least_w: float, budget_w: float, now: datetime) -> bool:
        if held is None or held.value is None or held.until - now <= RENEW * self.speed:
            return True
        if least_w > held.value:
            return True  # somebody who may start would wait
        changed = abs(budget_w - held.value) > CHANGE * max(budget_w, held.value)
        return changed and now - held.at >= REST * self.speed

    def _command(self, budget_w: float | None, now: datetime) -> Command:
        code = "plant.budget_free" if budget_w is None else "plant.budget"
        return Command(
            command_id=uuid4().hex,
            actuator=ActuatorClass.JOBS,
            target=self.site.scheduler.kind,
            point="budget",
            issued_at=now,
            expires_at=now + self.life,
            origin=Origin.PLAN,
            who="control",
            code=code,
            params={} if budget_w is None else {"power_w": budget_w},
            value=budget_w,
            until=None if budget_w is None else now + LASTS * self.speed,
        )


def committed(
    jobs: Sequence[QueuedJob], decisions: Sequence[Decision], until: datetime
) -> Iterator[QueuedJob]:
    """Flexible jobs that have their watts, or start by themselves before the budget could end.

    A delay's begin time is the latest that keeps a deadline: no budget that outlives us may reach beyond it.
    """
    begins = {one.job_id: one.begin_at for one in decisions if one.verb is Verb.WAIT}
    starts = {one.job_id for one in decisions if one.verb is Verb.START}
    for job in jobs:
        begin_at = begins.get(job.job_id, job.begin_at)
        due = begin_at is None or begin_at <= until or job.job_id in starts
        if job.flexible and (job.state in HAS_WATTS or (startable(job) and due)):
            yield job
