"""From the plan in force to caps of GPUs, where the site lets the plan set any; full power without a plan."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from igoudar.control.actuation.command import ActuatorClass, Command, Origin, planned
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.sight import Sight
from igoudar.control.demand_response.cap_levers import POINT, cap_levers
from igoudar.control.demand_response.levers import CapLever
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import Plan
from igoudar.control.planning.caps import KEPT_S
from igoudar.control.steering import Moment
from igoudar.core.model import JobState, Site
from igoudar.core.throughput import CURVE, IDLE_RATIO, dynamic_ratio, throughput_ratio

STEP_RATIO = 0.01  # caps move in steps of so much of full power
FULL = 1.0
USEFUL_RATIO = CURVE[-2][0]  # the plan caps no lower: there a cap costs more work than a pause


@dataclass(slots=True)
class PlanCaps:
    """Asks for the plan's caps, on GPUs that only serve jobs with slack.

    Args:
        planner: Has the plan in force.
        memory: What stands of what we asked for.
        least_ratio: The lowest cap over full power that the site lets anybody set.
        life: Of a command; a cap that is not renewed ends by itself.
    """

    planner: PlanService
    memory: Memory
    least_ratio: float
    life: timedelta

    def commands(self, sight: Sight, moment: Moment) -> list[Command]:
        """This cycle's: caps that are new, changed or near their end, and full power where one stood."""
        force = self.planner.in_force(moment.now)
        plan = force.plan if force.source == "optimal" and moment.fresh else None
        ratio = max(self.least_ratio, planned_ratio(plan, moment.now)) if plan else FULL
        return list(self._wanted(sight, ratio, moment.now))

    def _wanted(self, sight: Sight, ratio: float, now: datetime) -> Iterator[Command]:
        hurried = _hurried_racks(sight, now, throughput_ratio(max(self.least_ratio, USEFUL_RATIO)))
        for lever in cap_levers(sight, self.least_ratio):
            free = lever.binds_urgent or not hurried.isdisjoint(_racks(sight, lever))
            limit_w = lever.full_w if free else max(lever.least_w, ratio * lever.full_w)
            if self._due(lever, limit_w, now):
                code = "plant.caps" if limit_w < lever.full_w else "plant.caps_free"
                yield self._command(lever.target, limit_w, now, code)

    def _due(self, lever: CapLever, limit_w: float, now: datetime) -> bool:
        """Whether it must be asked: what another holds is left alone, what stands is renewed in time."""
        held = self.memory.held.get((lever.target, POINT))
        stands = held is not None and held.until > now
        if not stands:
            return limit_w < lever.full_w
        if held is None or held.origin is not Origin.PLAN or held.value is None:
            return False
        if abs(held.value - limit_w) > STEP_RATIO * lever.full_w / 2:
            return True
        return limit_w < lever.full_w and held.until - now < self.life / 2

    def _command(self, target: str, limit_w: float, now: datetime, code: str) -> Command:
        params = {"power_w": limit_w}
        return planned(ActuatorClass.CAPS, target, POINT, limit_w, now, self.life, code, params)


def caps_stand(site: Site, mode: Callable[[str], str], sight: Callable[[], Sight]) -> Callable[[], bool]:
    """Whether the plan's caps are carried out: allowed, in auto, and heard by something that caps."""
    least_ratio = site.emergency.cap_least_ratio
    return lambda: (
        site.plan.caps and mode(ActuatorClass.CAPS) == "auto" and bool(cap_levers(sight(), least_ratio))
    )


def planned_ratio(plan: Plan, now: datetime) -> float:
    """The plan's cap over full power in this step, idle draw included; 1 without one."""
    step = plan.step(now)
    if step is None or plan.saved_w is None:
        return FULL
    drawn_w, saved_w = float(plan.powers["flexible_w"][step]), float(plan.saved_w[step])
    left = drawn_w / (drawn_w + saved_w) if saved_w > 0.0 else FULL
    ratio = IDLE_RATIO + (1.0 - IDLE_RATIO) * left
    return round(ratio / STEP_RATIO) * STEP_RATIO


def dimmed(sight: Sight, memory: Memory, least_ratio: float) -> dict[str, float]:
    """Per rack, what the limits that stand leave of its jobs' power above idle, whoever has set them.

    A shelf's limit binds the sum of its rack's GPUs: where some are free, the others lose less. A node's
    agent caps each GPU.
    """
    stands_w, full_w = defaultdict[str, float](float), defaultdict[str, float](float)
    for lever in cap_levers(sight, least_ratio):
        for rack in _racks(sight, lever):
            stands_w[rack] += _stands_w(lever, memory, sight.picture.at)
            full_w[rack] += lever.full_w
    left = {rack: dynamic_ratio(stands_w[rack] / full_w[rack]) for rack in full_w if full_w[rack] > 0.0}
    agents = {rack for agent in sight.plant.site.caps.agents for rack in agent.racks}
    busy = _busy_gpus(sight)
    shelves = {
        rack: sight.plant.racks[rack].gpus / busy[rack] for rack in left if busy[rack] and rack not in agents
    }
    return {rack: min(1.0, ratio * max(1.0, shelves.get(rack, 1.0))) for rack, ratio in left.items()}


def _stands_w(lever: CapLever, memory: Memory, now: datetime) -> float:
    """Its limit as it is read, or as it was set where nothing reads it [W]."""
    held = memory.held.get((lever.target, POINT))
    set_w = held.value if held is not None and held.until > now else None
    return lever.limit_w if set_w is None else min(lever.limit_w, set_w)


def _busy_gpus(sight: Sight) -> defaultdict[str, float]:
    """GPUs of running jobs per rack, each job's spread evenly over its racks."""
    busy = defaultdict[str, float](float)
    for job in (sight.jobs or {}).values():
        for rack in job.racks if job.state is JobState.RUNNING else ():
            busy[rack] += job.gpus / len(job.racks)
    return busy


def _hurried_racks(sight: Sight, now: datetime, slowest: float) -> set[str]:
    """Racks of running jobs with too little slack to be slowed.

    Schedulers tell how long a job has run, not what it got done under a cap: that is taken as the least.
    """
    return {
        rack
        for job in (sight.jobs or {}).values()
        if job.state is JobState.RUNNING and job.deadline is not None
        for rack in job.racks
        if (job.deadline - now).total_seconds() < job.expected_s - slowest * job.work_done_s + KEPT_S
    }


def _racks(sight: Sight, lever: CapLever) -> tuple[str, ...]:
    agent = sight.plant.site.caps.by_node.get(lever.target)
    return agent.racks if agent else (sight.plant.devices[lever.target].subject,)
