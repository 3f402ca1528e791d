"""Recorded devices decode to what they were, with sockets forbidden: `igoudar record` adds more."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from igoudar.collectors import codec
from igoudar.collectors.dump import SCHEMA
from igoudar.collectors.faults import DeviceFault, LinkFault
from igoudar.collectors.http_link import HttpLink
from igoudar.collectors.modbus_reader import ModbusReader
from igoudar.collectors.probe.found import flags_json
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.prometheus import PrometheusReader
from igoudar.collectors.readers import Permit, Values
from igoudar.collectors.redfish import RedfishReader
from igoudar.collectors.redfish_link import RedfishLink
from igoudar.core.model import ModbusRules, OpcUaAddress, Profile, Quality, Reason, RedfishLogin

DUMPS = sorted((Path(__file__).parent.parent / "dumps").glob("*.json"))


class Recorded:
    """A link that answers from a dump; what was not recorded is refused."""

    def __init__(self, reads: list[Mapping[str, Any]]) -> None:
        self.rules, self.generation, self.connected_s = ModbusRules(), 1, 0.0
        self.where = "a recording"
        self._answers = {(r["function"], r["address"], r["width"]): r for r in reads}

    async def read(self, unit: int, function: int, address: int, count: int) -> bytes:
        answer = self._answers[function, address, count]
        if "exception" in answer:
            raise DeviceFault(Reason.EXCEPTION, answer["exception"], "as recorded")
        return bytes.fromhex(answer["registers"])

    async def write(self, unit: int, address: int, registers: bytes, permit: Permit) -> None:
        raise AssertionError("a replay writes nothing")

    async def connect(self) -> None: ...
    def enter(self) -> None: ...
    def leave(self) -> None: ...


@pytest.fixture
def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a replay opens no socket")

    for way in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, way, forbidden)


@pytest.mark.usefixtures("_no_sockets")
@pytest.mark.parametrize("file", DUMPS, ids=lambda file: file.stem)
async def test_a_recording_decodes_to_what_was_recorded(file: Path) -> None:
    dump = json.loads(file.read_text())
    assert dump["schema"] == SCHEMA
    profile = load_profiles()[dump["profile"]]
    values = await replayed(profile, dump)
    assert values.values == pytest.approx(dump["values"], rel=1e-12)
    assert flags_json(values.flags) == dump["flags"]


async def replayed(profile: Profile, dump: Mapping[str, Any]) -> Values:
    """The dump through the same code that reads devices."""
    match profile.protocol:
        case "modbus":
            return await ModbusReader(profile, Recorded(dump["reads"]), 1).read(slow=True)
        case "prometheus":
            samples = {name.encode(): values for name, values in dump["samples"].items()}
            return PrometheusReader(profile, HttpLink("http://127.0.0.1/metrics")).decode(samples)
        case "redfish":
            link = RedfishLink("127.0.0.1", 1, None, RedfishLogin(), "a recording")
            return RedfishReader(profile, link, "/redfish/v1/Chassis/1").decode(dump["resources"], slow=True)
    return of_nodes(profile, dump["nodes"], dump["flags"])


def of_nodes(profile: Profile, nodes: Mapping[str, float], flags: Mapping[str, list[str]]) -> Values:
    values = {
        name: codec.from_raw(point, nodes[point.address.path])[0]
        for name, point in profile.points.items()
        if isinstance(point.address, OpcUaAddress) and point.address.path in nodes
    }
    known = {n: (Quality[q.upper()], Reason[r.upper()]) for n, (q, r) in flags.items()}
    return Values({name: value for name, value in values.items() if value is not None}, known)


@pytest.mark.usefixtures("_no_sockets")
def test_sockets_are_forbidden_indeed() -> None:
    with socket.socket() as one, pytest.raises(AssertionError):
        one.connect(("127.0.0.1", 9))


@pytest.mark.usefixtures("_no_sockets")
async def test_a_recorded_refusal_is_one_again() -> None:
    profile = load_profiles()["generic-cdu"]
    whole = json.loads(next(file for file in DUMPS if file.stem == "generic-cdu").read_text())
    refused = [{**read, "exception": 4} for read in whole["reads"]]
    with pytest.raises(LinkFault, match="as recorded"):
        await replayed(profile, {**whole, "reads": refused})


def test_no_recording_names_a_host_or_a_serial_number() -> None:
    for file in DUMPS:
        assert "127.0.0.1" not in file.read_text()
        assert b"inverter-1".hex() not in file.read_text().replace(" ", "")
