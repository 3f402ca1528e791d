"""From devices and addresses to readers: what shares a server shares its link."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from igoudar.collectors.endpoints import Placed, parse_address
from igoudar.collectors.http_link import HttpLink
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_links import Context, context_of, modbus_links
from igoudar.collectors.opcua import OpcUaReader, OpcUaSession
from igoudar.collectors.opcua_door import Doors
from igoudar.collectors.opcua_line import Item
from igoudar.collectors.poll import Station, period_s
from igoudar.collectors.prometheus import PrometheusReader
from igoudar.collectors.redfish import RedfishReader
from igoudar.collectors.redfish_link import RedfishLink
from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Profile, RedfishLogin, TlsFiles

SCHEMES = {
    "modbus-tcp": "modbus",
    "modbus-tls": "modbus",
    "modbus-rtu": "modbus",
    "opc.tcp": "opcua",
    "http": "prometheus",
    "https": "prometheus",
    "redfish-http": "redfish",
    "redfish-https": "redfish",
}


@dataclass(slots=True)
class Links:
    """All links of a site; closed together."""

    stations: list[Station] = field(default_factory=list)
    modbus: list[ModbusLink] = field(default_factory=list)
    context: Context = field(default_factory=lambda: context_of(TlsFiles()))
    unprotected: list[str] = field(default_factory=list)  # devices whose words cross a network in the clear
    opcua: list[OpcUaSession] = field(default_factory=list)
    doors: Doors = field(default_factory=Doors)
    http: list[HttpLink] = field(default_factory=list)
    login: RedfishLogin = field(default_factory=RedfishLogin)
    redfish: list[RedfishLink] = field(default_factory=list)

    def background(self) -> Sequence[Callable[[], Coroutine[Any, Any, None]]]:
        """What has to run beside the polls."""
        return [session.run for session in self.opcua]

    async def close(self) -> None:
        """Close every connection that is not closed by ending its background work."""
        for link in self.modbus:
            link.release()
        for page in self.http:
            page.close()
        await asyncio.gather(*(service.close() for service in self.redfish))


def build(
    devices: Sequence[Device],
    profiles: Mapping[str, Profile],
    endpoints: Mapping[str, str],
    speed: float,
    doors: Doors | None = None,
    tls: TlsFiles | None = None,
    login: RedfishLogin | None = None,
) -> Links:
    """Readers for all devices; nothing is connected yet.

    Args:
        devices: The devices.
        profiles: By name.
        endpoints: Device name -> address, where it replaces the device's own.
        speed: Site seconds per wall second.
        doors: The ways into OPC UA servers.
        tls: Files for Modbus and Redfish over TLS.
        login: The account at Redfish services.

    Raises:
        ConfigError: an address or a profile that can't be.
    """
    placed = sorted((_place(d, profiles, endpoints) for d in devices), key=lambda p: p.address.server)
    links = Links(doors=doors or Doors(), context=context_of(tls or TlsFiles()))
    links.login = login or RedfishLogin()
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
    for link, stations in modbus_links(members, links.context):
        links.modbus.append(link)
        links.stations += stations
    links.unprotected += [p.device.name for p in members if p.address.unprotected]


def _opcua(links: Links, members: Sequence[Placed], speed: float) -> None:
    items = [
        Item(placed.address.path, point, placed.profile.namespace)
        for placed in members
        for point in placed.profile.points.values()
    ]
    interval_s = min(period_s(placed.profile, speed) for placed in members)
    session = OpcUaSession(links.doors.to(members[0].address.server), items, interval_s)
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


def _redfish(links: Links, members: Sequence[Placed], speed: float) -> None:
    """One connection per service, whatever the number of its chassis."""
    del speed
    address = members[0].address
    tls = links.context if address.scheme == "redfish-https" else None
    link = RedfishLink(address.host, address.port, tls, links.login, address.server)
    links.redfish.append(link)
    for placed in members:
        reader = RedfishReader(placed.profile, link, f"/{placed.address.path}")
        links.stations.append(Station(placed.device, placed.profile, reader))


BUILDERS: Mapping[str, Callable[[Links, Sequence[Placed], float], None]] = {
    "modbus": _modbus,
    "opcua": _opcua,
    "prometheus": _prometheus,
    "redfish": _redfish,
}
