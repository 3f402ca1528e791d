"""What the plant itself forbids just now, whatever the optimiser wants. Pure.

A value that is stale or bad decides nothing: what depends on it is held, and the fail-safe follows.
"""

import math

from igoudar.collectors.results import Rejected
from igoudar.control.actuation.command import ActuatorClass, Command, Origin
from igoudar.control.actuation.guard.rules import Rules
from igoudar.control.actuation.guard.view import View, slot
from igoudar.control.picture import Picture
from igoudar.core.model import Kind, Quality

SETPOINT = "setpoint_c"


def interlock(command: Command, rules: Rules, view: View) -> Rejected | None:
    """Charge limits, the worst inlet, the pace of temperature, flow before compressor; None when free."""
    if command.origin is Origin.SAFETY or command.value is None:
        return None
    if command.actuator is ActuatorClass.BATTERY:
        return _battery(command, command.value, rules, view)
    if command.actuator is ActuatorClass.COOLING:
        return _cooling(command, command.value, rules, view)
    return _unheard(command, rules, view)


def push(point: str, value: float) -> int:
    """Whether a battery command forces discharge (1) or charge (-1), or only bounds it (0).

    Source: SunSpec 124 (a negative rate forces the other direction), 704 (positive watts inject).
    """
    if point == "discharge_rate_pct":
        return -1 if value < 0 else 0
    if point == "charge_rate_pct":
        return 1 if value < 0 else 0
    if point == "setpoint_w":
        return (value > 0) - (value < 0)
    return 0


def _battery(command: Command, value: float, rules: Rules, view: View) -> Rejected | None:
    if command.point == "reserve_pct" and value < rules.soc_min_pct:
        return Rejected("soc_low")
    way = push(command.point, value)
    if way == 0:
        return _unheard(command, rules, view)
    soc_pct = known(command.target, "soc_pct", rules, view.picture)
    if soc_pct is None:
        return Rejected("stale_input")
    margin = rules.guarding.soc_margin_pct
    if way > 0 and soc_pct <= rules.soc_min_pct + margin:
        return Rejected("soc_low")
    return Rejected("soc_high") if way < 0 and soc_pct >= rules.soc_max_pct - margin else None


def _cooling(command: Command, value: float, rules: Rules, view: View) -> Rejected | None:
    if command.point == "enable_state" and value >= 1.0:
        return None if _flows(rules, view) else Rejected("no_flow")
    if command.point != SETPOINT:
        return _unheard(command, rules, view)
    present = known(command.target, SETPOINT, rules, view.picture)
    if present is None:
        return Rejected("stale_input")
    return _inlets(value - present, rules, view) or _pace(command, value, present, rules, view)


def _inlets(change_c: float, rules: Rules, view: View) -> Rejected | None:
    """The worst sensor bounds it, not the mean, and one that is not heard allows no warmer water."""
    found = [known(name, "inlet_c", rules, view.picture) for name in rules.inlets]
    heard = [value for value in found if value is not None]
    if change_c > 0 and len(heard) < len(found):
        return Rejected("stale_input")
    if heard and change_c > 0 and max(heard) + change_c > rules.inlet_limit_c:
        return Rejected("inlet_high")
    coldest = rules.guarding.inlet_c[0]
    return Rejected("inlet_low") if heard and change_c < 0 and min(heard) + change_c < coldest else None


def _pace(command: Command, value: float, present: float, rules: Rules, view: View) -> Rejected | None:
    """Within any hour the setpoint moves no further than air may (ASHRAE TC 9.9)."""
    hour = (*view.past.get(slot(command), ()), present)
    most = rules.guarding.ramp_c_per_h
    return Rejected("too_fast") if any(abs(value - before) > most for before in hour) else None


def _flows(rules: Rules, view: View) -> bool:
    plants = [name for name, kind in rules.devices.items() if kind in (Kind.COOLING_PLANT, Kind.CDU)]
    flows = [known(name, "flow_lpm", rules, view.picture) for name in plants]
    return any(flow is not None and flow > 0 for flow in flows)


def _unheard(command: Command, rules: Rules, view: View) -> Rejected | None:
    """A device that is not heard is not driven."""
    if command.target not in rules.devices:
        return None
    return Rejected("stale_input") if _silent(command.target, rules, view.picture) else None


def known(device: str, point: str, rules: Rules, picture: Picture) -> float | None:
    """A good value of a device that is heard; None decides nothing."""
    if _silent(device, rules, picture) or picture.quality(device, point) is not Quality.GOOD:
        return None
    value = picture.value(device, point)
    return value if value is not None and math.isfinite(value) else None


def _silent(device: str, rules: Rules, picture: Picture) -> bool:
    age_s = picture.age_s(device)
    return picture.lost or age_s is None or age_s > rules.stale_s.get(device, 0.0)
