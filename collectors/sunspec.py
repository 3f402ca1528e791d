"""Where SunSpec models stand: by the profile's order (simulators) or by walking the device (collectors)."""

import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import NamedTuple

from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.core.model import Profile, Reason

MARKER = b"SunS"
END = 0xFFFF
BASES = (40000, 50000, 0)
"""Where the marker may stand (SunSpec Information Model Specification), after the profile's own base."""

LONGEST_CHAIN = 100  # models: a device that never ends its chain must not be followed for ever

COMMON = 1
IDENTITY = {"manufacturer": (2, 16), "model": (18, 16), "version": (42, 8)}
"""Strings of model 1: offset from its ID register, length [registers]."""

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


class Model(NamedTuple):
    """One model of a device."""

    number: int
    length: int  # registers after its ID and length
    address: int  # of its ID register


class Chain(NamedTuple):
    """What a device has: the models that follow each other after the marker."""

    base: int
    models: tuple[Model, ...]


async def chain(read: ReadRegisters, bases: Iterable[int] = BASES) -> Chain | None:
    """Follow a device's models by their lengths; None where no marker stands at one of `bases`.

    Raises:
        LinkFault: the device fell silent.
    """
    base = await _marker(read, bases)
    if base is None:
        return None
    address, models = base + 2, list[Model]()
    while len(models) < LONGEST_CHAIN and address <= 65533:
        number, length = struct.unpack(">HH", await read(address, 2))
        if number == END or length == 0 or address + length + 2 > 65533:
            break
        models.append(Model(number, length, address))
        address += length + 2
    return Chain(base, tuple(models))


async def walk(profile: Profile, read: ReadRegisters) -> Mapping[int, int]:
    """Find the profile's models on a device; the first of each number counts.

    Raises:
        LinkFault: no marker, or a model of the profile that the device does not have at the profile's length.
    """
    first = profile.modbus.sunspec_base
    found = await chain(read, dict.fromkeys((40000 if first is None else first, *BASES)))
    if found is None:
        fix = "check the address and that SunSpec is enabled"
        raise LinkFault(Reason.MISSING, "no SunSpec marker", where=profile.name, fix=fix)
    there = {model.number: model for model in reversed(found.models)}
    missing = missing_models(profile, found)
    if missing:
        raise LinkFault(
            Reason.MISSING,
            f"SunSpec models {', '.join(missing)} are not there; found {sorted(there)}",
            where=profile.name,
            fix="choose the profile that fits the device's models",
        )
    return {number: model.address for number, model in there.items()}


def missing_models(profile: Profile, found: Chain) -> list[str]:
    """The profile's models that a device does not have, or has too short, each as "number (length)"."""
    lengths = {model.number: model.length for model in reversed(found.models)}
    return [f"{m} ({n})" for m, n in profile.modbus.sunspec_models if lengths.get(m, -1) < n]


async def identity(found: Chain | None, read: ReadRegisters) -> Mapping[str, str]:
    """Manufacturer, model and version as model 1 says them, not the serial number; hostile text."""
    common = next((model for model in found.models if model.number == COMMON), None) if found else None
    if common is None:
        return {}
    try:
        texts = {name: await read(common.address + at, size) for name, (at, size) in IDENTITY.items()}
    except DeviceFault:
        return {}
    said = {name: data.rstrip(b"\0 ").decode("utf-8", "replace") for name, data in texts.items()}
    return {name: text for name, text in said.items() if text}


async def _marker(read: ReadRegisters, bases: Iterable[int]) -> int | None:
    for base in bases:
        try:
            if await read(base, 2) == MARKER:
                return base
        except DeviceFault:
            continue
    return None
