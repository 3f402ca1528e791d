"""Which Modbus units share a line, how it is opened and whose manners it keeps."""

import ssl
from collections.abc import Callable, Iterator, Sequence
from functools import cache

from igoudar.collectors.endpoints import Placed
from igoudar.collectors.modbus import Dial, ModbusLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.modbus_rtu import parse_serial
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.poll import Station
from igoudar.core.errors import ConfigError
from igoudar.core.model import ModbusRules, TlsFiles
from igoudar.core.tls import client_context

SECTION = "links.tls"
UNITS_PER_LINK = 32  # of one Modbus server: a unit that lets its requests time out delays at most these

Context = Callable[[], ssl.SSLContext]


def context_of(tls: TlsFiles) -> Context:
    """The site's TLS context, made when the first link needs it."""
    return cache(lambda: client_context(tls, SECTION))


def modbus_links(members: Sequence[Placed], context: Context) -> Iterator[tuple[ModbusLink, list[Station]]]:
    """Links to one server or port, each with its stations.

    A serial line and a device that serves one client get one link, whatever the number of units.

    Raises:
        ConfigError: an address that can't be.
    """
    dial = _dial(members, context)
    alone = any(placed.profile.modbus.single_client for placed in members)
    size = len(members) if alone or not members[0].address.port else UNITS_PER_LINK
    for start in range(0, len(members), size):
        shared = members[start : start + size]
        link = ModbusLink(dial, _strictest(shared))
        yield link, [_station(placed, link) for placed in shared]


def _dial(members: Sequence[Placed], context: Context) -> Dial:
    address = members[0].address
    if address.port:
        return Tcp(address.host, address.port, context() if address.scheme == "modbus-tls" else None)
    dials = {parse_serial(p.device.name, p.address.host, p.address.query) for p in members}
    if len(dials) > 1:
        fix = "give all devices of a port the same baud, parity and stop"
        raise ConfigError(f"{address.host} has several settings", where=members[0].device.name, fix=fix)
    return dials.pop()


def _station(placed: Placed, link: ModbusLink) -> Station:
    return Station(placed.device, placed.profile, ModbusReader(placed.profile, link, _unit(placed)))


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
