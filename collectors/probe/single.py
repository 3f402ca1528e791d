"""One profile held against one device, whatever its protocol."""

import asyncio
from dataclasses import replace

from igoudar.collectors.links import SCHEMES, Links, build
from igoudar.collectors.probe.found import Fit, fit
from igoudar.collectors.probe.modbus import polite
from igoudar.collectors.probe.target import target
from igoudar.core.errors import ConfigError
from igoudar.core.model import Device, Profile

LONGEST_S = 30.0  # for a whole reading, however many requests it takes


async def hold(profile: Profile, where: str, timeout_s: float) -> Fit:
    """Read the device at `where` once through `profile`; nothing is written.

    Raises:
        ConfigError: an address that the profile's protocol does not have.
        LinkFault: nothing was read, and why.
    """
    address = target(where)
    if SCHEMES.get(address.scheme) != profile.protocol:
        fix = f"give an address of protocol {profile.protocol}"
        raise ConfigError(f"{where!r} does not fit profile {profile.name}", where="--against", fix=fix)
    manners = polite(profile, timeout_s)
    device = Device("probe", profile.kind, profile.name, address.url, "")
    links = build([device], {profile.name: manners}, {}, 1.0)
    try:
        return replace(await _read(links, manners), profile=profile)
    finally:
        await links.close()


async def _read(links: Links, profile: Profile) -> Fit:
    """One reading, with what the protocol needs running beside it."""
    beside = [asyncio.create_task(work()) for work in links.background()]
    try:
        async with asyncio.timeout(LONGEST_S):
            return fit(profile, await links.stations[0].reader.read(slow=True))
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
