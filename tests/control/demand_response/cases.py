"""Sites by chance: jobs, caps, loads, limits, for properties that must hold on all of them."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from igoudar.control.demand_response.levers import (
    BatteryLever,
    CapLever,
    JobLever,
    Levers,
    Limit,
    LoadLever,
    Sight,
)
from igoudar.control.demand_response.memory import Memory, Paused
from igoudar.control.demand_response.rules import Rules
from igoudar.core.model import JobState

NOW = datetime(2026, 3, 3, 6, tzinfo=UTC)
RULES = Rules(ramp_w_per_min=2e6)
GPU_W = 1430.0


def job(number: int, state: JobState, gpus: int, left_h: float, slack_h: float | None, lost_s: float,
        begin_s: float = 30.0) -> JobLever:  # fmt: skip
    left_s = left_h * 3600.0
    deadline = NOW + timedelta(seconds=left_s + slack_h * 3600.0) if slack_h is not None else None
    begin_at = NOW + timedelta(seconds=begin_s) if state is JobState.WAITING else None
    power_w = gpus * GPU_W
    return JobLever(f"job-{number}", gpus, state, power_w, 1.08 * power_w, left_s, lost_s, deadline, begin_at)


@st.composite
def jobs(
    draw: st.DrawFn, states: tuple[JobState, ...] = (JobState.RUNNING, JobState.WAITING)
) -> list[JobLever]:
    count = draw(st.integers(0, 30))
    return [
        job(
            number,
            draw(st.sampled_from(states)),
            draw(st.integers(1, 400)),
            draw(st.floats(0.1, 20)),
            draw(st.none() | st.floats(-1, 10)),
            draw(st.sampled_from([0.0, 300.0, 600.0])),
        )
        for number in range(count)
    ]


@st.composite
def levers(draw: st.DrawFn) -> Levers:
    caps = [
        CapLever(f"node-{n}", now_w, 10e3, 8.5e3, 10e3)
        for n, now_w in enumerate(draw(st.lists(st.floats(2e3, 10e3), max_size=5)))
    ]
    loads = [
        LoadLever(f"load-{n}", now_w, 2e6)
        for n, now_w in enumerate(draw(st.lists(st.floats(0, 2e6), max_size=2)))
    ]
    battery = draw(
        st.none() | st.builds(BatteryLever, st.floats(-20e6, 20e6), st.just(20e6), st.floats(0, 7e7))
    )
    return Levers(tuple(draw(jobs())), tuple(caps), tuple(loads), battery)


def flexible_w(levers: Levers) -> float:
    return sum(one.relief_w for one in levers.jobs if one.state is JobState.RUNNING)


def sight(facility_w: float | None, import_w: float | None = None, age_s: float = 0.0) -> Sight:
    return Sight(NOW, facility_w, import_w, NOW - timedelta(seconds=age_s))


def acting(facility_w: float | None, import_w: float | None = None, hours: float | None = 1.0) -> Limit:
    until = NOW + timedelta(hours=hours) if hours is not None else None
    return Limit(facility_w, import_w, until, acting=True)


def paused(one: JobLever, minutes: float = 30.0) -> tuple[str, Paused]:
    at = NOW - timedelta(minutes=minutes)
    return one.job_id, Paused(at, one.gpus, one.relief_w, NOW + timedelta(hours=1))


def remembering(*standing: JobLever) -> Memory:
    return Memory(paused=dict(paused(one) for one in standing), at=NOW - timedelta(seconds=10))
