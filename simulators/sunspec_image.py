"""The parts of a SunSpec device that no profile point covers: frame, identity, unimplemented registers."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from igoudar.collectors import sunspec
from igoudar.core.model import Profile

_WORDS = {"8": b"\x80\x00", "f": b"\xff\xff", "0": b"\x00\x00", "7": b"\x7f\xc0"}
_COMMON = 1
# Offset from the ID register and length of the strings of model 1 (SunSpec model 1, common).
_MANUFACTURER, _MODEL, _VERSION, _SERIAL, _DEVICE_ADDRESS = (2, 16), (18, 16), (42, 8), (50, 16), 66


@cache
def _blanks() -> Mapping[str, str]:
    return tomllib.loads(files("igoudar.simulators").joinpath("sunspec_blanks.toml").read_text())


def blank(model: int, length: int) -> bytes:
    """The data registers of a model that implements nothing, at the profile's length.

    A model that `sunspec_blanks.toml` does not have reads as 0xFFFF.
    """
    pattern = _blanks().get(str(model), "")[:length].ljust(length, "f")
    return b"".join(_WORDS[c] for c in pattern)


def identity(product: str, serial: str, unit: int) -> Mapping[int, bytes]:
    """Model 1 of a simulated device, by offset from its ID register."""
    strings = {_MANUFACTURER: "igoudar simulator", _MODEL: product, _VERSION: "1", _SERIAL: serial}
    image = {offset: _text(text, length) for (offset, length), text in strings.items()}
    return {**image, _DEVICE_ADDRESS: unit.to_bytes(2, "big")}


def image(profile: Profile, serial: str, unit: int) -> Iterator[tuple[int, bytes]]:
    """All registers around the points, as (address, bytes); later pieces lie over earlier ones."""
    lengths = dict(profile.modbus.sunspec_models)
    for model, address in sunspec.locate(profile).items():
        yield address + 2, blank(model, lengths[model])
        if model == _COMMON:
            common = identity(profile.name, serial, unit)
            yield from ((address + offset, data) for offset, data in common.items())
    yield from sunspec.frame(profile).items()


def _text(text: str, registers: int) -> bytes:
    return text.encode("ascii", "replace")[: 2 * registers].ljust(2 * registers, b"\0")
