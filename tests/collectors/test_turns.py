"""A setpoint does not wait for polls that wait themselves, and polls go on all the same."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors.results import Success
from igoudar.collectors.turns import IN_A_ROW, Turns
from tests.safety.plant import UNITS, plant
from tests.safety.recorder import Telegram

from .rigs import run_virtually


async def order_of(kinds: Sequence[bool], cancelled: Sequence[int] = (), at_once: int = 1) -> list[int]:
    """Who had a turn after whom, when all ask at the same time; some give up while they wait."""
    turns, had, most = Turns(at_once), list[int](), 0

    async def one(number: int, urgent: bool) -> None:
        nonlocal most
        await turns.take(urgent=urgent)
        try:
            most = max(most, len(under_way) + 1)
            under_way.add(number)
            had.append(number)
            await asyncio.sleep(1.0)
        finally:
            under_way.discard(number)
            turns.give()

    under_way = set[int]()
    tasks = [asyncio.ensure_future(one(number, urgent)) for number, urgent in enumerate(kinds)]
    await asyncio.sleep(0.5)
    for number in cancelled:
        tasks[number].cancel()
    await asyncio.wait(tasks)
    assert most <= at_once
    await turns.take(urgent=False)  # none was lost
    return had


def test_setpoints_go_first_each_kind_in_its_order() -> None:
    asked = [False, False, True, False, True]
    assert run_virtually(order_of(asked)) == [0, 2, 4, 1, 3]


def test_polls_are_never_left_out_for_long() -> None:
    had = run_virtually(order_of([False] * 3 + [True] * 3 * IN_A_ROW))
    assert had.index(1) == 1 + IN_A_ROW
    assert had.index(2) == 2 + 2 * IN_A_ROW


@given(
    kinds=st.lists(st.booleans(), min_size=1, max_size=20),
    gone=st.sets(st.integers(0, 19)),
    at_once=st.integers(1, 4),
)
def test_whoever_stays_has_a_turn_and_no_turn_is_lost(
    kinds: list[bool], gone: set[int], at_once: int
) -> None:
    leaving = [number for number in gone if number < len(kinds)]
    had = run_virtually(order_of(kinds, leaving, at_once))
    assert len(had) == len(set(had))
    assert set(had) >= set(range(len(kinds))) - set(leaving)


def test_a_turn_that_was_given_to_somebody_who_left_goes_on() -> None:
    async def work() -> None:
        turns = Turns(1)
        await turns.take(urgent=False)
        second = asyncio.ensure_future(turns.take(urgent=False))
        await asyncio.sleep(0)
        turns.give()
        second.cancel()  # just after it was given the turn, before it knows
        await asyncio.wait([second])
        await asyncio.wait_for(turns.take(urgent=False), 1)

    run_virtually(work())


async def test_a_write_overtakes_the_polls_of_its_line(tmp_path: Path) -> None:
    async with plant(tmp_path) as site:
        await site.ready()
        link, units, polled = site.links.modbus[0], list[int](), asyncio.Event()

        async def note(telegram: Telegram) -> None:
            units.append(telegram.unit)
            polled.set()

        async def poll() -> None:
            while True:
                await link.read(UNITS["battery"], 3, 40072, 2)

        site.recorder.before_answer = note
        polls = [asyncio.ensure_future(poll()) for _ in range(50)]
        await polled.wait()
        assert await site.write("limit_pct", 50.0) == Success(50.0)
        for one in polls:
            one.cancel()
        await asyncio.wait(polls)
        ours = [place for place, unit in enumerate(units) if unit == UNITS["inverter"]]
        assert len(ours) > 5
        assert max(after - before for before, after in pairwise(ours)) <= 4
