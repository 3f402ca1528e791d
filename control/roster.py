"""Who is who on a site: devices by what they measure; built once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from igoudar.core.model import Device, Kind, Profile, Rack, Site

K = TypeVar("K")
WALL_PERIOD_S = 1.0  # no poll is ever faster than this on the wall
STALE_POLLS = 3


@dataclass(frozen=True, slots=True)
class Roster:
    """A site, its profiles, and indexes into them."""

    site: Site
    profiles: Mapping[str, Profile]
    speed: float
    devices: Mapping[str, Device]
    meters: Mapping[str, tuple[Device, ...]]  # role -> meters
    kinds: Mapping[Kind, tuple[Device, ...]]
    subjects: Mapping[str, tuple[Device, ...]]  # rack, CDU, ... -> devices
    racks: Mapping[str, Rack]

    def stale_s(self, device: Device) -> float:
        """Age from which a device counts as silent [s of site time]: three missed polls."""
        profile = self.profiles.get(device.profile)
        period_s = profile.period_s if profile else 5.0
        return STALE_POLLS * max(period_s, WALL_PERIOD_S * self.speed)

    @property
    def points(self) -> int:
        """Distinct points of all devices."""
        return sum(len(self.profiles[device.profile].points) for device in self.site.devices)

    def has(self, role: str) -> bool:
        """Whether anything on the site can measure this role."""
        return bool(self.meters.get(role)) or bool(self._fallback(role))

    def power_devices(self, role: str) -> tuple[Device, ...]:
        """The meters of a role, or the machines that meter themselves."""
        return self.meters.get(role) or self._fallback(role)

    def _fallback(self, role: str) -> tuple[Device, ...]:
        kinds = {"desalination": Kind.DESALINATION, "electrolyser": Kind.ELECTROLYSER}
        return self.kinds.get(kinds[role], ()) if role in kinds else ()


def roster(site: Site, profiles: Mapping[str, Profile], speed: float) -> Roster:
    """The indexes of a site."""
    return Roster(
        site,
        profiles,
        speed,
        {device.name: device for device in site.devices},
        _grouped((device.role, device) for device in site.devices if device.kind is Kind.METER),
        _grouped((device.kind, device) for device in site.devices),
        _grouped((device.subject, device) for device in site.devices),
        {rack.name: rack for rack in site.racks},
    )


def _grouped(pairs: Iterable[tuple[K, Device]]) -> dict[K, tuple[Device, ...]]:
    groups: defaultdict[K, list[Device]] = defaultdict(list)
    for key, device in pairs:
        groups[key].append(device)
    return {key: tuple(devices) for key, devices in groups.items()}
