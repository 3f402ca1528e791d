"""Coils and discrete inputs: the simulated server packs what the collector unpacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.collectors import frames
from igoudar.collectors.profiles.parse import parse_profile
from igoudar.core.errors import ConfigError
from igoudar.simulators.modbus_server import answer


class Bits:
    """A device whose bits are those of a number."""

    name = "bits"

    def __init__(self, held: int) -> None:
        self._held = held

    def read(self, function: int, address: int, count: int) -> bytes:
        assert function in (1, 2)
        return b"".join((self._held >> (address + i) & 1).to_bytes(2) for i in range(count))

    def write(self, address: int, data: bytes) -> None:
        raise AssertionError((address, data))


@given(st.integers(0, 2**200 - 1), st.sampled_from((1, 2)), st.integers(0, 60), st.integers(1, 125))
def test_what_the_server_packs_the_client_unpacks(held: int, function: int, first: int, count: int) -> None:
    request = frames.read_request(7, function, first, count)
    pdu = answer(Bits(held), request.pdu)
    registers = frames.payload(request, frames.Frame(1, 7, pdu))
    assert registers == Bits(held).read(function, first, count)


def profile(**point: object) -> dict[str, object]:
    points = {"run_state": {"register": 5, "type": "u16", "function": 1, **point}}
    return {"profile": "p", "kind": "meter", "source": "s", "verified": "generic", "points": points}


def test_a_profile_may_name_bits() -> None:
    assert parse_profile(profile(), "p.toml").points["run_state"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"type": "u32"}, "single bits"),
        ({"function": 5}, "does not read"),
        ({"writable": {"min": 0, "max": 1}}, "only holding registers are written"),
    ],
)
def test_what_bits_can_not_be_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_profile(profile(**wrong), "p.toml")
