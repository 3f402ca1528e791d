from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.demand_response.levers import JobLever
from igoudar.control.planning.dispatch import DOWN_SHARE, SUSTAINED, UP_SHARE, Guidance
from igoudar.control.planning.latest import latest_starts
from igoudar.control.planning.pauses import (
    LEAST,
    OVER_SHARE,
    STOPS_SHARE,
    Crowd,
    Lack,
    Pausable,
    decisions,
    lasting,
    pauses,
    stops_left,
)
from igoudar.control.planning.requests import JobRequest, Margins, Verb
from igoudar.core.model import JobState

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
GPUS = 512
LONGEST = 12 * HOUR
MARGINS = Margins()
DEEP = Lack(T0 - SUSTAINED, 1e3, 1e9)


def able(
    name: str, *, gpus: int = 8, hours: float = 2.0, due_h: float = 20.0, lost_s: float = 600.0
) -> Pausable:
    due, left_s = T0 + due_h * HOUR, hours * 3600.0
    power_w = gpus * 1e3
    lever = JobLever(
        name, gpus, JobState.RUNNING, power_w, power_w, left_s, lost_s, due - timedelta(minutes=30)
    )
    return Pausable(lever, JobRequest(name, gpus, power_w, T0 - 2 * HOUR, left_s + lost_s, due))


def crowd(*waiting: JobRequest, running: tuple[Pausable, ...] = (), gpus: int = GPUS) -> Crowd:
    going = [replace(one.request, started=T0) for one in running]
    return Crowd(T0, gpus, going, waiting, MARGINS)


def names(lack: Lack, jobs: list[Pausable], most: int = 100, *waiting: JobRequest) -> list[str]:
    found = pauses(lack, jobs, crowd(*waiting, running=tuple(jobs)), most, LONGEST)
    return [one.lever.job_id for one, _ in found]


fleet = st.lists(
    st.builds(
        able,
        name=st.uuids().map(str),
        gpus=st.integers(1, 64),
        hours=st.floats(0.1, 12),
        due_h=st.floats(0.1, 40),
        lost_s=st.floats(0, 600),
    ),
    max_size=8,
    unique_by=lambda one: one.lever.job_id,
)
lacks = st.builds(Lack, st.just(T0 - SUSTAINED), st.floats(0, 200), st.floats(0, 200e3))


@given(fleet, fleet, lacks, st.integers(0, 8), st.floats(0.6, 20))
def test_no_more_than_lacks_nobody_beyond_its_latest_start_and_nobody_else_pressed(
    jobs: list[Pausable], others: list[Pausable], lack: Lack, most: int, longest_h: float
) -> None:
    waiting = [one.request for one in others]
    room = crowd(*waiting, running=tuple(jobs))
    found = pauses(lack, jobs, room, most, longest_h * HOUR)
    assert len(found) <= most
    largest = max((one.request.gpus for one, _ in found), default=0)
    over = min(OVER_SHARE * largest, UP_SHARE * GPUS)
    assert sum(one.request.gpus for one, _ in found) <= lack.gpus + over
    assert sum(one.request.power_w for one, _ in found) <= lack.import_w
    paused = [one.request for one, _ in found]
    going = [job for job in room.running if job.job_id not in {one.job_id for one in paused}]
    after = latest_starts(T0, GPUS, going, [*waiting, *paused], MARGINS)
    before = latest_starts(T0, GPUS, room.running, waiting, MARGINS)
    for one, until in found:
        assert T0 + LEAST <= until <= after[one.lever.job_id] or until == T0 + longest_h * HOUR
        assert until <= T0 + longest_h * HOUR
        assert until + MARGINS.longest(one.request) <= MARGINS.end_by(one.request)
    assert not [name for name, at in before.items() if after[name] <= T0 < at]


@given(
    st.lists(st.tuples(st.floats(0, 200), st.floats(-50e3, 200e3)), min_size=1, max_size=30),
    st.booleans(),
)
def test_a_lack_is_never_told_greater_than_any_look_since_it_began(
    looks: list[tuple[float, float]], planned: bool
) -> None:
    lack, since = Lack(), 0
    for at, (over, import_w) in enumerate(looks):
        guidance = Guidance(100.0, 100 + round(over)) if planned else None
        before, lack = lack, lasting(lack, T0 + at * MINUTE, guidance, import_w, GPUS)
        if lack.since is None:
            assert lack == Lack()
            continue
        since = at if before.since is None else since
        assert lack.since == T0 + since * MINUTE
        assert lack.gpus == min(round(one) for one, _ in looks[since : at + 1])
        assert lack.import_w == min(one for _, one in looks[since : at + 1])


def test_a_passing_cloud_ends_the_lack_and_the_thresholds_are_apart() -> None:
    down, up = DOWN_SHARE * GPUS, UP_SHARE * GPUS
    between = Guidance(100.0, 100 + round((down + up) / 2))
    over, under = Guidance(100.0, 101 + round(down)), Guidance(100.0, 100 + int(up))
    assert lasting(Lack(), T0, between, 1e5, GPUS) == Lack()
    begun = lasting(Lack(), T0, over, 1e5, GPUS)
    assert begun.since == T0
    assert lasting(begun, T0 + MINUTE, between, 1e5, GPUS).since == T0
    assert lasting(begun, T0 + MINUTE, under, 1e5, GPUS) == Lack()


@pytest.mark.parametrize("import_w", [None, 0.0, -1e5])
def test_what_the_battery_covers_and_what_nobody_knows_is_no_lack(import_w: float | None) -> None:
    assert lasting(DEEP, T0, Guidance(0.0, GPUS), import_w, GPUS) == Lack()
    assert lasting(DEEP, T0, None, 1e5, GPUS) == Lack()


def test_least_work_lost_goes_first_then_most_slack() -> None:
    jobs = [able("tight", due_h=8), able("loose", due_h=30), able("fresh", lost_s=0.0, due_h=6)]
    assert names(replace(DEEP, gpus=8.0), jobs) == ["fresh"]
    assert names(replace(DEEP, gpus=23.0), jobs) == ["fresh", "loose"]
    assert names(DEEP, jobs, 1) == ["fresh"]


@pytest.mark.parametrize(("gpus", "least"), [(64, 57.6), (512, 501.76), (1, 0.9)])
def test_a_gang_is_not_passed_over_because_the_supply_is_a_little_better_than_the_plan_expected(
    gpus: int, least: float
) -> None:
    gang = able("gang", gpus=gpus)
    assert names(replace(DEEP, gpus=least + 0.05), [gang]) == ["gang"]
    assert names(replace(DEEP, gpus=least - 0.05), [gang]) == []


def test_who_can_not_stand_for_half_an_hour_runs_on() -> None:
    # 2 h and the stop, a quarter more, half an hour of margin: due in 3.9 h leaves about 35 min
    assert names(DEEP, [able("near", due_h=3.9)]) == ["near"]
    assert names(DEEP, [able("late", due_h=3.6)]) == []


def test_nobody_stands_where_others_fill_the_hours_before_its_deadline() -> None:
    jobs = [able(f"job-{n}", gpus=170, hours=4.0, due_h=11.0) for n in range(3)]
    crowded = JobRequest("waits", 512, 5e5, T0, 4 * 3600.0, T0 + 11 * HOUR)
    assert len(names(DEEP, jobs)) == 3
    assert names(DEEP, jobs, 100, crowded) == []


def test_who_would_keep_its_gpus_from_a_job_that_waits_for_them_runs_on() -> None:
    ends = able("ends", gpus=256)
    keeps = replace(ends, request=replace(ends.request, keeps_gpus=True))
    waits = JobRequest("waits", 300, 3e5, T0, 4 * 3600.0, T0 + 12 * HOUR)
    assert names(DEEP, [ends], 100, waits) == ["ends"]
    assert names(DEEP, [keeps]) == ["ends"]
    assert names(DEEP, [keeps], 100, waits) == []


def test_the_reason_says_the_plan_the_meters_and_the_time() -> None:
    job = able("a")
    (one,) = decisions([(job, T0 + 3 * HOUR)], Lack(T0 - SUSTAINED, 40.0, 90e3), Guidance(59.6, 100))
    assert (one.verb, one.code, one.begin_at) == (Verb.PAUSE, "control.plan_pauses", T0 + 3 * HOUR)
    assert one.params == {
        "plan_gpus": 60,
        "gpus": 100,
        "import_w": 90e3,
        "since": T0 - SUSTAINED,
        "until": T0 + 3 * HOUR,
        "lost_min": 10,
    }


@given(st.integers(0, 50), st.integers(0, 500))
def test_stops_stay_rare(paused: int, jobs: int) -> None:
    left = stops_left(paused, jobs)
    assert left == 0 or paused + left <= STOPS_SHARE * jobs
