"""From the plan in force to a warmer cooling supply, where the site lets the plan move it; else as found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from igoudar.control.actuation.command import ActuatorClass, Command, Origin, planned
from igoudar.control.actuation.guard.interlocks import SETPOINT, known
from igoudar.control.actuation.guard.rules import Rules
from igoudar.control.actuation.guard.view import Held
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.sight import Sight
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import Plan
from igoudar.control.planning.setpoint import STEP_K, Course, Warmth, next_c, room_k, step_s, whole_steps
from igoudar.control.steering import Moment
from igoudar.core.model import Kind
from igoudar.core.model_plan import WarmerSupply

DAY = timedelta(days=1)
SHOWS_K = 0.3  # a device shows what it was given as near as this


@dataclass(frozen=True, slots=True)
class Unit:
    """A device whose setpoint is as found, or as we asked for it."""

    name: str
    stands_c: float
    held: Held | None = None  # by us; None = as found
    shows: bool = True  # what it was given last; else it is not there yet, or was given back


@dataclass(slots=True)
class PlanCooling:
    """Asks for the plan's setpoint, step by step; everything else leaves it as found.

    Args:
        supply: What the site allows.
        planner: Has the plan in force.
        memory: What stands of what we asked for.
        rules: The guard's: inlets and their limit, the ramp, when a device is silent.
        life: Of a command; a setpoint that is not renewed is given back by the collector.
        hot: Whether a temperature alarm stands.
    """

    supply: WarmerSupply
    planner: PlanService
    memory: Memory
    rules: Rules
    life: timedelta
    hot: Callable[[], bool] = bool
    _courses: dict[str, Course] = field(default_factory=dict)
    _mean_k: float = 0.0  # warmer than found, over about a day
    _noted_at: datetime | None = None

    def commands(self, sight: Sight, moment: Moment) -> list[Command]:
        """This cycle's; blind, none: what stands then ends by itself."""
        self._note(sight, moment.now)
        if not moment.fresh:
            return []
        force = self.planner.in_force(moment.now)
        plan = force.plan if force.source == "optimal" and not self.hot() else None
        wish_k = planned_k(plan, self.supply, moment.now) if plan else 0.0
        return list(self._wanted(sight, wish_k, moment.now))

    def warmth(self, sight: Sight) -> Warmth | None:
        """What the plan may reckon with; None while it can't move any."""
        now, free_k = sight.picture.at, self._free_k(sight)
        units = list(self._units(sight, now))
        if not units or free_k is None or self.hot():
            return None
        reach = [
            unit.stands_c - self.supply.setpoint_c + whole_steps(self._room_k(unit, free_k, now))
            for unit in units
        ]
        most_k = min(self.supply.warmer_k, max(0.0, sum(reach) / len(reach)))
        return Warmth(self._mean_k, most_k) if most_k > 0.0 else None

    def _note(self, sight: Sight, now: datetime) -> None:
        """The time since the last look counts by its part of a day."""
        stood = [unit.stands_c - self.supply.setpoint_c for unit in self._units(sight, now)]
        since, self._noted_at = self._noted_at or now, now
        part = min(1.0, max(0.0, (now - since) / DAY))
        self._mean_k += part * ((sum(stood) / len(stood) if stood else 0.0) - self._mean_k)

    def _wanted(self, sight: Sight, wish_k: float, now: datetime) -> Iterator[Command]:
        free_k = self._free_k(sight)
        for unit in self._units(sight, now):
            room = self._room_k(unit, free_k or 0.0, now)
            may_move = unit.held is None or self._courses[unit.name].still_s(now) >= self._step_s
            wish = 0.0 if free_k is None else wish_k  # what is not measured is not warmed
            value_c = round(next_c(self.supply, unit.stands_c, wish, room, may_move=may_move), 2)
            if unit.shows and (value_c != unit.stands_c or self._ends(unit, now)):
                yield self._command(unit.name, value_c, now)

    def _units(self, sight: Sight, now: datetime) -> Iterator[Unit]:
        """What somebody else has set, here or at the machine, is left alone."""
        for device in sight.plant.kinds.get(Kind(self.supply.kind), ()):
            shown_c = known(device.name, SETPOINT, self.rules, sight.picture)
            if shown_c is None or not self._fits(device.name):
                continue
            held = self.memory.held.get((device.name, SETPOINT))
            if held is None or held.until <= now:
                if abs(shown_c - self.supply.setpoint_c) <= SHOWS_K:
                    yield Unit(device.name, self.supply.setpoint_c)
            elif held.origin is Origin.PLAN and held.value is not None:
                shows = abs(shown_c - held.value) <= SHOWS_K
                if shows or (now - held.at).total_seconds() <= self.rules.stale_s[device.name]:
                    yield Unit(device.name, held.value, held, shows)

    def _fits(self, device: str) -> bool:
        """Whether the device's own bounds hold the whole envelope."""
        rule, supply = self.rules.points.get((device, SETPOINT)), self.supply
        if rule is None or not rule.allowed:
            return False
        return rule.minimum <= supply.setpoint_c and supply.most_c <= rule.maximum

    def _free_k(self, sight: Sight) -> float | None:
        """From the worst inlet to its limit; None when one is not heard, or there is none."""
        found = [known(name, "inlet_c", self.rules, sight.picture) for name in self.rules.inlets]
        heard = [value for value in found if value is not None]
        return self.rules.inlet_limit_c - max(heard) if heard and len(heard) == len(found) else None

    @property
    def _step_s(self) -> float:
        return step_s(min(self.supply.ramp_k_per_h, self.rules.guarding.ramp_c_per_h))

    def _room_k(self, unit: Unit, free_k: float, now: datetime) -> float:
        course = self._courses.setdefault(unit.name, Course())
        course.note(unit.stands_c, unit.held.at if unit.held else now)
        return room_k(free_k, course.coming_k(now))

    def _ends(self, unit: Unit, now: datetime) -> bool:
        """Whether what stands must be asked for again; as found needs nobody."""
        raised = unit.stands_c > self.supply.setpoint_c
        return raised and unit.held is not None and unit.held.until - now < self.life / 2

    def _command(self, target: str, value_c: float, now: datetime) -> Command:
        code = "plant.cooling" if value_c > self.supply.setpoint_c else "plant.cooling_found"
        params = {"setpoint_c": value_c, "found_c": self.supply.setpoint_c}
        return planned(ActuatorClass.COOLING, target, SETPOINT, value_c, now, self.life, code, params)


def warmer(
    cooling: PlanCooling, mode: Callable[[str], str], sight: Callable[[], Sight]
) -> Callable[[], Warmth | None]:
    """What the plan may reckon with, where its setpoint is carried out or proposed; None = it is not."""
    return lambda: None if mode(ActuatorClass.COOLING) == "observe" else cooling.warmth(sight())


def planned_k(plan: Plan, supply: WarmerSupply, now: datetime) -> float:
    """How much warmer than found the plan wants the supply in this step, in whole steps."""
    step = plan.step(now)
    if step is None or plan.warm_w is None:
        return 0.0
    it_w = float(plan.powers["urgent_w"][step]) + float(plan.powers["flexible_w"][step])
    exact_k = float(plan.warm_w[step]) / (supply.pue_per_k * it_w) if it_w > 0.0 else 0.0
    return min(supply.warmer_k, STEP_K * round(exact_k / STEP_K))
