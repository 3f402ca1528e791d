"""What stands fixed while a site runs: points with their bounds, inputs, who must approve what. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from igoudar.control.actuation.command import ActuatorClass
from igoudar.control.roster import Roster
from igoudar.core.model import Device, Kind, Point, Profile
from igoudar.core.model_guard import Guarding, PointLimit

SETTLE_S = 60.0  # site time after a start before the loop touches the plant; our assumption
CLASSES: Mapping[Kind, ActuatorClass] = {
    Kind.BATTERY: ActuatorClass.BATTERY,
    Kind.INVERTER: ActuatorClass.CURTAILMENT,
    Kind.TURBINE: ActuatorClass.CURTAILMENT,
    Kind.CHILLER: ActuatorClass.COOLING,
    Kind.CDU: ActuatorClass.COOLING,
    Kind.DRY_COOLER: ActuatorClass.COOLING,
    Kind.COOLING_PLANT: ActuatorClass.COOLING,
    Kind.DESALINATION: ActuatorClass.LOADS,
    Kind.ELECTROLYSER: ActuatorClass.LOADS,
    Kind.GPU: ActuatorClass.CAPS,
    Kind.PDU: ActuatorClass.CAPS,
    Kind.POWER_SHELF: ActuatorClass.CAPS,
}
WHOLE_SITE = ("budget",)  # verbs that are not about one job
NODE_POWER = ("power_down", "power_up")  # of a node, by people alone
VERBS = ("delay", "release", "suspend", "resume", "requeue", *WHOLE_SITE, *NODE_POWER)


@dataclass(frozen=True, slots=True)
class PointRule:
    """One point of one device."""

    kind: Kind
    writable: bool
    allowed: bool  # by the site file, by name
    minimum: float = 0.0
    maximum: float = 0.0
    deadband: float = 0.0
    every_s: float = 0.0
    reverts: bool = False  # the collector gives it back when its command ends
    companion: bool = False  # served along with another point, never asked for by itself
    daily_writes: int | None = None  # None = as many as the rate allows


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it."""

    points: Mapping[tuple[str, str], PointRule]
    devices: Mapping[str, Kind]
    stale_s: Mapping[str, float]  # device -> age from which it counts as silent
    inlets: tuple[str, ...]  # devices that measure a rack's inlet
    guarding: Guarding = field(default_factory=Guarding)
    inlet_limit_c: float = 27.0
    soc_min_pct: float = 10.0
    soc_max_pct: float = 95.0
    settle_s: float = SETTLE_S


def rules(plant: Roster) -> Rules:
    """The rules of a site."""
    site = plant.site
    return Rules(
        points={
            (device.name, point.name): rule
            for device in site.devices
            for point, rule in _of_device(site.guard, device, plant.profiles[device.profile])
        },
        devices={device.name: device.kind for device in site.devices},
        stale_s={device.name: plant.stale_s(device) for device in site.devices},
        inlets=tuple(device.name for device in plant.kinds.get(Kind.RACK_SENSORS, ())),
        guarding=site.guard,
        inlet_limit_c=min(site.cooling.inlet_limit_c, site.guard.inlet_c[1]),
        soc_min_pct=site.battery.soc_min_pct,
        soc_max_pct=site.battery.soc_max_pct,
    )


def _of_device(guarding: Guarding, device: Device, profile: Profile) -> Iterator[tuple[Point, PointRule]]:
    writables = [point.writable for point in profile.points.values() if point.writable]
    along = {name for rules in writables for name in rules.companions} | {profile.remote.heartbeat}
    for point in profile.points.values():
        yield point, replace(_point(guarding, device, point), companion=point.name in along)


def _point(guarding: Guarding, device: Device, point: Point) -> PointRule:
    rules = point.writable
    if rules is None:
        return PointRule(device.kind, writable=False, allowed=False)
    closer = guarding.limits.get((device.kind.value, point.name), PointLimit())
    return PointRule(
        kind=device.kind,
        writable=True,
        allowed=point.name in device.allow,
        minimum=rules.minimum if closer.minimum is None else max(rules.minimum, closer.minimum),
        maximum=rules.maximum if closer.maximum is None else min(rules.maximum, closer.maximum),
        deadband=rules.deadband if closer.deadband is None else closer.deadband,
        every_s=max(guarding.every_s, rules.every_s) if closer.every_s is None else closer.every_s,
        reverts=bool(rules.reversion or rules.enable),
        daily_writes=min(guarding.daily_writes, rules.daily_writes) if rules.eeprom else None,
    )
