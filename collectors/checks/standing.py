"""Who may write now: hands-off, authority, epoch, mode, a person's override, the command's own end."""

from igoudar.collectors.authority import AUTO, OBSERVE
from igoudar.collectors.checks.ground import Ground, class_of
from igoudar.collectors.results import Rejected
from igoudar.core.model import Setpoint

PERSONS = ("override", "operator")  # origins that are a person's own act, which needs no other approval
ABOVE_OVERRIDES = ("override", "safety")


def standing(wish: Setpoint, ground: Ground) -> Rejected | None:
    """Somebody holds the plant, it is this command's holder, and the mode of its class lets it act."""
    if ground.hands_off:
        return Rejected("hands_off")
    if ground.authority is None or ground.device is None:
        return Rejected("no_authority")
    if wish.epoch is not None and wish.epoch != ground.authority.epoch:
        return Rejected("stale_epoch")
    actuator = class_of(ground.device)
    if wish.actuator not in ("", actuator):
        return Rejected("wrong_class", f"{ground.device.name} is of class {actuator}")
    return _moded(wish, ground.authority.modes.get(actuator, OBSERVE)) or _free(wish, ground)


def _moded(wish: Setpoint, mode: str) -> Rejected | None:
    if mode == AUTO:
        return None
    if mode == OBSERVE or mode != "advise":
        return Rejected("observe")
    approved = bool(wish.approved_by) or wish.origin in PERSONS
    return None if approved else Rejected("not_approved")


def _free(wish: Setpoint, ground: Ground) -> Rejected | None:
    if wish.origin in ABOVE_OVERRIDES or ground.authority is None:
        return None
    holds = ground.authority.overrides
    held = {(hold.target, hold.point) for hold in holds if hold.until > ground.now}
    return Rejected("overridden") if (wish.device, wish.point) in held else None


def timely(wish: Setpoint, ground: Ground) -> Rejected | None:
    """The command still lives; the collector has looked at the plant for long enough, and does not stop."""
    if wish.expires_at <= ground.now:
        return Rejected("expired")
    if ground.stopping:
        return Rejected("stopping")
    return None if ground.settled else Rejected("settling")
