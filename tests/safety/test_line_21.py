"""Dangerous writes need a second, different person."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from igoudar.collectors.results import Rejected, Success
from igoudar.control.actuation.command import Origin
from igoudar.control.actuation.proposals import Proposals
from igoudar.core.errors import CommandError

from .wishes import HOUR, RATE, rate, settle, submit, turn


@pytest.fixture
async def strict(rig: Any, plant: Any) -> Any:
    """A site that names the battery among the dangerous classes."""
    loop, rooms = rig
    gate = loop.acting.executor.gate
    gate.rules = replace(gate.rules, guarding=replace(gate.rules.guarding, two_person=frozenset({"battery"})))
    await settle(loop, plant)
    return loop, rooms


async def asked(rooms: Any, plant: Any) -> Any:
    now = plant.clock.now()
    wish = rooms.hands.wish(*RATE, 10.0, now + HOUR, "ada", "maintenance", now)
    return await rooms.hands.override(wish, now)


async def test_line_21_the_asker_alone_moves_nothing(strict: Any, plant: Any) -> None:
    _, rooms = strict
    outcome = await asked(rooms, plant)
    assert outcome.result == Rejected("proposed")
    with pytest.raises(CommandError, match="approved it already"):
        await rooms.hands.approve(outcome.proposal_id, "ada", "me again", plant.clock.now())
    assert plant.writes == []
    assert rooms.hands.overrides() == []


async def test_line_21_a_second_person_carries_it_out_and_both_are_named(strict: Any, plant: Any) -> None:
    loop, rooms = strict
    outcome = await asked(rooms, plant)
    done = await rooms.hands.approve(outcome.proposal_id, "bob", "agreed", plant.clock.now())
    assert done.result == Success(10.0)
    assert plant.writes[0].approved_by == "ada, bob"
    await turn(loop, plant, 8, seconds=60)
    assert {write.value for write in plant.writes} == {10.0}
    assert rooms.hands.overrides()[0].who == "ada, bob"
    row = next(r for r in rooms.records.actions() if r.verb == RATE[1] and r.result == "done")
    assert row.params["approved_by"] == ["ada", "bob"]


async def test_line_21_the_second_needs_the_role_for_it(strict: Any, plant: Any) -> None:
    _, rooms = strict
    outcome = await asked(rooms, plant)
    with pytest.raises(CommandError, match="supervisor"):
        await rooms.hands.approve(outcome.proposal_id, "bob", "ok", plant.clock.now(), may_second=False)


async def test_line_21_declined_or_expired_it_is_over(strict: Any, plant: Any) -> None:
    loop, rooms = strict
    first = await asked(rooms, plant)
    rooms.hands.decline(first.proposal_id, "bob", "no", plant.clock.now())
    with pytest.raises(CommandError, match="declined"):
        await rooms.hands.approve(first.proposal_id, "eve", "yes", plant.clock.now())
    plant.run(3600)
    second = await asked(rooms, plant)
    plant.run(3600)
    with pytest.raises(CommandError, match="expired"):
        await rooms.hands.approve(second.proposal_id, "bob", "late", plant.clock.now())
    await turn(loop, plant)
    assert plant.writes == []


async def test_line_21_an_override_never_outlives_the_end_its_person_gave(strict: Any, plant: Any) -> None:
    _, rooms = strict
    now = plant.clock.now()
    wish = rooms.hands.wish(*RATE, 10.0, now + HOUR / 6, "ada", "maintenance", now)
    outcome = await rooms.hands.override(wish, now)
    plant.run(900)
    with pytest.raises(CommandError, match="already past"):
        await rooms.hands.approve(outcome.proposal_id, "bob", "agreed", plant.clock.now())
    assert plant.writes == []
    assert rooms.hands.overrides() == []


async def test_line_21_a_late_approval_does_not_make_an_override_longer(strict: Any, plant: Any) -> None:
    _, rooms = strict
    now = plant.clock.now()
    until = now + HOUR / 60
    outcome = await rooms.hands.override(rooms.hands.wish(*RATE, 10.0, until, "ada", "test", now), now)
    plant.run(30)
    await rooms.hands.approve(outcome.proposal_id, "bob", "agreed", plant.clock.now())
    assert [write.expires_at for write in plant.writes] == [until]


async def test_line_21_it_is_judged_again_at_approval(strict: Any, plant: Any) -> None:
    loop, rooms = strict
    outcome = await asked(rooms, plant)
    plant.dead = {"battery-1"}
    await turn(loop, plant, 10, seconds=60)
    with pytest.raises(CommandError, match="missing, old or bad"):
        await rooms.hands.approve(outcome.proposal_id, "bob", "agreed", plant.clock.now())
    assert plant.writes == []


async def test_line_21_advise_waits_for_one_person_and_keeps_waiting_over_a_restart(
    rig: Any, plant: Any
) -> None:
    loop, rooms = rig
    loop.modes.change("advise", "ada", "test", plant.clock.now())
    await settle(loop, plant)
    (outcome,) = await submit(loop, rate(plant.clock.now(), 40.0))
    (again,) = await submit(loop, rate(plant.clock.now(), 40.2, command_id="nearly the same"))
    assert outcome.proposal_id == again.proposal_id
    kept = Proposals.open(rooms.records, 1800.0, plant.clock.now()).waiting()
    assert [(row.id, row.before, row.effect_w) for row in kept] == [(outcome.proposal_id, "100", 0.0)]
    done = await rooms.hands.approve(outcome.proposal_id, "ada", "fine", plant.clock.now())
    assert done.result == Success(40.0)


async def test_line_21_what_was_declined_is_not_proposed_again_at_once(rig: Any, plant: Any) -> None:
    loop, rooms = rig
    loop.modes.change("advise", "ada", "test", plant.clock.now())
    await settle(loop, plant)
    (outcome,) = await submit(loop, rate(plant.clock.now()))
    rooms.hands.decline(outcome.proposal_id, "ada", "no", plant.clock.now())
    await submit(loop, rate(plant.clock.now(), command_id="the same"))
    assert rooms.hands.proposals() == []
    await submit(loop, rate(plant.clock.now(), -20.0, command_id="another"))
    assert len(rooms.hands.proposals()) == 1
    plant.run(timedelta(hours=1).total_seconds())
    await turn(loop, plant)
    assert rooms.hands.proposals() == []


async def test_line_21_an_event_in_auto_waits_for_nobody(strict: Any, plant: Any) -> None:
    loop, _ = strict
    (outcome,) = await submit(loop, rate(plant.clock.now(), origin=Origin.EVENT))
    assert outcome.result == Success(40.0)
