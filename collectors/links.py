"""From devices and addresses to readers: what shares a server shares its link."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from igoudar.collectors.endpoints import Address, parse_address
from igoudar.collectors.http_link import HttpLink
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.opcua import OpcUaReader, OpcUaSession
from igoudar.collectors.opcua_subscription import Item
from igoudar.collectors.poll import Station, period_s
from igoudar.collectors.prometheus import PrometheusReader
from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, ModbusRules, Profile

UNITS_PER_LINK = 32  # of one Modbus server: a unit that lets its requests time out delays at most these
SCHEMES = {"modbus-tcp": "modbus", "opc.tcp": "opcua", "http": "prometheus", "https": "prometheus"}


@dataclass(frozen=True, slots=True)
class Placed:
    """A device, its profile and its address."""

    device: Device
    profile: Profile
    address: Address


@dataclass(slots=True)
class Links:
    """All links of a site; closed together."""

    stations: list[Station] = field(default_factory=list)
    modbus: list[ModbusLink] = field(default_factory=list)
    opcua: list[OpcUaSession] = field(default_factory=list)
    http: list[HttpLink] = field(default_factory=list)

    def background(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """What has to run beside the polls."""
        return [session.run for session in self.opcua]

    async def close(self) -> None:
        """Close every connection that is not closed by ending its background work."""
        for link in self.modbus:
            link.release()
        for page in self.http:
            page.close()


def build(
    devices: Sequence[Device],
    profiles: Mapping[str, Profile],
    endpoints: Mapping[str, str],
    speed: float,
) -> Links:
    """Readers for all devices; nothing is connected yet.

    Raises:
        ConfigError: an address or a profile that can't be.
    """
    placed = sorted((_place(d, profiles, endpoints) for d in devices), key=lambda p: p.address.server)
    links = Links()
    for _, group in groupby(placed, key=lambda p: p.address.server):
        members = list(group)
        BUILDERS[SCHEMES[members[0].address.scheme]](links, members, speed)
    return links


def _place(device: Device, profiles: Mapping[str, Profile], endpoints: Mapping[str, str]) -> Placed:
    if device.profile not in profiles:
        raise ConfigError(f"no profile {device.profile!r}", where=device.name, fix="name a known profile")
    profile = profiles[device.profile]
    address = parse_address(device.name, endpoints.get(device.name) or device.address)
    if SCHEMES.get(address.scheme) != profile.protocol:
        fix = f"give an address of protocol {profile.protocol}"
        raise ConfigError(f"{address.url!r} does not fit profile {profile.name}", where=device.name, fix=fix)
    return Placed(device, profile, address)


def _modbus(links: Links, members: Sequence[Placed], speed: float) -> None:
    del speed
    single = any(placed.profile.modbus.single_client for placed in members)
    size = len(members) if single else UNITS_PER_LINK
    for start in range(0, len(members), size):
        shared = members[start : start + size]
        link = ModbusLink(Tcp(shared[0].address.host, shared[0].address.port), _strictest(shared))
        links.modbus.append(link)
        for placed in shared:
            reader = ModbusReader(placed.profile, link, _unit(placed))
            links.stations.append(Station(placed.device, placed.profile, reader))


def _strictest(members: Sequence[Placed]) -> ModbusRules:
    """The manners that suit every unit of a link."""
    rules = [placed.profile.modbus for placed in members]
    return ModbusRules(
        pause_s=max(r.pause_s for r in rules),
        connect_pause_s=max(r.connect_pause_s for r in rules),
        in_flight=min(r.in_flight for r in rules),
        timeout_s=max(r.timeout_s for r in rules),
        single_client=any(r.single_client for r in rules),
    )


def _unit(placed: Placed) -> int:
    text = placed.address.path
    if not text:
        return placed.profile.modbus.unit
    if not text.isdecimal() or int(text) > 255:
        raise ConfigError(
            f"unit {text!r} is not 0..255", where=placed.device.name, fix="modbus-tcp://host:port/1"
        )
    return int(text)


def _opcua(links: Links, members: Sequence[Placed], speed: float) -> None:
    items = [
        Item(placed.address.path, point, placed.profile.namespace)
        for placed in members
        for point in placed.profile.points.values()
    ]
    interval_s = min(period_s(placed.profile, speed) for placed in members)
    session = OpcUaSession(members[0].address.server, items, interval_s)
    links.opcua.append(session)
    for placed in members:
        reader = OpcUaReader(placed.profile, session, placed.address.path)
        links.stations.append(Station(placed.device, placed.profile, reader))


def _prometheus(links: Links, members: Sequence[Placed], speed: float) -> None:
    del speed
    for placed in members:
        link = HttpLink(placed.address.url)
        links.http.append(link)
        links.stations.append(Station(placed.device, placed.profile, PrometheusReader(placed.profile, link)))


BUILDERS: Mapping[str, Callable[[Links, Sequence[Placed], float], None]] = {
    "modbus": _modbus,
    "opcua": _opcua,
    "prometheus": _prometheus,
}
