"""One cycle of an event: how far over or under the limit, and what to move for it. Pure.

The meter is the judge: what was commanded and is not on it yet counts as done, so that nothing is shed twice.
Half a margin over the target is answered at once, half a margin under it must last before work goes on, and
between the two nothing moves: the thresholds can't cross. Work goes on along the ramp, also under a limit
that stands, as where a stricter one has ended before it. The room is one account: what must come back takes
of it first, then other loads, jobs, caps, each of what is left. Without the meter nothing new is done but
that caps leave urgent jobs.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from igoudar.control.demand_response.battery import battery_share, battery_wish, swung
from igoudar.control.demand_response.case import Case, need_of
from igoudar.control.demand_response.cover import Cover, Need, cover
from igoudar.control.demand_response.levers import CapLever, JobLever, Levers, Limit, Pause, Sight, Wishes
from igoudar.control.demand_response.line import (
    delays,
    given_back,
    held_back,
    must_run,
    next_in_line,
    standing,
)
from igoudar.control.demand_response.memory import Memory
from igoudar.control.demand_response.rules import Rules
from igoudar.core.model import JobState


def decide(limit: Limit, sight: Sight, levers: Levers, memory: Memory, rules: Rules) -> tuple[Wishes, Memory]:
    """What to move now, and the memory with since when there has been room."""
    case = _with_freed(Case(limit, sight, levers, memory, rules))
    if case.blind:
        return Wishes(battery_w=memory.battery_w, caps=_freed(case)), replace(memory, room_since=None)
    case = replace(case, battery=battery_share(case))
    case = replace(case, need=need_of(case))
    memory = swung(case, memory)
    if limit.acting:
        wishes, since = _under_limit(case)
        wishes = replace(wishes, longer=_longer(case, wishes))
    else:
        wishes, since = _way_back(case), None
    return replace(wishes, caps={**wishes.caps, **_freed(case)}), replace(memory, room_since=since)


def _longer(case: Case, wishes: Wishes) -> tuple[Pause, ...]:
    """Pauses whose time to run again would come while the limit still holds."""
    soon, by = case.now + timedelta(seconds=case.lead_s), case.resume_by()
    staying = case.memory.paused.keys() - set(wishes.resumes)
    return tuple(Pause(name, by) for name in sorted(staying) if case.memory.paused[name].resume_by <= soon)


def _freed(case: Case) -> dict[str, float]:
    """Caps that an urgent job has come under meanwhile: lifted at once, whatever the meter says."""
    return {one.target: one.full_w for one in _bound(case)}


def _bound(case: Case) -> list[CapLever]:
    return [one for one in case.levers.caps if one.target in case.memory.caps and one.binds_urgent]


def _with_freed(case: Case) -> Case:
    """With what those caps let through as load that comes by itself: nobody else has that room."""
    freed_w = sum(one.rise_w for one in _bound(case))
    return replace(case, levers=replace(case.levers, arriving_w=case.levers.arriving_w + freed_w))


def _under_limit(case: Case) -> tuple[Wishes, datetime | None]:
    must = must_run(case)
    over_w = case.need.most_w + sum(job.rise_w for job in must)
    if over_w > case.calm_w:
        return _shedding(case, must), None
    if over_w >= -case.calm_w:
        return _going(case, must), None
    since = case.memory.room_since or case.now
    calm_s = (case.now - since).total_seconds() - case.rules.resume_after_s
    if calm_s < 0.0:
        return _going(case, must), since
    return _ramped(case, must, -over_w - case.calm_w, calm_s)


def _ramped(case: Case, must: Sequence[JobLever], room_w: float, calm_s: float) -> tuple[Wishes, datetime]:
    """What `calm_s` of the ramp let through, and the rest of that time: a large piece has to save it up."""
    ramp_w_per_min = case.rules.ramp_w_per_min
    burst_w = ramp_w_per_min * max(60.0, case.sight.cycle_s) / 60.0
    most_w = min(room_w, ramp_w_per_min * calm_s / 60.0, max(burst_w, _piece_w(case, must)))
    wishes, given_w = _easing(case, must, Need(-most_w, -most_w))
    left_s = case.rules.resume_after_s + 60.0 * max(0.0, most_w - given_w) / ramp_w_per_min
    return wishes, case.now - timedelta(seconds=left_s)


def _piece_w(case: Case, must: Sequence[JobLever]) -> float:
    """The largest piece that may be next: a gang, or another load, goes on whole."""
    job = next((one.rise_w for one in standing(case) if one not in must), 0.0)
    held = case.memory.loads
    return max([job, *(one.rise_w for one in case.levers.loads if one.device in held)])


def _way_back(case: Case) -> Wishes:
    """Along the ramp; a job that must run does so whatever the ramp."""
    must = must_run(case)
    wishes, _ = _easing(case, must, case.need.plus(sum(job.rise_w for job in must)))
    return replace(wishes, delays=tuple(given_back(case)))


def _easing(case: Case, must: Sequence[JobLever], need: Need) -> tuple[Wishes, float]:
    """The levers in reverse: other loads, jobs by latest start, then caps; and what they let through [W].

    `need` is the room, negative. What one of them takes of it is not there for those after it.
    """
    loads, loads_w = _back({one.device: (one.rise_w, one.rated_w) for one in case.levers.loads},
                           case.memory.loads, -need.import_w)  # fmt: skip
    need = need.less_import(-loads_w)
    going = [*must, *next_in_line(case, -need.most_w, {job.job_id for job in must})]
    jobs_w = sum(job.rise_w for job in going[len(must) :])
    caps, caps_w = _caps_back(case, {job.job_id for job in going}, need.plus(jobs_w))
    wishes = _going(case, going, more_w=loads_w + caps_w)
    return replace(wishes, loads=loads, caps=caps), loads_w + jobs_w + caps_w


def _caps_back(case: Case, going: Collection[str], need: Need) -> tuple[dict[str, float], float]:
    """Once nobody stands any more."""
    if case.memory.paused.keys() - going:
        return {}, 0.0
    full = {one.target: (one.rise_w, one.full_w) for one in case.levers.caps if not one.binds_urgent}
    return _back(full, case.memory.caps, -need.most_w)


def _back(
    full: Mapping[str, tuple[float, float]], held: Mapping[str, float], room_w: float
) -> tuple[dict[str, float], float]:
    """Limits that we set go back to full while what they let through fits, and that [W]; by (rise, full)."""
    found: dict[str, float] = {}
    given_w = 0.0
    for name in sorted(full.keys() & held.keys()):
        rise_w, full_w = full[name]
        if given_w + rise_w > room_w:
            break
        found[name] = full_w
        given_w += rise_w
    return found, given_w


def _shedding(case: Case, must: list[JobLever]) -> Wishes:
    shortest = sorted(must, key=lambda job: (job.gpus * job.left_s, job.job_id))
    found, kept = _room_for(case, shortest)
    dropped = [job.job_id for job in shortest[len(kept) :]]
    by = case.resume_by()
    pauses = tuple(Pause(one.job.job_id, by) for one in found.pauses)
    return replace(
        _going(case, kept, dropped),
        pauses=pauses,
        caps=found.caps,
        loads=found.loads,
        loses=(*found.loses, *dropped),
        short_w=max(0.0, found.left.less_import(case.battery.spare_w).most_w),
    )


def _room_for(case: Case, must: list[JobLever]) -> tuple[Cover, list[JobLever]]:
    """The cover that lets most of those run that must, the shortest first: each frees its place soonest.

    No other job's deadline is given for theirs. Source: Moore (1968), fewest late jobs: drop the longest.
    """
    best, low, high = _cover(case, ()), 0, len(must)
    bare = best
    while low < high:
        count = (low + high + 1) // 2
        found = _cover(case, must[:count])
        if found.short_w <= bare.short_w and set(found.loses) <= set(bare.loses):
            best, low = found, count
        else:
            high = count - 1
    return best, must[:low]


def _cover(case: Case, going: Sequence[JobLever]) -> Cover:
    need = case.need.plus(sum(job.rise_w for job in going))
    if need.most_w <= 0.0:
        return Cover()
    spared = {*case.memory.refused, *(job.job_id for job in going)}
    least_s = case.rules.pause_at_least_s + case.lead_s
    return cover(need, case.levers, case.rules, case.now, case.horizon_s, least_s, spared)


def _going(case: Case, going: Sequence[JobLever], dropped: Sequence[str] = (), more_w: float = 0.0) -> Wishes:
    """Who goes on, and who must not start by itself; the battery is there before the load is."""
    more_w += sum(job.rise_w for job in going)
    return Wishes(
        resumes=tuple(job.job_id for job in going if job.state is JobState.SUSPENDED),
        releases=tuple(job.job_id for job in going if held_back(job, case.now)),
        delays=tuple(delays(case, {job.job_id for job in going}, dropped)),
        battery_w=battery_wish(case, more_w) if more_w > 0.0 else case.battery.wish_w,
    )
