"""Setpoints that stand are renewed in time, and a renewal that comes early is no failure."""

from datetime import timedelta
from itertools import pairwise

import pytest
from tests.control.demand_response.cases import NOW
from tests.control.demand_response.rig import plan_of

from igoudar.collectors.results import Error, Rejected, Result
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.executor import Outcome
from igoudar.control.demand_response.carried import carried
from igoudar.control.demand_response.levers import CapLever, Levers, Wishes
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.orders import Mandate, Orders

LEVERS = Levers(caps=(CapLever("shelf-1", 100e3, 90e3, 80e3, 120e3),))
HELD = Memory(caps={"shelf-1": 90e3})


def after(result: Result, memory: Memory = HELD) -> Memory:
    command = Command(
        "one", ActuatorClass.CAPS, "shelf-1", "power_limit_w", NOW, NOW + timedelta(minutes=3),
        Origin.EVENT, "control", "events.power_limit_w", {}, 90e3,
    )  # fmt: skip
    return carried(memory, Wishes(), LEVERS, [Outcome(command, result)], NOW)


def test_a_setpoint_is_renewed_in_the_second_half_of_its_hold() -> None:
    orders = Orders(plan_of("dakhla-phase1").site, 1.0)
    times = [NOW + timedelta(seconds=10 * step) for step in range(60)]
    sent = [at for at in times if orders.batch(Wishes(), HELD, Mandate("event-1"), at).setpoints]
    gaps_s = [(b - a).total_seconds() for a, b in pairwise(sent)]
    assert gaps_s
    assert all(orders.hold_s / 2 <= gap_s < orders.hold_s for gap_s in gaps_s)


def test_what_stands_already_is_done_and_moves_nothing() -> None:
    assert after(Rejected("unchanged")) == HELD
    assert after(Rejected("unchanged"), Memory()) == HELD


@pytest.mark.parametrize("reason", ["too_soon", "rate_limited"])
def test_what_came_too_early_is_neither_done_nor_refused(reason: str) -> None:
    assert after(Rejected(reason)) == HELD
    assert after(Rejected(reason), Memory()) == Memory()


def test_what_failed_is_left_alone_for_a_while() -> None:
    assert after(Error("no answer")).refused.keys() == {"shelf-1"}
