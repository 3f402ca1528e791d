"""What must hold between the things of a site: names are unique, references lead somewhere."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from igoudar.core.control_tables.caps import check_caps
from igoudar.core.control_tables.dsx import check_dsx
from igoudar.core.control_tables.guard import guarding
from igoudar.core.control_tables.people import check_api
from igoudar.core.control_tables.plan import check_plan
from igoudar.core.control_tables.scheduler import check_scheduler
from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Feed, Kind, Rack
from igoudar.core.site_expand import Expanded
from igoudar.core.site_file import SiteFile
from igoudar.core.site_links import check_links
from igoudar.core.site_store import check_store
from igoudar.core.strict_toml import nearest

ROLES = ("grid", "transformer", "it", "pv", "wind", "battery", "desalination", "electrolyser", "cooling")
FEED_KINDS = ("grid", "bus", "transformer", "feeder", "pdu", "rack")
PLANTS = ("pv", "wind", "battery", "cooling", "desalination", "electrolyser")

_ADDRESS = {
    "modbus": re.compile(
        r"modbus-(tcp|tls)://[^\s/:]+:[0-9]{1,5}/[0-9]{1,3}|modbus-rtu:///[^\s?]+(\?[^\s/]+)?/[0-9]{1,3}"
    ),
    "opcua": re.compile(r"opc\.tcp://[^\s/:]+:[0-9]{1,5}/\S+"),
    "prometheus": re.compile(r"https?://[^\s/:]+:[0-9]{1,5}/\S*"),
    "redfish": re.compile(r"redfish-https?://[^\s/:]+:[0-9]{1,5}/redfish/v1/Chassis/[^\s/]+"),
}
_FORM = {
    "modbus": "modbus-tcp://HOST:PORT/UNIT, modbus-tls://HOST:PORT/UNIT or modbus-rtu:///dev/PORT?baud=RATE/UNIT",
    "opcua": "opc.tcp://HOST:PORT/TAG",
    "prometheus": "http://HOST:PORT/PATH",
    "redfish": "redfish-https://HOST:PORT/redfish/v1/Chassis/ID",
}


def check_site(
    file: SiteFile, site: Expanded, protocols: Mapping[str, str], where: str
) -> Iterator[ConfigError]:
    """Everything that is wrong between the things of a site; `protocols` is by profile name."""
    for table in ("halls", "feeds", "racks", "devices"):
        yield from _duplicates(table, [thing.name for thing in getattr(site, table)], site.origins[table])
    yield from _places(site)
    yield from _feeds(site)
    yield from _racks(site)
    yield from _devices(file, site, protocols)
    yield from check_links(file, [device.address for device in site.devices], where)
    yield from check_store(file.store, where)
    yield from check_api(file.api, where)
    yield from check_dsx(file.dsx, where)
    yield from check_caps(file.caps, {rack.name for rack in site.racks}, where)
    yield from check_scheduler(file.scheduler, {rack.name for rack in site.racks}, where)
    yield from check_plan(file.plan, site.devices, guarding(file.guard).ramp_c_per_h, where)
    if not (site.devices or file.members):
        yield ConfigError(
            "a site without devices", where=where, fix="add [[devices]] (or [[members]] of a fleet)"
        )


def _duplicates(table: str, names: Sequence[str], origins: Sequence[str]) -> Iterator[ConfigError]:
    if len(set(names)) == len(names):
        return
    count = Counter(names)
    for name, origin in dict(zip(names, origins, strict=True)).items():
        if count[name] > 1:
            what = f"{count[name]} {table} have the name {name!r}"
            yield ConfigError(what, where=f"{origin}.name", fix="give each its own name")


def _places(site: Expanded) -> Iterator[ConfigError]:
    taken: dict[tuple[str, str, int], str] = {}
    for rack, origin in zip(site.racks, site.origins["racks"], strict=True):
        other = taken.setdefault((rack.hall, rack.row, rack.position), rack.name)
        if other != rack.name:
            what = f"racks {other!r} and {rack.name!r} stand at the same place"
            yield ConfigError(what, where=f"{origin}.position", fix="give each its own row and position")


def _feeds(site: Expanded) -> Iterator[ConfigError]:
    by_name = {feed.name: feed for feed in site.feeds}
    for feed, origin in zip(site.feeds, site.origins["feeds"], strict=True):
        if feed.kind not in FEED_KINDS:
            fix = nearest(feed.kind, FEED_KINDS, "feed kind")
            yield ConfigError(f"unknown feed kind {feed.kind!r}", where=f"{origin}.kind", fix=fix)
        if feed.kind == "grid":
            if feed.parent:
                yield ConfigError("the grid has no parent", where=f"{origin}.parent", fix="remove it")
        elif feed.parent not in by_name:
            yield _dangling("feed", feed.parent, by_name, f"{origin}.parent")
        elif _circular(feed, by_name):
            what = f"{feed.name!r} feeds itself"
            yield ConfigError(what, where=f"{origin}.parent", fix="let the parents lead to the grid")


def _circular(feed: Feed, by_name: Mapping[str, Feed]) -> bool:
    seen = set()
    node: Feed | None = feed
    while node is not None and node.parent:
        if node.name in seen:
            return node.name == feed.name
        seen.add(node.name)
        node = by_name.get(node.parent)
    return False


def _racks(site: Expanded) -> Iterator[ConfigError]:
    halls = {hall.name for hall in site.halls}
    feeds = {feed.name for feed in site.feeds}
    cdus = {device.subject for device in site.devices if device.kind is Kind.CDU}
    for rack, origin in zip(site.racks, site.origins["racks"], strict=True):
        yield from _rack(rack, origin, halls, feeds, cdus)


def _rack(
    rack: Rack, origin: str, halls: Collection[str], feeds: Collection[str], cdus: Collection[str]
) -> Iterator[ConfigError]:
    if rack.hall not in halls:
        yield _dangling("hall", rack.hall, halls, f"{origin}.hall")
    for feed in rack.feeds:
        if feed not in feeds:
            yield _dangling("feed", feed, feeds, f"{origin}.feeds")
    if rack.cdu and rack.cdu not in cdus:
        yield _dangling("cdu", rack.cdu, cdus, f"{origin}.cdu")


def _devices(file: SiteFile, site: Expanded, protocols: Mapping[str, str]) -> Iterator[ConfigError]:
    halls = {hall.name for hall in site.halls}
    racks = {rack.name for rack in site.racks}
    cdus = {rack.cdu for rack in site.racks if rack.cdu}
    subjects = halls | racks | cdus | {feed.name for feed in site.feeds} | _site_wide(file)
    known_for = {
        **dict.fromkeys((Kind.PDU, Kind.GPU, Kind.POWER_SHELF, Kind.RACK_SENSORS), racks),
        Kind.CDU: cdus,
    }
    for device, origin in zip(site.devices, site.origins["devices"], strict=True):
        known = known_for.get(device.kind, subjects)
        if device.subject not in known:
            yield _dangling("subject", device.subject, known, f"{origin}.subject")
        if device.hall and device.hall not in halls:
            yield _dangling("hall", device.hall, halls, f"{origin}.hall")
        yield from _role(device, origin)
        yield from _address(device, protocols[device.profile], origin)
    yield from _same_address(site)


def _site_wide(file: SiteFile) -> set[str]:
    parts = {"pv": file.solar, "grid": file.grid, "site": file.place}
    parts |= {name: getattr(file, name) for name in PLANTS if name != "pv"}
    return {name for name, table in parts.items() if table is not None}


def _role(device: Device, origin: str) -> Iterator[ConfigError]:
    if device.kind is Kind.METER and device.role not in ROLES:
        what = f"a meter's role can't be {device.role!r}" if device.role else "a meter needs a role"
        yield ConfigError(what, where=f"{origin}.role", fix=nearest(device.role, ROLES, "role"))
    elif device.kind is not Kind.METER and device.role:
        what = f"a {device.kind} has no role"
        yield ConfigError(what, where=f"{origin}.role", fix="only meters have one: remove it")


def _address(device: Device, protocol: str, origin: str) -> Iterator[ConfigError]:
    form = _ADDRESS.get(protocol)
    if form and not form.fullmatch(device.address):
        what = f"{device.address!r} is not an address for {device.profile}"
        yield ConfigError(what, where=f"{origin}.address", fix=f"write {_FORM[protocol]}")


def _same_address(site: Expanded) -> Iterator[ConfigError]:
    taken: dict[str, str] = {}
    for device, origin in zip(site.devices, site.origins["devices"], strict=True):
        other = taken.setdefault(device.address, device.name)
        if other != device.name:
            what = f"devices {other!r} and {device.name!r} have the same address {device.address!r}"
            yield ConfigError(what, where=f"{origin}.address", fix="give each its own")


def _dangling(what: str, name: str, known: Iterable[str], where: str) -> ConfigError:
    return ConfigError(f"there is no {what} {name!r}", where=where, fix=nearest(name, list(known), what))
