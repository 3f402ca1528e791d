"""Which power limits an event may lower: power shelves and nodes of racks that serve no urgent job. Pure."""

from collections.abc import Iterator

from igoudar.control.actuation.sight import Sight
from igoudar.control.demand_response.levers import CapLever
from igoudar.core.model import Device, JobState, Kind, Quality, Rack
from igoudar.core.model_caps import CapAgent

POINT, SWITCH, DRAW = "power_limit_w", "limit_enabled_state", "active_power_w"
ENDED = (JobState.FINISHED, JobState.REJECTED)


def cap_levers(sight: Sight, least_ratio: float) -> tuple[CapLever, ...]:
    """The levers as they stand.

    A limit binds all GPUs behind it alike, so a rack counts only while no urgent job is on it. Where urgent
    load is no job that a scheduler shows (the simulated cluster), nobody knows which racks serve it: none.

    Args:
        sight: Picture and queue.
        least_ratio: The lowest limit over full power.
    """
    if sight.jobs is None or sight.plant.site.scheduler.kind == "simulated":
        return ()
    urgent = {
        rack
        for job in sight.jobs.values()
        if not job.flexible and job.state not in ENDED
        for rack in job.racks
    }
    free = {name: rack for name, rack in sight.plant.racks.items() if name not in urgent}
    # A rack that an urgent job came to under a cap is listed at full power: so that it is given back.
    shelves = [d for d in sight.plant.kinds.get(Kind.POWER_SHELF, ()) if POINT in d.allow]
    covered = {device.subject for device in shelves}
    found = [lever for d in shelves if d.subject in free for lever in _shelf(sight, d, least_ratio)]
    bound = [lever for d in shelves if d.subject not in free for lever in _shelf(sight, d, 1.0)]
    found += [lever for lever in bound if lever.limit_w < lever.full_w]
    for agent in sight.plant.site.caps.agents:
        if covered.isdisjoint(agent.racks):
            ratio = least_ratio if all(rack in free for rack in agent.racks) else 1.0
            found += _node(sight, agent, [sight.plant.racks[rack] for rack in agent.racks], ratio)
    return tuple(found)


def _shelf(sight: Sight, device: Device, least_ratio: float) -> Iterator[CapLever]:
    """A shelf that is heard and has said what its limit may be."""
    picture, rack = sight.picture, sight.plant.racks[device.subject]
    draw_w, limit_w, low_w, high_w, switch = (
        picture.value(device.name, point) for point in (DRAW, POINT, "limit_low_w", "limit_high_w", SWITCH)
    )
    if draw_w is None or limit_w is None or picture.quality(device.name, POINT) is not Quality.GOOD:
        return
    full_w = high_w if high_w is not None else rack.peak_w * device.share
    now_w = limit_w if switch is not None and switch >= 1.0 else full_w
    least_w = max(least_ratio * full_w, low_w or 0.0)
    yield CapLever(device.name, draw_w, min(now_w, full_w), least_w, full_w, rack.gpus)


def _node(sight: Sight, agent: CapAgent, racks: list[Rack], least_ratio: float) -> Iterator[CapLever]:
    """A node's GPUs, drawing their part of what the racks' GPUs draw."""
    capping, gpus = sight.plant.site.caps, sum(rack.gpus for rack in racks)
    meters = [
        device
        for rack in racks
        for device in sight.plant.subjects.get(rack.name, ())
        if device.kind is Kind.GPU
    ]
    draw_w = sight.picture.total(meters, "gpu_power_w") if meters else None
    if draw_w is None or not gpus:
        return
    full_w = capping.default_w * agent.gpus
    least_w = max(least_ratio * capping.default_w, capping.minimum_w) * agent.gpus
    yield CapLever(agent.node, draw_w * agent.gpus / gpus, full_w, least_w, full_w, agent.gpus)
