"""Site time and wall time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.actuation.schedulers.slurm.times import WallTimes
from igoudar.core.clock import ManualClock

SITE = datetime(2025, 6, 1, tzinfo=UTC)
WALL_S = 1_700_000_000.0


class Wall:
    def __init__(self) -> None:
        self.now_s = WALL_S

    def __call__(self) -> float:
        return self.now_s


def test_a_minute_of_the_site_is_a_second_of_slurm_at_speed_60() -> None:
    times = WallTimes(ManualClock(SITE, 60.0), Wall())
    assert times.wall_at(SITE + timedelta(hours=1)) == datetime.fromtimestamp(WALL_S + 60, UTC)
    assert times.site(WALL_S - 2) == SITE - timedelta(minutes=2)
    assert times.site_s(30.0) == 1800.0


def test_a_begin_time_is_never_earlier_than_asked() -> None:
    times = WallTimes(ManualClock(SITE, 60.0), Wall())
    assert times.wall_at(SITE + timedelta(seconds=61)) == datetime.fromtimestamp(WALL_S + 2, UTC)


def test_a_job_keeps_its_times_from_one_reading_to_the_next() -> None:
    clock, wall = ManualClock(SITE, 60.0), Wall()
    times = WallTimes(clock, wall)
    before = times.site(WALL_S - 100)
    for _ in range(50):
        clock.advance(600.0)
        wall.now_s += 10.0 + 1e-4  # clocks are never read in the same instant
        times.now()
    assert times.site(WALL_S - 100) == before


def test_a_clock_that_was_set_is_noticed() -> None:
    clock, wall = ManualClock(SITE, 1.0), Wall()
    times = WallTimes(clock, wall)
    times.now()
    wall.now_s += 3600.0  # the wall jumped, the site did not
    times.now()
    assert times.site(wall.now_s) == SITE


@given(st.floats(1, 3600), st.floats(0, 86_400))
def test_there_and_back_is_within_a_second_of_slurm(speed: float, ahead_s: float) -> None:
    times = WallTimes(ManualClock(SITE, speed), Wall())
    at = SITE + timedelta(seconds=ahead_s)
    back = times.site(times.wall_at(at).timestamp())
    assert timedelta(seconds=-1e-3 * speed) <= back - at <= timedelta(seconds=1.001 * speed)
