"""GPUs that a limit in time leaves: to who runs by what holds now, to who starts by what comes soon."""

from dataclasses import replace

import numpy as np
import pytest
from tests.control.planning.scenes import LIMITS, job_table, period

from igoudar.control.planning.policy import Ceiling, Limits, Orders, View
from igoudar.control.planning.room import room_gpus
from igoudar.control.planning.select import choose
from igoudar.control.planning.table import Floats
from igoudar.lab.engine import play
from igoudar.lab.events import Announced

ROOM = replace(LIMITS, ceilings=True)
NO_BATTERY = replace(ROOM, battery_wh=0.0, battery_w=0.0, soc_max_wh=0.0)
HOUR = 3600.0


class Greedily:
    """Runs all that may from a step on, and keeps what room there was and how many ran."""

    name = "all"

    def __init__(self, begin: int) -> None:
        self.begin = begin
        self.seen: list[tuple[Floats | None, int]] = []

    def decide(self, view: View) -> Orders:
        run = choose(view, 1000.0 if view.step >= self.begin else 0.0)
        self.seen.append((room_gpus(view, view.active), len(run)))
        return Orders(run)


def seen(
    limits: Limits, *ceilings: Ceiling, supply_w: float = 0.0, begin: int = 0
) -> list[tuple[Floats | None, int]]:
    """Three gangs of 10 GPUs with a day's slack, from the first step on."""
    day = period(job_table([(10, 0, 20, 70), (10, 0, 20, 72), (10, 0, 20, 74)]), np.full(96, supply_w))
    policy = Greedily(begin)
    play(replace(day, limits=tuple(Announced(one, 0.0) for one in ceilings)), limits, policy)
    return policy.seen


def test_without_a_limit_nothing_is_said() -> None:
    assert seen(NO_BATTERY)[0] == (None, 3)


def test_a_limit_on_the_facility_leaves_what_is_under_it_and_gangs_are_not_rounded_up() -> None:
    limit_w = (20e3 + 16e3) * 1.08
    room, count = seen(NO_BATTERY, Ceiling("facility", 0.0, 4 * HOUR, limit_w))[0]
    assert room == pytest.approx([16.0] * 3)
    assert count == 1


def test_supply_and_charge_make_room_under_a_limit_on_import() -> None:
    one = Ceiling("import", 0.0, 2 * HOUR, 1.6e3)
    assert seen(NO_BATTERY, one)[0][0] == pytest.approx([0.0] * 3)
    there = (41.6e3 + 1.6e3) / 1.08 - 20e3
    assert seen(NO_BATTERY, one, supply_w=41.6e3)[0][0] == pytest.approx([there / 1e3] * 3)
    given_w = 100e3 * 0.95 / 2.0  # half of the battery, over the two hours
    charged = seen(ROOM, one, supply_w=41.6e3)[0][0]
    assert charged == pytest.approx([(there + given_w / 1.08) / 1e3] * 3)


def test_who_would_still_be_in_its_first_hour_does_not_start_before_a_limit() -> None:
    limit = Ceiling("facility", 2 * HOUR, 6 * HOUR, 21.6e3)
    early = seen(NO_BATTERY, limit)
    for step in (0, 5, 7):  # who runs since then may be stopped by the time
        room, count = early[step]
        assert np.isinf(room).all()
        assert count == 3
    room, count = early[8]
    assert room == pytest.approx([0.0] * 3)
    assert count == 0
    room, count = seen(NO_BATTERY, limit, begin=5)[5]
    assert room == pytest.approx([0.0] * 3)
    assert count == 0
