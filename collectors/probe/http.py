"""HTTP: a Prometheus text endpoint, such as NVIDIA's DCGM exporter, held against the profiles."""

from collections.abc import Iterable

from igoudar.collectors.endpoints import Address
from igoudar.collectors.faults import LinkFault
from igoudar.collectors.links import build
from igoudar.collectors.probe.found import Found, best, fit
from igoudar.core.model import Device, Profile, Reason

DEFAULT_PATH = "metrics"


async def look(address: Address, profiles: Iterable[Profile]) -> list[Found]:
    """What an endpoint offers; nothing when it has no metric that a profile knows.

    Raises:
        LinkFault: it does not answer.
    """
    url = address.url if address.path else f"{address.url.rstrip('/')}/{DEFAULT_PATH}"
    known = {p.name: p for p in profiles if p.protocol == "prometheus"}
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
