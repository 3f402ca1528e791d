"""Fast and slow points: each at its own period on the wire, side by side in the live picture."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from igoudar.collectors.live import MISSED_POLLS, Live
from igoudar.collectors.poll import slow_turns
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.slow import slow_rules
from igoudar.core.clock import ManualClock
from igoudar.core.model import Gap, Quality, Reading, Reason
from tests.lessons.polling import polling, product, well

from .hostile import Asked, hostile
from .rigs import START, device, run_virtually

FAST, SLOW = "r0_w", "r100_w"
made = product([0, 100])
METER = replace(
    made,
    points=dict(made.points) | {SLOW: replace(made.points[SLOW], slow=True)},
    slow_period_s=30.0,
)
LONG_S = MISSED_POLLS * METER.slow_period_s


def test_each_is_read_at_its_own_period() -> None:
    async def go() -> None:
        async with hostile(well) as server, polling(METER, server.port):
            await asyncio.sleep(122)
        at = {
            register: [t for t, _, address, _ in server.asked if address == register] for register in (0, 100)
        }
        assert len(at[0]) == 25
        assert [round(t - at[100][0]) for t in at[100]] == [0, 30, 60, 90, 120]

    run_virtually(go(), sockets=True)


def test_slow_points_are_due_until_they_were_read_and_again_after_a_gap() -> None:
    async def go() -> None:
        loop = asyncio.get_running_loop()

        async def busy_at_first(asked: Asked, writer: asyncio.StreamWriter) -> None:
            busy = loop.time() < 12 or 41 < loop.time() < 44
            writer.write(asked.frame(b"\x83\x06") if busy else asked.right())

        async with hostile(busy_at_first) as server, polling(METER, server.port) as polled:
            await asyncio.sleep(60)
        read = [at for at, reading in polled.readings if SLOW in reading.values]
        assert [round(at) for at in read] == [15, 45]

    run_virtually(go(), sockets=True)


@pytest.mark.parametrize(("speed", "turns"), [(1.0, 6), (10.0, 3), (60.0, 1), (1440.0, 1)])
def test_a_fast_clock_shortens_both_periods(speed: float, turns: int) -> None:
    assert slow_turns(METER, speed) == turns


def live() -> tuple[Live, ManualClock]:
    clock = ManualClock(START)
    rules = slow_rules([device("m", METER)], {METER.name: METER}, MISSED_POLLS)
    return Live(clock, {"m": 5.0}, rules), clock


def test_a_slow_value_stands_beside_the_newest_fast_ones() -> None:
    picture, clock = live()
    picture.put(Reading(START, "m", {FAST: 1.0, SLOW: 9.0}))
    clock.advance(5)
    picture.put(Reading(clock.now(), "m", {FAST: 2.0}))
    assert picture.snapshot().readings["m"].values == {FAST: 2.0, SLOW: 9.0}
    assert picture.totals.points == 3  # what was read, not what is shown


def test_a_slow_value_that_is_bad_stays_flagged() -> None:
    picture, clock = live()
    picture.put(Reading(START, "m", {FAST: 1.0}, {SLOW: (Quality.BAD, Reason.SENTINEL)}))
    clock.advance(5)
    picture.put(Reading(clock.now(), "m", {FAST: 2.0}))
    assert picture.snapshot().readings["m"].flags == {SLOW: (Quality.BAD, Reason.SENTINEL)}


def test_a_slow_value_is_gone_after_three_of_its_periods() -> None:
    picture, clock = live()
    picture.put(Reading(START, "m", {FAST: 1.0, SLOW: 9.0}))
    for after_s, shown in ((LONG_S, True), (LONG_S + 5, False)):
        at = START + timedelta(seconds=after_s)
        clock.advance((at - clock.now()).total_seconds())
        picture.put(Reading(at, "m", {FAST: 2.0}))
        assert (SLOW in picture.snapshot().readings["m"].values) is shown


def test_lesson_13_a_gap_forgets_the_slow_values() -> None:
    picture, clock = live()
    picture.put(Reading(START, "m", {FAST: 1.0, SLOW: 9.0}))
    picture.put(Reading(START, "m", {}, gap=Gap(Reason.TIMEOUT)))
    assert not picture.snapshot().readings["m"].values
    clock.advance(5)
    picture.put(Reading(clock.now(), "m", {FAST: 2.0}))
    assert picture.snapshot().readings["m"].values == {FAST: 2.0}


def test_ratings_are_slow_in_the_bundled_profiles() -> None:
    slow = {
        name: {p.name for p in profile.points.values() if p.slow} for name, profile in load_profiles().items()
    }
    assert {"soh_pct", "max_charge_w"} <= slow["sunspec-battery"]
    assert slow["daikin-microtech-iii"] == {"units_state"}
