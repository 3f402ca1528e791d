"""Modbus: which units answer, which SunSpec models they have, which profile fits."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from igoudar.collectors import sunspec
from igoudar.collectors.endpoints import Address
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.links import Links, build
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.probe.found import Fit, Found, best, fit
from igoudar.collectors.probe.taste import Taste
from igoudar.collectors.sunspec import Chain
from igoudar.core.model import Device, Profile, Reason

PAUSE_S = 0.05  # between requests: a guest does not crowd out the device's owner
USUAL = (1, 255)  # what a device with an address of its own answers to
SCAN = range(1, 248)
NOBODY = (10, 11)  # exceptions by which a gateway says that the unit is not there
FAILURE = 4  # some servers say this of an unknown unit, some devices of an unknown register
HOLDING, INPUT = 3, 4


class Guest:
    """A polite reader of one host: pauses, a short timeout, one connection.

    Args:
        address: Host and port.
        profiles: What devices may be; only those of Modbus count.
        timeout_s: For each request [s].
    """

    def __init__(self, address: Address, profiles: Iterable[Profile], timeout_s: float) -> None:
        self._address = address
        self._profiles = [polite(p, timeout_s) for p in profiles if p.protocol == "modbus"]

    async def units(self, wanted: Iterable[int]) -> list[int]:
        """Those of `wanted` that answer.

        Raises:
            LinkFault: the host can't be reached.
        """
        pending, found = list(wanted), list[int]()
        while pending:
            async with self._links(self._profiles[:1], pending[0]) as links:
                await links.modbus[0].connect()
                found += await _answering(links.modbus[0], pending)
        return found

    async def look(self, unit: int) -> Found:
        """What a unit is.

        Raises:
            LinkFault: it fell silent.
        """
        try:
            return await self._look(unit)
        except LinkFault as fault:
            fix = "check its address and unit id, or allow it more time with --timeout"
            raise LinkFault(fault.reason, fault.what, where=self._url(unit), fix=fix) from fault

    async def _look(self, unit: int) -> Found:
        async with self._links(self._profiles, unit) as links:

            async def read(address: int, count: int) -> bytes:
                return await links.modbus[0].read(unit, HOLDING, address, count)

            chain = await sunspec.chain(read)
            identity = await sunspec.identity(chain, read)
            fits = await self._fits(links, unit, chain)
        models = tuple((model.number, model.length) for model in chain.models) if chain else ()
        base = chain.base if chain else None
        return Found(self._url(unit), identity, models, base, fits)

    async def _fits(self, links: Links, unit: int, chain: Chain | None) -> tuple[Fit, ...]:
        """SunSpec profiles whose models are there; else, fixed maps that read plausibly."""
        structured = [p for p in self._profiles if p.modbus.sunspec_base is not None]
        if chain is not None:
            named = [p for p in structured if not sunspec.missing_models(p, chain)]
            if named:
                return best(await _held(links, named), least=0.0)
        taste = Taste(links.modbus[0], unit)
        fixed = [p for p in self._profiles if p not in structured and await taste.likes(p)]
        return best(await _held(links, fixed))

    @asynccontextmanager
    async def _links(self, profiles: Sequence[Profile], unit: int) -> AsyncIterator[Links]:
        """One connection with a reader for each profile."""
        devices = [Device(p.name, p.kind, p.name, self._url(unit), "") for p in profiles]
        links = build(devices, {p.name: p for p in profiles}, {}, 1.0)
        try:
            yield links
        finally:
            await links.close()

    def _url(self, unit: int) -> str:
        if self._address.scheme == "modbus-rtu":
            return f"{self._address.url.rpartition('/')[0]}/{unit}"
        host = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        return f"{self._address.scheme}://{host}:{self._address.port}/{unit}"


async def _answering(link: ModbusLink, pending: list[int]) -> list[int]:
    """Ask units, taking them from `pending`, until none is left or the connection is lost."""
    found: list[int] = []
    fresh = True
    while pending:
        there = await _answers(link, pending[0])
        if there is None and not fresh:
            break  # whose fault it was is seen on a connection of its own
        unit = pending.pop(0)
        if there is None:
            break
        found += [unit] if there else []
        fresh = False
    return found


async def _answers(link: ModbusLink, unit: int) -> bool | None:
    """Whether anybody is at a unit id, None when the connection was lost over it."""
    for function, address in ((HOLDING, sunspec.BASES[0]), (HOLDING, 0), (INPUT, 0)):
        try:
            await link.read(unit, function, address, 2)
        except DeviceFault as fault:
            if fault.code == FAILURE:
                continue
            return fault.code not in NOBODY
        except LinkFault as fault:
            return None if fault.reason is Reason.NO_CONNECTION else False
        return True
    return False


def polite(profile: Profile, timeout_s: float) -> Profile:
    """The profile with a guest's manners: pauses, and a timeout of its own [s]."""
    rules = profile.modbus
    pause_s = max(PAUSE_S, rules.pause_s)
    manners = replace(rules, pause_s=pause_s, timeout_s=timeout_s, in_flight=1, single_client=False)
    return replace(profile, modbus=manners)


async def _held(links: Links, profiles: Sequence[Profile]) -> list[Fit]:
    """Each profile's reading of the device; one that the device refuses altogether is no fit."""
    stations = {station.device.name: station for station in links.stations}
    found = []
    for profile in profiles:
        try:
            found.append(fit(profile, await stations[profile.name].reader.read(slow=True)))
        except LinkFault as fault:
            if fault.reason is Reason.NO_CONNECTION:
                raise
    return found
