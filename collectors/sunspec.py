"""Where SunSpec models stand: by the profile's order (simulators) or by walking the device (collectors)."""

import struct
from collections.abc import Awaitable, Callable, Mapping

from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.core.model import Profile, Reason

MARKER = b"SunS"
END = 0xFFFF
BASES = (40000, 50000, 0)
"""Where the marker may stand (SunSpec Information Model Specification), after the profile's own base."""

ReadRegisters = Callable[[int, int], Awaitable[bytes]]


def locate(profile: Profile) -> Mapping[int, int]:
    """Address of each model's ID register when models follow each other in the profile's order."""
    if profile.modbus.sunspec_base is None:
        return {}
    found: dict[int, int] = {}
    address = profile.modbus.sunspec_base + 2
    for model, length in profile.modbus.sunspec_models:
        found[model] = address
        address += length + 2
    return found


def frame(profile: Profile) -> Mapping[int, bytes]:
    """What surrounds the points: marker, each model's ID and length, the end model; by address."""
    base = profile.modbus.sunspec_base
    if base is None:
        return {}
    images = {base: MARKER}
    address = base + 2
    for model, length in profile.modbus.sunspec_models:
        images[address] = struct.pack(">HH", model, length)
        address += length + 2
    images[address] = struct.pack(">HH", END, 0)
    return images


async def walk(profile: Profile, read: ReadRegisters) -> Mapping[int, int]:
    """Find the device's models by following their lengths.

    Raises:
        LinkFault: no marker, or a model of the profile that the device does not have at the profile's length.
    """
    address = await _marker(profile, read) + 2
    found: dict[int, tuple[int, int]] = {}
    while True:
        model, length = struct.unpack(">HH", await read(address, 2))
        if model == END or length == 0 or address + length + 2 > 65533:
            break
        found.setdefault(model, (address, length))
        address += length + 2
    missing = [f"{m} ({n})" for m, n in profile.modbus.sunspec_models if found.get(m, (0, -1))[1] < n]
    if missing:
        raise LinkFault(
            Reason.MISSING,
            f"SunSpec models {', '.join(missing)} are not there; found {sorted(found)}",
            where=profile.name,
            fix="choose the profile that fits the device's models",
        )
    return {model: at for model, (at, _) in found.items()}


async def _marker(profile: Profile, read: ReadRegisters) -> int:
    first = profile.modbus.sunspec_base
    for base in dict.fromkeys((40000 if first is None else first, *BASES)):
        try:
            if await read(base, 2) == MARKER:
                return base
        except DeviceFault:
            continue
    fix = "check the address and that SunSpec is enabled"
    raise LinkFault(Reason.MISSING, "no SunSpec marker", where=profile.name, fix=fix)
