"""Which points may be written, and in which range: profile and site, nothing else."""

import math

from igoudar.collectors.checks.ground import Ground
from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.core.model import Profile, Setpoint


def listed(wish: Setpoint, ground: Ground) -> Rejected | None:
    """The device and the point are known, writable by profile, allowed by site, and not a companion."""
    if ground.device is None or ground.profile is None:
        return Rejected("unknown_device")
    point = ground.profile.points.get(wish.point)
    if point is None:
        return Rejected("unknown_point")
    if point.writable is None:
        return Rejected("read_only")
    if wish.point not in ground.device.allow:
        return Rejected("not_allowed")
    return Rejected("companion") if wish.point in companions(ground.profile) else None


def companions(profile: Profile) -> frozenset[str]:
    """Timers, switches and counters that the write procedure serves; nobody writes them by themselves."""
    rules = [point.writable for point in profile.points.values() if point.writable]
    named = {name for each in rules for name in each.companions} | {profile.remote.heartbeat}
    return frozenset(named - {""})


def bounded(wish: Setpoint, ground: Ground) -> Rejected | OutOfBounds | None:
    """The value is a number within the profile's range."""
    rules = ground.profile.points[wish.point].writable if ground.profile else None
    if rules is None:
        return Rejected("read_only")
    if not math.isfinite(wish.value):
        return Rejected("not_a_number")
    if not rules.minimum <= wish.value <= rules.maximum:
        return OutOfBounds(rules.minimum, rules.maximum)
    return None
