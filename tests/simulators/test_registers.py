"""The register bank against any request, and against the codec that reads it."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors import codec
from igoudar.collectors.profiles import load_profiles
from igoudar.core.model import ModbusAddress, Profile, Site
from igoudar.simulators.modbus_server import ModbusRefusal, answer
from igoudar.simulators.ratings import largest_values, rated_w
from igoudar.simulators.registers import RegisterBank, places

MODBUS = {name: p for name, p in load_profiles().items() if p.protocol == "modbus"}


class Wired:
    """A bank as a unit that takes every allowed write."""

    name = "device"

    def __init__(self, profile: Profile) -> None:
        self.bank = RegisterBank(profile, {}, self.name, 1)

    def read(self, function: int, address: int, count: int) -> bytes:
        return self.bank.read(function, address, count)

    def write(self, address: int, data: bytes) -> None:
        self.bank.setpoints(address, data)


UNITS = {name: Wired(profile) for name, profile in MODBUS.items()}


@given(product=st.sampled_from(sorted(UNITS)), pdu=st.binary(min_size=1, max_size=253))
def test_any_request_gets_an_answer_or_a_standard_refusal(product: str, pdu: bytes) -> None:
    reply = answer(UNITS[product], pdu)
    assert 2 <= len(reply) <= 253
    assert reply[0] == pdu[0] or (reply[0] == pdu[0] | 0x80 and reply[1] in (1, 2, 3))


@given(
    product=st.sampled_from(sorted(UNITS)),
    function=st.sampled_from((3, 4)),
    address=st.integers(0, 0xFFFF),
    count=st.integers(1, 125),
)
def test_a_read_gives_all_registers_or_none(product: str, function: int, address: int, count: int) -> None:
    reply = answer(UNITS[product], struct.pack(">BHH", function, address, count))
    assert len(reply) == 2 + 2 * count or reply == bytes((function | 0x80, 2))


@pytest.mark.parametrize("product", sorted(MODBUS))
def test_what_is_stored_is_what_a_collector_decodes(product: str, site: Site) -> None:
    profile = MODBUS[product]
    device = next(d for d in site.devices if d.kind is profile.kind)
    largest = largest_values(device, profile, site)
    bank = RegisterBank(profile, largest, "device", 1)
    wanted = {name: typical(profile, name, largest[name]) for name in profile.points}
    bank.store(wanted)
    for place in places(profile):
        factor = bank.scale_factor(place)
        raw = bank.read(place.function, place.address, place.width)
        value, _, reason = codec.decode(place.point, raw, factor)
        step = 10.0 ** (factor or 0) * abs(place.point.address.scale)
        assert value == pytest.approx(wanted[place.point.name], rel=1e-6, abs=step), reason


def typical(profile: Profile, name: str, largest: float) -> float:
    """A value well inside the point's plausible range and its type."""
    point = profile.points[name]
    assert isinstance(point.address, ModbusAddress)
    low, high = point.plausible or (1.0, largest)
    most = min(high, largest, 3e4 * abs(point.address.scale))
    return round((max(low, -most / 2) + most) / 2) if low < most else low


def test_scale_factors_stand_next_to_their_points_and_fit_the_rating(site: Site) -> None:
    profile = MODBUS["sunspec-inverter"]
    device = next(d for d in site.devices if d.profile == profile.name)
    assert rated_w(device, site) == 300e3
    bank = RegisterBank(profile, largest_values(device, profile, site), device.name, 1)
    power = next(p for p in places(profile) if p.point.name == "active_power_w")
    (factor,) = struct.unpack(">h", bank.read(3, power.scale_factor_at, 1))
    assert factor == bank.scale_factor(power) == 2  # i16 x 100 holds 1.3 x 300 kW
    limit = next(p for p in places(profile) if p.point.name == "limit_pct")
    assert bank.scale_factor(limit) == -2  # u16 x 0.01 holds 110 %


def test_holes_are_refused_even_inside_a_block() -> None:
    from dataclasses import replace

    profile = MODBUS["xerus-pdu"]
    holey = replace(profile, modbus=replace(profile.modbus, holes=((12300, 12301),)))
    bank = RegisterBank(holey, {}, "pdu", 1)
    assert len(bank.read(3, 12296, 4)) == 8
    with pytest.raises(ModbusRefusal):
        bank.read(3, 12296, 6)
