"""No control without sight: the device's own telemetry is fresh, moving and good, and it listens to us."""

from igoudar.collectors.checks.ground import Ground
from igoudar.collectors.results import Rejected
from igoudar.core.model import Quality, Reading, Reason, Setpoint
from igoudar.core.model_writes import Remote


def seen(wish: Setpoint, ground: Ground) -> Rejected | None:
    """The device was read lately, does not stand still, and shows the point that is to be written."""
    reading = ground.reading(wish.device)
    if reading is None or reading.gap is not None:
        return Rejected("no_telemetry")
    if any(reason is Reason.FROZEN for _, reason in reading.flags.values()):
        return Rejected("frozen_telemetry")
    return _shown(wish.point, reading)


def _shown(point: str, reading: Reading) -> Rejected | None:
    if point in reading.values:
        return None
    _, reason = reading.flags.get(point, (Quality.BAD, Reason.MISSING))
    return Rejected("not_implemented" if reason is Reason.SENTINEL else "bad_telemetry", reason.name.lower())


def remote(wish: Setpoint, ground: Ground) -> Rejected | None:
    """No person has the device at its own local/remote switch."""
    rules = ground.profile.remote if ground.profile else Remote()
    reading = ground.reading(wish.device)
    if not rules.local or reading is None:
        return None
    shown = reading.values.get(rules.local)
    if shown is None:
        return None if _absent(rules.local, reading) else Rejected("bad_telemetry", rules.local)
    return Rejected("local_control") if shown == rules.local_value else None


def _absent(point: str, reading: Reading) -> bool:
    """The device says itself that it has no such switch."""
    return reading.flags.get(point, (Quality.GOOD, Reason.NONE))[1] is Reason.SENTINEL
