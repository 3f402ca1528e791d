"""HTTP: a Prometheus text endpoint or a Redfish chassis, held against the profiles."""

from collections.abc import Iterable

from igoudar.collectors.endpoints import Address
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.links import SCHEMES, build
from igoudar.collectors.probe.found import Found, best, fit
from igoudar.core.model import Device, Profile, Reason

DEFAULT_PATH = "metrics"
DEFAULT_CHASSIS = "redfish/v1/Chassis/1"


async def look(address: Address, profiles: Iterable[Profile]) -> list[Found]:
    """What an endpoint offers; nothing when it has nothing that a profile knows.

    Raises:
        LinkFault: it does not answer.
    """
    protocol = SCHEMES.get(address.scheme)
    default = {"prometheus": DEFAULT_PATH, "redfish": DEFAULT_CHASSIS}.get(str(protocol), "")
    url = address.url if address.path else f"{address.url.rstrip('/')}/{default}"
    known = {p.name: p for p in profiles if p.protocol == protocol}
    links = build([Device(p.name, p.kind, p.name, url, "") for p in known.values()], known, {}, 1.0)
    fits = []
    try:
        for station in links.stations:
            try:
                fits.append(fit(station.profile, await station.reader.read(slow=True)))
            except LinkFault as fault:
                if fault.reason is not Reason.MISSING:
                    raise
    finally:
        await links.close()
    return [Found(url, fits=best(fits))]
