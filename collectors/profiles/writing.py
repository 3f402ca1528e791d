"""The parts of a profile that say how its points are written: ranges, timers, switches, interlocks."""

import math
from collections.abc import Iterator, Mapping, Sequence

from igoudar.collectors.profiles.tables import Table, known, need
from igoudar.core.errors import ConfigError
from igoudar.core.model import ModbusAddress, Point, Profile, Writable
from igoudar.core.model_writes import Interlock, Remote
from igoudar.core.strict_toml import nearest

NUMBERS = ("deadband", "every_s", "reversion_s", "verify_s")
WRITABLE_KEYS = frozenset(Writable.__dataclass_fields__) - {"minimum", "maximum"} | {"min", "max"}
INTERLOCK_KEYS = frozenset(("point", "above", "below", "needs", "min", "max"))
CONTROL_KEYS = frozenset(Remote.__dataclass_fields__)


def writable(table: Table, where: str) -> Writable:
    """What may be written to a point."""
    known(table, WRITABLE_KEYS, where)
    low, high = float(need(table, "min", where)), float(need(table, "max", where))
    if not low < high:
        raise ConfigError("a writable range needs min < max", where=where)
    rest = {k: v for k, v in table.items() if k not in ("min", "max")}
    for key in NUMBERS:
        if not 0 <= float(rest.get(key, 0)) < math.inf:
            raise ConfigError(f"{rest[key]!r} is no positive number", where=f"{where} {key}")
    if "prepare" in rest:
        rest["prepare"] = {str(name): float(value) for name, value in rest["prepare"].items()}
    rules = Writable(low, high, **rest)
    if rules.factory is not None and not low <= rules.factory <= high:
        raise ConfigError("the factory value is outside min..max", where=f"{where} factory")
    return rules


def remote(table: Table, where: str) -> Remote:
    """`[control]`: the local/remote switch and the heartbeat."""
    known(table, CONTROL_KEYS, where)
    return Remote(**table)


def interlocks(tables: Sequence[Table], where: str) -> tuple[Interlock, ...]:
    """`[[interlocks]]`: conditions between points of the device itself."""
    return tuple(_interlock(table, f"{where} {number}") for number, table in enumerate(tables, 1))


def _interlock(table: Table, where: str) -> Interlock:
    known(table, INTERLOCK_KEYS, where)
    if "min" not in table and "max" not in table:
        raise ConfigError("an interlock without bounds", where=where, fix="give min, max or both")
    return Interlock(
        point=str(need(table, "point", where)),
        needs=str(need(table, "needs", where)),
        minimum=float(table.get("min", -math.inf)),
        maximum=float(table.get("max", math.inf)),
        above=float(table.get("above", -math.inf)),
        below=float(table.get("below", math.inf)),
    )


def check_writing(profile: Profile, where: str) -> None:
    """Refuse references to points that are not there or can't be written."""
    for point in profile.points.values():
        at = f"{where}: [points] {point.name}"
        if point.writable is None:
            continue
        for name in point.writable.companions:
            _writable_point(name, profile.points, at)
        if isinstance(point.address, ModbusAddress) and point.address.function != 3:
            raise ConfigError("only holding registers are written", where=at, fix="read it by function 3")
    for name, at in _named(profile, where):
        if name not in profile.points:
            raise ConfigError(f"{name!r} is not a point", where=at, fix=nearest(name, profile.points))
    if profile.remote.heartbeat:
        _writable_point(profile.remote.heartbeat, profile.points, f"{where}: [control] heartbeat")


def _named(profile: Profile, where: str) -> Iterator[tuple[str, str]]:
    for lock in profile.interlocks:
        yield lock.point, f"{where}: [[interlocks]] point"
        yield lock.needs, f"{where}: [[interlocks]] needs"
    for key in ("local", "heartbeat"):
        if name := getattr(profile.remote, key):
            yield name, f"{where}: [control] {key}"


def _writable_point(name: str, points: Mapping[str, Point], at: str) -> None:
    if name not in points or points[name].writable is None:
        raise ConfigError(
            f"{name!r} is not a writable point", where=at, fix="name a writable point of this profile"
        )
