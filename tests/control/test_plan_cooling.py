"""The plan's setpoint on a site's chiller: raised step by step, renewed, let go; judged by the guard."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from tests.control.test_plan_service import Solver, plan_of

from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.judge import judge
from igoudar.control.actuation.guard.rules import Rules, rules
from igoudar.control.actuation.guard.verdict import Allowed
from igoudar.control.actuation.guard.view import Held, View
from igoudar.control.actuation.memory import Memory
from igoudar.control.actuation.sight import Sight
from igoudar.control.picture import Picture, Powers
from igoudar.control.plan_cooling import PlanCooling, planned_k, warmer
from igoudar.control.plan_service import PlanService
from igoudar.control.planner.ask import Plan
from igoudar.control.planning.setpoint import Warmth, step_s
from igoudar.control.roster import roster
from igoudar.control.steering import Moment
from igoudar.core.i18n import codes
from igoudar.core.model import Reading
from igoudar.core.model_plan import Planning, WarmerSupply
from igoudar.core.site import load_site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LIFE, CYCLE = timedelta(minutes=5), timedelta(seconds=30)
FOUND_C, MOST_C = 19.0, 21.0
SUPPLY = WarmerSupply(FOUND_C, MOST_C)
KEY = ("chiller-1", "setpoint_c")


@pytest.fixture(scope="module")
def plant() -> Any:
    profiles = load_profiles()
    site = replace(load_site("jazari-lab", profiles), plan=Planning(cooling=SUPPLY))
    return roster(site, profiles, 1.0)


def wanting(kelvin: float) -> Plan:
    """1 kW urgent and 1 kW flexible in every step, and a supply that is so much warmer."""
    return plan_of(NOW, warm_w=np.full(192, kelvin * SUPPLY.pue_per_k * 2e3))


@dataclass
class Played:
    """The chiller as it obeys the guard, cycle by cycle; its collector gives back what ends."""

    plant: Any
    service: PlanService
    rules: Rules
    memory: Memory = field(default_factory=Memory)
    now: datetime = NOW
    shown_c: float = FOUND_C
    inlet_c: float | None = 22.0
    hot: bool = False
    sent: list[Command] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cooling = PlanCooling(SUPPLY, self.service, self.memory, self.rules, LIFE, lambda: self.hot)

    def sight(self) -> Sight:
        values = {"chiller-1": {"setpoint_c": self.shown_c}}
        if self.inlet_c is not None:
            values |= {name: {"inlet_c": self.inlet_c} for name in self.rules.inlets}
        readings = {name: Reading(self.now, name, found) for name, found in values.items()}
        return Sight(self.plant, Picture(self.now, readings, dict.fromkeys(readings, self.now)))

    def cycle(self, *, fresh: bool = True) -> list[Command]:
        self.now += CYCLE
        held = self.memory.held.get(KEY)
        if held is not None and held.until <= self.now and held.value == self.shown_c:
            self.shown_c = FOUND_C
        sight = self.sight()
        asked = self.cooling.commands(sight, moment(self.now, fresh=fresh))
        for command in asked:
            self._carry(command, sight)
        return asked

    def _carry(self, command: Command, sight: Sight) -> None:
        verdict = judge(command, self.rules, self._view(sight))
        if isinstance(verdict, Rejected):
            self.refused.append(verdict.reason)
            return
        assert verdict == Allowed(0)
        assert command.value is not None
        self.memory.note(command, Success(command.value), self.now, self.shown_c)
        self.shown_c = command.value
        self.sent.append(command)

    def _view(self, sight: Sight) -> View:
        auto = {ActuatorClass.COOLING: "auto"}
        past, held = self.memory.past(self.now), self.memory.held
        return View(self.now, sight.picture, True, False, auto, NOW - LIFE, held=held, past=past)

    def cycles(self, minutes: float, **more: bool) -> list[float]:
        """What the chiller shows after each."""
        shown = []
        for _ in range(int(minutes * 60 / CYCLE.total_seconds())):
            self.cycle(**more)
            shown.append(self.shown_c)
        return shown


def moment(at: datetime, *, fresh: bool = True) -> Moment:
    powers = Powers(0.0, 0.0, 0.0, 0.0, 1e6, 1e6, 0.0, 0.0, at)
    return Moment(at, powers, 50.0, 1.1, fresh, 0, CYCLE.total_seconds(), at)


@pytest.fixture
def played(plant: Any) -> Callable[[Plan | None], Any]:
    async def make(plan: Plan | None) -> Played:
        made = Played(plant, PlanService(Solver(), 60.0), rules(plant))
        await wish(made, plan)
        return made

    return make


async def wish(made: Played, plan: Plan | None) -> None:
    """From now on this plan is in force."""
    solver = made.service._solver
    assert isinstance(solver, Solver)
    solver.next = RuntimeError("no plan") if plan is None else replace(plan, issued_at=made.now)
    made.service.ask(None, made.now)  # type: ignore[arg-type]
    await made.service.settled()


async def test_it_is_raised_step_by_step_to_the_envelopes_end_and_kept(played: Any) -> None:
    made = await played(wanting(9.0))
    shown = made.cycles(30)
    assert shown[-1] == MOST_C
    assert max(shown) == MOST_C
    assert not made.refused
    assert [command.value for command in made.sent[:4]] == [19.5, 20.0, 20.5, 21.0]
    pauses = [(b.issued_at - a.issued_at).total_seconds() for a, b in pairwise(made.sent[:4])]
    assert min(pauses) >= step_s(20.0)
    assert {command.code for command in made.sent} == {"plant.cooling"}
    for command in made.sent:
        assert (command.origin, command.actuator) == (Origin.PLAN, ActuatorClass.COOLING)
        assert command.expires_at - command.issued_at == LIFE


async def test_without_a_wish_it_goes_back_as_it_came_and_then_nothing_is_asked(played: Any) -> None:
    made = await played(wanting(2.0))
    made.cycles(20)
    await wish(made, None)
    shown = made.cycles(10)
    assert shown[-1] == FOUND_C
    assert sorted(set(shown), reverse=True) == [20.5, 20.0, 19.5, FOUND_C]
    assert made.sent[-1].code == "plant.cooling_found"
    assert not made.cycles(20)[-1] - FOUND_C
    assert made.sent[-1].issued_at < made.now - LIFE


async def test_blind_it_asks_for_nothing_and_what_stands_ends_by_itself(played: Any) -> None:
    made = await played(wanting(2.0))
    made.cycles(20)
    before = len(made.sent)
    assert made.cycles(6, fresh=False)[-1] == FOUND_C
    assert len(made.sent) == before


async def test_a_temperature_alarm_or_an_inlet_that_is_not_heard_ends_it(played: Any) -> None:
    for change in ({"hot": True}, {"inlet_c": None}):
        made = await played(wanting(2.0))
        made.cycles(20)
        assert made.shown_c == MOST_C
        for name, value in change.items():
            setattr(made, name, value)
        assert made.cycles(10)[-1] == FOUND_C
        assert made.cooling.warmth(made.sight()) is None


@pytest.mark.parametrize(("inlet_c", "most_c"), [(26.6, 19.0), (25.9, 19.5), (25.4, 20.0)])
async def test_the_worst_inlet_bounds_it_with_what_is_not_in_the_air_yet(
    played: Any, inlet_c: float, most_c: float
) -> None:
    made = await played(wanting(2.0))
    made.inlet_c = inlet_c
    assert max(made.cycles(14)) == most_c
    made.inlet_c = 27.1
    assert made.cycles(10)[-1] == FOUND_C
    assert not made.refused


async def test_what_somebody_else_has_set_is_left_alone(played: Any) -> None:
    made = await played(wanting(2.0))
    made.shown_c = 17.0
    assert set(made.cycles(10)) == {17.0}
    assert made.cooling.warmth(made.sight()) is None
    made.shown_c = FOUND_C
    made.cycles(3)
    assert made.shown_c > FOUND_C
    made.shown_c, before = 18.0, len(made.sent)  # at the machine, while ours stood
    assert set(made.cycles(4)) == {18.0}
    assert len(made.sent) <= before + 1


async def test_what_was_given_back_behind_our_back_is_not_asked_for_in_one_step(played: Any) -> None:
    made = await played(wanting(2.0))
    late = dict.fromkeys(made.rules.stale_s, 400.0)  # a fast clock: news is long on its way
    made.cooling.rules = replace(made.rules, stale_s=late)
    made.cycles(20)
    before = len(made.sent)
    made.shown_c = FOUND_C
    made.cycles(5)
    after = [command.value for command in made.sent[before:]]
    assert after in ([], [FOUND_C + 0.5])


async def test_what_a_person_holds_by_us_is_left_alone(played: Any) -> None:
    made = await played(wanting(2.0))
    made.memory.held[KEY] = Held(FOUND_C, "setpoint_c", Origin.OVERRIDE, NOW, NOW + timedelta(hours=1))
    assert set(made.cycles(10)) == {FOUND_C}
    assert not made.sent


async def test_a_device_that_can_not_hold_the_envelope_is_left_alone(plant: Any, played: Any) -> None:
    made = await played(wanting(2.0))
    rule = replace(made.rules.points[KEY], maximum=20.0)
    made.cooling.rules = replace(made.rules, points={**made.rules.points, KEY: rule})
    assert set(made.cycles(10)) == {FOUND_C}


async def test_the_plan_reckons_with_it_where_it_is_carried_out_or_proposed(played: Any) -> None:
    made = await played(wanting(2.0))
    found = Warmth(0.0, 2.0)
    for mode, expected in (("observe", None), ("advise", found), ("auto", found)):
        assert warmer(made.cooling, lambda _, mode=mode: mode, made.sight)() == expected
    for _ in range(18):
        await wish(made, wanting(2.0))
        made.cycles(20)
    made.inlet_c = 26.9  # near the limit: no more than stands
    warmth = made.cooling.warmth(made.sight())
    assert warmth is not None
    assert warmth.mean_k == pytest.approx(2.0 * 6 / 24, rel=0.2)
    assert warmth.most_k == made.shown_c - FOUND_C == 2.0
    made.inlet_c, made.shown_c = 26.9, FOUND_C
    made.memory.held.clear()
    assert made.cooling.warmth(made.sight()) is None


@pytest.mark.parametrize(("kelvin", "expected"), [(0.0, 0.0), (0.2, 0.0), (0.3, 0.5), (1.1, 1.0), (9.0, 2.0)])
def test_the_plans_wish_is_told_in_whole_steps_inside_the_envelope(kelvin: float, expected: float) -> None:
    assert planned_k(wanting(kelvin), SUPPLY, NOW) == expected
    assert planned_k(wanting(kelvin), SUPPLY, NOW + timedelta(days=9)) == 0.0
    assert planned_k(plan_of(NOW), SUPPLY, NOW) == 0.0


def test_its_words_are_in_both_languages() -> None:
    for lang in ("en", "fr"):
        assert {"plant.cooling", "plant.cooling_found", "planner.cooling_warmer"} <= set(codes(lang))
        assert {"planner.cooling_found", "planner.note_cooling"} <= set(codes(lang))
