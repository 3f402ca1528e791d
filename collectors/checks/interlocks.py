"""Interlocks: conditions that no wish passes; what is not known is not met."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from igoudar.collectors.checks.ground import Ground
from igoudar.collectors.results import Rejected
from igoudar.core.model import BatteryBank, Kind, Reading, Setpoint, Site
from igoudar.core.model_writes import Interlock

DISCHARGES = {"setpoint_w": 1, "discharge_rate_pct": 1, "charge_rate_pct": -1}
"""Writable points of batteries; the sign with which they mean discharge."""

BY_ITSELF = 0.0  # a rate or power of 0 neither charges nor discharges


def interlocked(wish: Setpoint, ground: Ground) -> Rejected | None:
    """The first interlock that forbids this value now."""
    for lock in ground.locks:
        if lock.guards(wish.device, wish.point, wish.value):
            broken = _broken(lock, ground.reading(lock.needs_device or wish.device))
            if broken:
                return Rejected("interlock", broken)
    return None


def _broken(lock: Interlock, reading: Reading | None) -> str:
    value = None if reading is None or reading.gap is not None else reading.values.get(lock.needs)
    if value is None or (reading is not None and lock.needs in reading.flags):
        return f"{lock.needs} is not known"
    if lock.minimum <= value <= lock.maximum:
        return ""
    return f"{lock.needs} is {value:g}, outside {lock.minimum:g}..{lock.maximum:g}"


def site_locks(site: Site) -> tuple[Interlock, ...]:
    """The interlocks of a site: its own, and the state-of-charge limits of its batteries."""
    banks = [d for d in site.devices if d.kind is Kind.BATTERY]
    charge = [lock for device in banks for lock in _charge_locks(device.name, device.allow, site.battery)]
    return (*site.interlocks, *charge)


def _charge_locks(device: str, allow: Collection[str], bank: BatteryBank) -> Iterator[Interlock]:
    """An empty battery is not discharged, a full one not charged."""
    for point in sorted(allow):
        sign = DISCHARGES.get(point)
        if sign is None:
            continue
        not_empty = Interlock(point, "soc_pct", minimum=bank.soc_min_pct, device=device)
        not_full = Interlock(point, "soc_pct", maximum=bank.soc_max_pct, device=device)
        up, down = (not_empty, not_full) if sign > 0 else (not_full, not_empty)
        yield replace(up, above=BY_ITSELF)
        yield replace(down, below=BY_ITSELF)
