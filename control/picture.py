"""The frozen picture of the plant that one cycle decides on: values with their age, never a live read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from igoudar.control.roster import Roster
from igoudar.core.model import Device, Quality, Reading

POWER = "active_power_w"


@dataclass(frozen=True, slots=True)
class Picture:
    """All devices at one instant of site time."""

    at: datetime
    readings: Mapping[str, Reading] = field(default_factory=dict)
    last_good: Mapping[str, datetime] = field(default_factory=dict)
    points: int = 0
    read_count: int = 0
    gap_count: int = 0
    lost: bool = False  # the collector itself did not answer
    collector: Mapping[str, float] = field(default_factory=dict)  # its own figures

    def value(self, device: str, point: str) -> float | None:
        """A value that may be used; None when it is missing or bad."""
        reading = self.readings.get(device)
        return reading.values.get(point) if reading and reading.gap is None else None

    def age_s(self, device: str) -> float | None:
        """Site time since the device last gave values [s]."""
        last = self.last_good.get(device)
        return max(0.0, (self.at - last).total_seconds()) if last else None

    def quality(self, device: str, point: str) -> Quality:
        """Quality of a point; BAD when there is no value."""
        if self.value(device, point) is None:
            return Quality.BAD
        return self.readings[device].flags.get(point, (Quality.GOOD, None))[0]

    def mean(self, devices: Iterable[Device], point: str) -> float | None:
        """Mean over the devices that have the point."""
        found = [v for v in (self.value(device.name, point) for device in devices) if v is not None]
        return sum(found) / len(found) if found else None

    def total(self, devices: Iterable[Device], point: str) -> float | None:
        """Sum over the devices, None as soon as one is missing: a part is not the whole."""
        found = [self.value(device.name, point) for device in devices]
        known = [v for v in found if v is not None]
        return sum(known) if known and len(known) == len(found) else None


@dataclass(frozen=True, slots=True)
class Powers:
    """Campus powers by the meters [W]; None where a meter is missing, 0 where the site has no such thing."""

    pv_w: float | None
    wind_w: float | None
    grid_w: float | None  # import positive
    battery_w: float | None  # discharge positive
    facility_w: float | None  # IT and its overhead
    it_w: float | None
    desalination_w: float | None
    electrolyser_w: float | None
    oldest: datetime | None  # when the oldest of these was read

    @property
    def renewable_w(self) -> float | None:
        """On-site generation [W]."""
        return _sum(self.pv_w, self.wind_w)

    @property
    def load_w(self) -> float | None:
        """Everything the campus uses, battery charge left out [W]."""
        return _sum(self.facility_w, self.desalination_w, self.electrolyser_w)

    @property
    def surplus_w(self) -> float | None:
        """Generation that no load uses [W]; negative when load exceeds it."""
        if self.renewable_w is None or self.load_w is None:
            return None
        return self.renewable_w - self.load_w


def powers(picture: Picture, roster: Roster) -> Powers:
    """Campus powers of a picture."""

    def role_w(role: str) -> float | None:
        devices = roster.power_devices(role)
        return picture.total(devices, POWER) if devices else _absent(roster, role)

    return Powers(
        role_w("pv"),
        role_w("wind"),
        role_w("grid"),
        role_w("battery"),
        role_w("transformer"),
        role_w("it"),
        role_w("desalination"),
        role_w("electrolyser"),
        _oldest(picture, roster),
    )


def soc_pct(picture: Picture, roster: Roster) -> float | None:
    """State of charge of the battery, its units' mean [%]."""
    return picture.mean([d for d in roster.subjects.get("battery", ()) if d.kind == "battery"], "soc_pct")


def _absent(roster: Roster, role: str) -> float | None:
    site = roster.site
    rated_w = {
        "pv": site.solar.ac_w,
        "wind": site.wind.ac_w,
        "battery": site.battery.power_w,
        "desalination": site.desalination.power_w,
        "electrolyser": site.electrolyser.power_w,
    }
    return 0.0 if rated_w.get(role) == 0 else None


def _oldest(picture: Picture, roster: Roster) -> datetime | None:
    meters = [device.name for devices in roster.meters.values() for device in devices]
    seen = [picture.readings[name].at for name in meters if name in picture.readings]
    return min(seen) if seen else None


def _sum(*parts: float | None) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None
