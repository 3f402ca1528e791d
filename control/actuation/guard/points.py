"""What may be written to a point: by name, within its range, not twice, not too often. Pure."""

import math
from datetime import timedelta

from igoudar.collectors.results import OutOfBounds, Rejected
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.rules import CLASSES, PointRule, Rules
from igoudar.control.actuation.guard.view import Held, View, slot
from igoudar.core.model import Quality

FIRST_REST, LONGEST_REST = timedelta(seconds=30), timedelta(hours=1)  # after a failed write
ALWAYS = (Origin.SAFETY, Origin.EVENT, Origin.OPERATOR)  # a failed try does not keep these waiting


def strange_point(command: Command, rules: Rules, view: View) -> Rejected | None:
    """Not a point that the profile marks writable and the site file names."""
    if not of_device(command, rules):
        return None
    kind = rules.devices.get(command.target)
    if kind is None:
        return Rejected("unknown_device")
    rule = rules.points.get((command.target, command.point))
    if rule is None:
        return Rejected("unknown_point")
    if not rule.writable:
        return Rejected("read_only")
    if rule.companion:
        return Rejected("companion")
    if not rule.allowed:
        return Rejected("not_allowed")
    return None if CLASSES.get(kind) is command.actuator else Rejected("wrong_class")


def out_of_range(command: Command, rules: Rules, view: View) -> Rejected | OutOfBounds | None:
    """Not a number, or one that the profile or the site forbids."""
    rule = rules.points.get((command.target, command.point))
    if rule is None or command.actuator is ActuatorClass.JOBS:
        return None
    if command.value is None or not math.isfinite(command.value):
        return Rejected("not_a_number")
    if not rule.minimum <= command.value <= rule.maximum:
        return OutOfBounds(rule.minimum, rule.maximum)
    return None


def no_change(command: Command, rules: Rules, view: View) -> Rejected | None:
    """The value stands there already, and no timer is about to give it up."""
    rule = rules.points.get((command.target, command.point))
    if rule is None or command.value is None or command.actuator is ActuatorClass.JOBS:
        return None
    held = view.held.get(slot(command))
    ours = rule.reverts or _keeps(command, held, rule, view)
    stands = _lasts(command, held, view) if ours else _reads(command, view)
    value = held.value if rule.reverts and held else view.picture.value(command.target, command.point)
    same = value is not None and abs(value - command.value) <= rule.deadband
    return Rejected("unchanged") if stands and same else None


def too_often(command: Command, rules: Rules, view: View) -> Rejected | None:
    """Sooner than the point bears, more often than its memory bears, or again into the same wall."""
    key, rule = slot(command), rules.points.get((command.target, command.point))
    held, fault = view.held.get(key), view.faults.get(key)
    if fault is not None and command.origin not in ALWAYS and view.now - fault.at < _rest(fault.count):
        return Rejected("backing_off")
    if rule is None or command.actuator is ActuatorClass.JOBS:
        return None
    if rule.daily_writes is not None and view.writes.get(key, 0) >= rule.daily_writes:
        return Rejected("budget_spent")
    if command.origin is Origin.SAFETY or held is None:
        return None
    return Rejected("too_soon") if (view.now - held.at).total_seconds() < rule.every_s else None


def of_device(command: Command, rules: Rules) -> bool:
    """Whether it goes to a device of the site: caps may go to agents that are no devices."""
    if command.actuator is ActuatorClass.JOBS:
        return False
    return command.actuator is not ActuatorClass.CAPS or command.target in rules.devices


def _reads(command: Command, view: View) -> bool:
    return view.picture.quality(command.target, command.point) is Quality.GOOD


def _keeps(command: Command, held: Held | None, rule: PointRule, view: View) -> bool:
    """Whether this value still stands there by our doing: the collector gives that back at its end, too."""
    if held is None or held.value is None or command.value is None or held.until <= view.now:
        return False
    return abs(held.value - command.value) <= rule.deadband and held.origin is command.origin


def _lasts(command: Command, held: Held | None, view: View) -> bool:
    """Our own value, with at least half of its life left; the collector keeps it until then."""
    return held is not None and held.until - view.now >= (command.expires_at - view.now) / 2


def _rest(count: int) -> timedelta:
    return min(LONGEST_REST, FIRST_REST * float(2 ** min(count - 1, 10)))
