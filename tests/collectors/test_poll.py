"""The poll loop on virtual time, with readers that misbehave."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

import pytest

from igoudar.collectors.faults import LinkFault
from igoudar.collectors.live import Live
from igoudar.collectors.poll import Station, Tally, period_s, phases, poll, read_once
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.readers import Permit, Values
from igoudar.core.clock import ManualClock
from igoudar.core.model import Point, Quality, Reading, Reason

from .rigs import START, device, run_virtually

METER = load_profiles()["schneider-iem3000"]


class Scripted:
    """A reader that does what a function of the read's number says."""

    def __init__(self, answer: Callable[[int], Values], takes_s: float = 0.0) -> None:
        self.answer, self.takes_s, self.reads, self.times = answer, takes_s, 0, list[float]()

    async def read(self, *, slow: bool) -> Values:
        del slow
        self.reads += 1
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self.takes_s)
        return self.answer(self.reads)

    async def ask(self, point: Point) -> float | None:
        raise AssertionError(point.name)

    async def write(self, point: Point, value: float, permit: Permit) -> float:
        del permit
        raise AssertionError(f"{point.name} {value}")


def good(_: int) -> Values:
    return Values({"active_power_w": 5.0}, {})


def raising(error: Exception) -> Callable[[int], Values]:
    def answer(_: int) -> Values:
        raise error

    return answer


def polled(reader: Scripted, seconds: float, speed: float = 1.0) -> tuple[list[Reading], Tally]:
    readings, tally, clock = list[Reading](), Tally(), ManualClock(START, speed)

    async def go() -> None:
        station = Station(device("m", METER), METER, reader)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(poll(station, 0.5, readings.append, clock, tally), seconds)

    run_virtually(go())
    return readings, tally


def test_a_device_is_read_at_its_phase_of_every_period() -> None:
    reader = Scripted(good)
    readings, _ = polled(reader, 23)
    assert reader.times == pytest.approx([1.0, 7.5, 12.5, 17.5, 22.5])
    assert all(reading.values == {"active_power_w": 5.0} for reading in readings)


def test_a_fast_clock_never_polls_more_than_once_a_second() -> None:
    assert period_s(METER, 1.0) == 5.0
    assert period_s(METER, 1440.0) == 1.0


def test_lesson_11_a_slow_device_skips_turns_instead_of_piling_up() -> None:
    reader = Scripted(good, takes_s=12.0)
    _, tally = polled(reader, 60)
    assert reader.reads == 4
    assert tally.overruns >= 4
    assert all((t - 2.5) % 5 == pytest.approx(0) for t in reader.times[1:])


def test_lesson_11_no_exception_of_a_library_ends_the_poll() -> None:
    readings, tally = polled(Scripted(raising(RuntimeError("bug"))), 23)
    assert len(readings) == 5
    assert tally.surprises == 5
    assert {reading.gap.reason for reading in readings if reading.gap} == {Reason.MALFORMED}


def test_lesson_13_a_fault_is_a_gap_and_no_old_value_is_repeated() -> None:
    def dies(number: int) -> Values:
        if number > 2:
            raise LinkFault(Reason.NO_CONNECTION, "gone")
        return good(number)

    readings, _ = polled(Scripted(dies), 23)
    assert [dict(r.values) for r in readings] == [{"active_power_w": 5.0}] * 2 + [{}] * 3
    assert [r.gap.reason for r in readings[2:] if r.gap] == [Reason.NO_CONNECTION] * 3


def test_lesson_16_bad_quality_does_not_change_the_cadence() -> None:
    bad = Values({}, {"active_power_w": (Quality.BAD, Reason.SENTINEL)})
    reader = Scripted(lambda _: bad)
    polled(reader, 23)
    assert len(reader.times) == 5


def test_lesson_06_a_silent_device_is_asked_less_often_but_keeps_reporting_its_gap() -> None:
    reader = Scripted(raising(LinkFault(Reason.TIMEOUT, "silent")))
    readings, _ = polled(reader, 120)
    assert len(readings) >= 23
    assert reader.reads < len(readings)
    assert all(reading.gap is not None and reading.gap.reason is Reason.TIMEOUT for reading in readings)


def test_lesson_17_a_counter_that_goes_back_is_flagged() -> None:
    energies = iter([100.0, 110.0, 5.0, 6.0, 7.0])
    reader = Scripted(lambda _: Values({"active_energy_import_wh": next(energies)}, {}))
    readings, _ = polled(reader, 23)
    flags = [reading.flags.get("active_energy_import_wh") for reading in readings]
    reset = Reason.COUNTER_RESET
    assert flags == [None, None, (Quality.BAD, reset), (Quality.UNCERTAIN, reset), None]


def test_phases_spread_evenly_however_many_devices_there_are() -> None:
    for count in (10, 1000):
        spread = sorted(phases(count))
        gaps = [b - a for a, b in pairwise(spread)]
        assert max(gaps) < 3.0 / count


async def test_a_reading_is_stamped_with_site_time() -> None:
    clock = ManualClock(START)
    station = Station(device("m", METER), METER, Scripted(good))
    assert (await read_once(station, clock, Tally())).at == START


def test_three_missed_polls_are_a_stale_gap() -> None:
    clock = ManualClock(START)
    live = Live(clock, {"m": 5.0})
    live.put(Reading(START, "m", {"active_power_w": 5.0}))
    clock.advance(15)
    assert live.snapshot().value("m", "active_power_w") == 5.0
    clock.advance(1)
    snapshot = live.snapshot()
    gap = snapshot.readings["m"].gap
    assert gap is not None
    assert gap.reason is Reason.STALE
    assert snapshot.value("m", "active_power_w") is None
    assert snapshot.age_s("m") == 16.0
    assert snapshot.age_s("unknown") is None
