"""The room of one cycle is one account: what loads take is not there for jobs, nor theirs for caps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.demand_response.cases import GPU_W, NOW, RULES, acting, job, jobs, remembering, sight

from igoudar.control.demand_response.case import Case
from igoudar.control.demand_response.decide import decide
from igoudar.control.demand_response.levers import CapLever, Levers, Limit, LoadLever, Wishes
from igoudar.control.demand_response.line import must_run
from igoudar.control.demand_response.memory import Memory
from igoudar.core.model import JobState

MW = 1e6
SUSPENDED, WAITING = JobState.SUSPENDED, JobState.WAITING
DEVICES = ("desalination-1", "electrolyser-1", "electrolyser-2")


@dataclass(frozen=True)
class Back:
    """What one answer lets come back [W], by its kind; `must` takes no notice of room."""

    loads_w: float
    jobs_w: float
    caps_w: float
    must_w: float

    @property
    def facility_w(self) -> float:
        return self.jobs_w + self.caps_w

    @property
    def import_w(self) -> float:
        return self.loads_w + self.jobs_w + self.caps_w


def came_back(wishes: Wishes, found: Levers, must: set[str]) -> Back:
    by_id, going = found.by_id(), {*wishes.resumes, *wishes.releases}
    freed = {one.target for one in found.caps if one.binds_urgent}
    caps = {one.target: one.rise_w for one in found.caps if wishes.caps.get(one.target) == one.full_w}
    return Back(
        sum(one.rise_w for one in found.loads if wishes.loads.get(one.device) == one.rated_w),
        sum(by_id[name].rise_w for name in going - must),
        sum(rise_w for name, rise_w in caps.items() if name not in freed),
        sum(by_id[name].rise_w for name in going & must)
        + sum(rise_w for name, rise_w in caps.items() if name in freed),
    )


@st.composite
def standing(draw: st.DrawFn) -> tuple[Levers, Memory]:
    """What an event has lowered, paused and delayed."""
    loads = [LoadLever(name, draw(st.floats(0.0, 2.1e6)), 2e6) for name in DEVICES]
    caps = [
        CapLever(f"node-{n}", draw(st.floats(2e5, 1e6)), 8.5e5, draw(st.sampled_from([8.5e5, 1e6])), 1e6)
        for n in range(draw(st.integers(0, 5)))
    ]
    listed = draw(jobs((SUSPENDED, WAITING)))[: draw(st.sampled_from([2, 30]))]
    paused = [one for one in listed if one.state is SUSPENDED]
    held = draw(st.sets(st.sampled_from(DEVICES)))
    memory = replace(
        remembering(*paused),
        loads=dict.fromkeys(sorted(held), 1e6),
        caps={one.target: one.limit_w for one in caps},
        delayed={one.job_id: NOW for one in listed if one.state is WAITING},
    )
    return Levers(tuple(listed), tuple(caps), tuple(loads)), memory


SHARE = st.floats(-0.2, 1.2)
"""Of all that stands: room for it."""


@given(standing(), st.none() | SHARE, st.none() | SHARE, st.booleans(), st.floats(0.0, 900.0))
def test_what_comes_back_in_one_cycle_never_passes_the_room_nor_the_ramp(
    case: tuple[Levers, Memory],
    facility_share: float | None,
    import_share: float | None,
    holds: bool,
    calm_s: float,
) -> None:
    found, memory = case
    all_w = sum(one.rise_w for one in (*found.jobs, *found.caps, *found.loads))
    facility_w, import_w = (None if share is None else 30 * MW for share in (facility_share, import_share))
    limit = acting(facility_w, import_w) if holds else Limit(facility_w, import_w)
    target_w, calm_w = RULES.target_w(30 * MW), RULES.calm_w(30 * MW) if holds else 0.0
    rooms_w = [all_w * (share or 0.0) for share in (facility_share, import_share)]
    seen = sight(target_w - calm_w - rooms_w[0], target_w - calm_w - rooms_w[1])
    memory = replace(memory, room_since=NOW - timedelta(seconds=calm_s))
    must = {one.job_id for one in must_run(Case(limit, seen, found, memory, RULES))}
    wishes, after = decide(limit, seen, found, memory, RULES)
    back = came_back(wishes, found, must)
    if facility_w is not None:
        assert back.facility_w <= max(0.0, rooms_w[0] - back.must_w) + 1.0
    if import_w is not None:
        assert back.import_w <= max(0.0, rooms_w[1] - back.must_w) + 1.0
    if holds and not limit.none:
        ramped_s = max(0.0, calm_s - RULES.resume_after_s)
        assert back.import_w <= RULES.ramp_w_per_min * ramped_s / 60.0 + 1.0
        if back.import_w > 0.0 and after.room_since is not None:
            unspent_s = (NOW - after.room_since).total_seconds() - RULES.resume_after_s
            spent_w = RULES.ramp_w_per_min * (ramped_s - unspent_s) / 60.0
            assert spent_w >= back.import_w - 1.0


@given(st.lists(st.integers(1, 800), min_size=1, max_size=20), st.sets(st.sampled_from(DEVICES), min_size=1))
def test_loads_and_jobs_come_back_by_one_ramp_under_an_import_limit_that_stands(
    gpus: list[int], held: set[str]
) -> None:
    """Over any time: the ramp, and one largest piece; on the meter, the target."""
    waiting = {f"job-{n}": job(n, SUSPENDED, many, 1, None, 0) for n, many in enumerate(gpus)}
    memory = replace(remembering(*waiting.values()), loads=dict.fromkeys(held, 0.0))
    limit_w, grid_w, back = 60 * MW, 10 * MW, list[tuple[float, float]]()
    full_w = sum(one.rise_w for one in waiting.values()) + 2 * MW * len(held)
    for turn in range(int((RULES.resume_after_s + 120.0 * (full_w + 4 * MW) / RULES.ramp_w_per_min) / 10.0)):
        seen = replace(sight(20 * MW, grid_w), now=NOW + timedelta(seconds=10.0 * turn))
        found = Levers(tuple(waiting[name] for name in memory.paused), loads=_loads(held, memory.loads))
        wishes, memory = decide(acting(None, limit_w, hours=99), seen, found, memory, RULES)
        rise_w = came_back(wishes, found, set()).import_w
        back, grid_w = [*back, (10.0 * turn, rise_w)], grid_w + rise_w
        assert grid_w <= RULES.target_w(limit_w)
        paused = {name: one for name, one in memory.paused.items() if name not in wishes.resumes}
        memory = replace(memory, paused=paused, loads=_less(memory.loads, wishes.loads))
    assert not memory.paused
    assert not memory.loads
    piece_w = max(RULES.ramp_w_per_min, 2 * MW, *(one.rise_w for one in waiting.values()))
    for first in range(len(back)):
        for last in range(first, len(back)):
            given_w = sum(rise_w for _, rise_w in back[first : last + 1])
            ramped_w = RULES.ramp_w_per_min * (back[last][0] - back[first][0]) / 60.0
            assert given_w <= ramped_w + piece_w + 1.0


def _loads(held: set[str], still: Mapping[str, float]) -> tuple[LoadLever, ...]:
    return tuple(LoadLever(name, 0.0 if name in still else 2 * MW, 2 * MW) for name in sorted(held))


def _less(held: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    return {name: w for name, w in held.items() if name not in given}


@pytest.mark.parametrize("holds", [True, False])
def test_what_a_load_takes_is_not_there_for_a_job(holds: bool) -> None:
    one = job(1, SUSPENDED, 1000, 5, None, 0)
    found = Levers((one,), loads=(LoadLever("electrolyser-1", 0.0, 1 * MW),))
    memory = replace(
        remembering(one), loads={"electrolyser-1": 0.0}, room_since=NOW - timedelta(seconds=3600.0)
    )
    limit_w, room_w = 20 * MW, 1 * MW + one.rise_w / 2.0
    calm_w = RULES.calm_w(limit_w) if holds else 0.0
    for spare_w, resumed in ((0.0, ()), (one.rise_w, ("job-1",))):
        seen = sight(15 * MW, RULES.target_w(limit_w) - calm_w - room_w - spare_w)
        limit = acting(None, limit_w) if holds else Limit(None, limit_w)
        wishes, _ = decide(limit, seen, found, memory, replace(RULES, ramp_w_per_min=20 * MW))
        assert wishes.loads == {"electrolyser-1": 1 * MW}
        assert wishes.resumes == resumed


def test_what_an_urgent_job_needs_at_once_is_not_there_for_another() -> None:
    one = job(1, SUSPENDED, 100, 5, None, 0)
    bound = CapLever("shelf-1", 100e3, 110e3, 132e3, 132e3)
    found, memory = Levers((one,), (bound,)), replace(remembering(one), caps={"shelf-1": 110e3})
    limit, target_w = Limit(20 * MW), RULES.target_w(20 * MW)
    for room_w, resumed in ((108 * GPU_W + 1e3, ()), (108 * GPU_W + 33e3, ("job-1",))):
        wishes, _ = decide(limit, sight(target_w - room_w), found, memory, RULES)
        assert wishes.caps == {"shelf-1": 132e3}
        assert wishes.resumes == resumed


def test_an_urgent_job_is_free_of_a_cap_also_while_the_meter_is_silent() -> None:
    bound, cap = (
        CapLever(f"shelf-{n}", 100e3, 110e3, least_w, 132e3) for n, least_w in ((1, 132e3), (2, 110e3))
    )
    memory = replace(remembering(), caps={"shelf-1": 110e3, "shelf-2": 110e3})
    wishes, _ = decide(acting(20 * MW), sight(None), Levers((), (bound, cap)), memory, RULES)
    assert wishes.caps == {"shelf-1": 132e3}


def test_what_a_job_takes_is_not_there_for_a_cap() -> None:
    one, cap = job(1, SUSPENDED, 100, 5, None, 0), CapLever("shelf-1", 100e3, 110e3, 110e3, 132e3)
    found, memory = Levers((one,), (cap,)), replace(remembering(one), caps={"shelf-1": 110e3})
    limit, target_w = Limit(20 * MW), RULES.target_w(20 * MW)
    for more_w, expected in ((31e3, {}), (33e3, {"shelf-1": 132e3})):
        wishes, _ = decide(limit, sight(target_w - one.rise_w - more_w), found, memory, RULES)
        assert wishes.resumes == ("job-1",)
        assert wishes.caps == expected
