"""What is looked at in each cycle: limits, silent devices, dead parts. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.alarms.rules import Condition, advance, flag
from igoudar.control.picture import Picture
from igoudar.control.roster import Roster
from igoudar.core.model import AlarmRule, Device, Kind

SILENT_PRIORITY = 3
PART_PRIORITY = 1
RACK_KINDS = (Kind.PDU, Kind.POWER_SHELF, Kind.RACK_SENSORS, Kind.GPU, Kind.CDU)


@dataclass(frozen=True, slots=True)
class Signal:
    """One possible alarm and whether its condition holds; `pulse` = it happened and is over already."""

    code: str
    source: str
    priority: int
    group: str
    condition: Condition
    params: dict[str, object] = field(default_factory=dict)
    pulse: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the alarm."""
        return self.code, self.source


Conditions = Mapping[tuple[str, str], Condition]


def standing(
    code: str,
    source: str,
    priority: int,
    holds: bool,
    at: datetime,
    before: Conditions,
    params: dict[str, object],
    on_delay_s: float = 0.0,
    off_delay_s: float = 0.0,
) -> Signal:
    """Something that holds or does not, in a group of its own."""
    condition = flag(before.get((code, source), Condition()), holds, at, on_delay_s, off_delay_s)
    return Signal(code, source, priority, code, condition, {"source": source, **params})


def limits(roster: Roster, picture: Picture, before: Conditions) -> Iterator[Signal]:
    """The site's threshold rules on every device they fit."""
    for rule in roster.site.alarms:
        for device in roster.kinds.get(rule.kind, ()):
            if not rule.subject or rule.subject == device.subject:
                yield _limit(rule, device, picture, before)


def _limit(rule: AlarmRule, device: Device, picture: Picture, before: Conditions) -> Signal:
    value = picture.value(device.name, rule.point)
    condition = advance(rule, before.get((rule.code, device.name), Condition()), value, picture.at)
    unit = rule.point.rpartition("_")[2]
    params: dict[str, object] = {
        "source": device.subject if device.kind in RACK_KINDS else device.name,
        "point": rule.point,
        f"limit_{unit}": rule.high if condition.high else rule.low,
    }
    if value is not None:
        params[f"value_{unit}"] = value
    group = f"{rule.code} {device.hall}".strip()
    return Signal(rule.code, device.name, rule.priority, group, condition, params)


def silent(roster: Roster, picture: Picture, before: Conditions, since: datetime) -> Iterator[Signal]:
    """Devices that have said nothing for three polls; nobody could hear them before `since`."""
    listened_s = (picture.at - since).total_seconds()
    for device in roster.site.devices:
        age_s, stale_s = picture.age_s(device.name), roster.stale_s(device)
        unheard = age_s is None or age_s > listened_s
        # Right after a start a device has twice the time, since all links open at once.
        quiet = listened_s > 2 * stale_s if unheard else age_s is not None and age_s > stale_s
        old = before.get(("device_silent", device.name), Condition())
        condition = flag(old, quiet or (unheard and old.active), picture.at, 0, 0)
        age_s = listened_s if age_s is None else age_s
        params: dict[str, object] = {"source": device.name, "age_s": age_s, "profile": device.profile}
        group = f"device_silent {device.hall or device.kind}"
        yield Signal("device_silent", device.name, SILENT_PRIORITY, group, condition, params)


def lost(roster: Roster, picture: Picture, before: Conditions) -> Iterator[Signal]:
    """The collector itself does not answer: one alarm instead of one per device."""
    source = roster.site.name
    yield standing("telemetry_lost", source, PART_PRIORITY, picture.lost, picture.at, before, {})


def parts(
    states: Mapping[str, Mapping[str, object]], seen: Mapping[str, int], before: Conditions, at: datetime
) -> Iterator[Signal]:
    """Parts that the supervisor reports as not running, or that were restarted since last seen."""
    for name, part in states.items():
        restarts = int(str(part.get("restarts") or 0))
        down = part.get("state") != "running"
        condition = flag(before.get(("part_dead", name), Condition()), down, at, 0, 0)
        params: dict[str, object] = {"source": name, "state": part.get("state"), "restarts": restarts}
        fresh = restarts > seen.get(name, 0) and not condition.active
        yield Signal("part_dead", name, PART_PRIORITY, f"part_dead {name}", condition, params, pulse=fresh)
