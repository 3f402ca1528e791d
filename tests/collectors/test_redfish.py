"""The Redfish reader against the simulated service, and against services that misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from igoudar.collectors.dump import dump
from igoudar.collectors.faults import DeviceFault, LinkFault, Withheld
from igoudar.collectors.profiles import load_profiles
from igoudar.collectors.redfish import RedfishReader
from igoudar.collectors.redfish_link import RedfishLink
from igoudar.collectors.results import Rejected
from igoudar.core.model import Reason, RedfishLogin
from igoudar.simulators.faults import FaultBoard
from igoudar.simulators.http_server import HttpServer
from igoudar.simulators.redfish_server import RedfishPages
from tests.simulators.conftest import HeldPlant, firmware

SHELF = load_profiles()["redfish-power-shelf"]
LIMIT, SWITCH = SHELF.points["power_limit_w"], SHELF.points["limit_enabled_state"]
CHASSIS = "/redfish/v1/Chassis/shelf-1"
VALUES = {
    "active_power_w": 90e3,
    "applied_limit_w": 132e3,
    "energy_wh": 5_400_000.0,
    "power_limit_w": 132e3,
    "limit_enabled_state": 0.0,
    "limit_low_w": 29_040.0,
    "limit_high_w": 132e3,
    "capacity_w": 132e3,
    "supplies_count": 24.0,
}


def permit() -> None:
    """Nothing stands against it."""


@dataclass
class Service:
    """A simulated service, its reader and its faults."""

    plant: HeldPlant
    faults: FaultBoard
    reader: RedfishReader
    link: RedfishLink


@asynccontextmanager
async def service() -> AsyncIterator[Service]:
    plant = HeldPlant()
    plant.held["shelf-1"] = dict(VALUES)
    faults = FaultBoard({"shelf-1": 0})
    device = firmware("shelf-1", "redfish-power-shelf", plant)
    async with HttpServer(RedfishPages({"shelf-1": device}, faults)) as server:
        link = RedfishLink("127.0.0.1", server.port, None, RedfishLogin(), "shelf", timeout_s=0.5)
        try:
            yield Service(plant, faults, RedfishReader(SHELF, link, CHASSIS), link)
        finally:
            await link.close()


async def test_every_point_is_read_and_the_slow_ones_in_their_turn() -> None:
    async with service() as one:
        assert dict((await one.reader.read(slow=True)).values) == pytest.approx(VALUES)
        assert "capacity_w" not in (await one.reader.read(slow=False)).values


async def test_a_limit_is_written_with_its_switch_and_read_back() -> None:
    async with service() as one:
        assert await one.reader.write(LIMIT, 100e3, permit) == 100e3
        assert await one.reader.ask(LIMIT) == 100e3
        assert await one.reader.write(SWITCH, 1.0, permit) == 1.0
        assert await one.reader.ask(SWITCH) == 1.0
        assert one.plant.written == [
            ("shelf-1", "power_limit_w", 100e3),
            ("shelf-1", "limit_enabled_state", 1.0),
        ]


async def test_a_value_that_the_service_does_not_take_is_told_in_its_words() -> None:
    async with service() as one:
        with pytest.raises(DeviceFault, match=r"PropertyValueOutOfRange .*takes 29040 to 132000") as caught:
            await one.reader.write(LIMIT, 20e3, permit)
        assert caught.value.code == 400
        assert one.plant.written == []


async def test_nothing_leaves_without_a_permit() -> None:
    def refuse() -> None:
        raise Withheld(Rejected("hands_off"))

    async with service() as one:
        with pytest.raises(Withheld):
            await one.reader.write(LIMIT, 100e3, refuse)
        assert one.plant.written == []
        assert (await one.reader.read(slow=False)).values  # the link goes on


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("dead", Reason.MALFORMED),
        ("busy", Reason.BUSY),
        ("garbage", Reason.MALFORMED),
        ("late:5", Reason.TIMEOUT),
    ],
)
async def test_a_fault_is_a_reason_and_passes(fault: str, reason: Reason) -> None:
    async with service() as one:
        one.faults.set("shelf-1", fault)
        with pytest.raises(LinkFault) as caught:
            await one.reader.read(slow=False)
        assert caught.value.reason is reason
        one.faults.set("shelf-1", None)
        assert (await one.reader.read(slow=False)).values["active_power_w"] == 90e3


async def test_an_unknown_chassis_is_refused_by_name() -> None:
    async with service() as one:
        with pytest.raises(DeviceFault, match="ResourceMissingAtURI"):
            await RedfishReader(SHELF, one.link, "/redfish/v1/Chassis/other").read(slow=True)


async def test_a_dump_holds_only_what_the_profile_decodes() -> None:
    async with service() as one:
        document = await dump(SHELF, one.reader)
        assert document["resources"]["EnvironmentMetrics"] == {
            "PowerWatts": {"Reading": 90_000},
            "PowerLimitWatts": {"SetPoint": 132_000},
            "EnergykWh": {"Reading": 5400},
        }
        assert "odata.id" not in json.dumps(document["resources"])


Answer = tuple[int, dict[str, str], object]


@dataclass
class Played:
    """A service that answers as a test says, and keeps what it was asked."""

    play: Callable[[str, str, dict[str, str]], Answer]
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append((method, path, headers, body))
                status, more, document = self.play(method, path, headers)
                content = json.dumps(document).encode() if document is not None else b""
                lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in more.items())]
                lines += [f"Content-Length: {len(content)}"] if status != 204 else []
                writer.write("\r\n".join([*lines, "", ""]).encode() + content)
        except (EOFError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def played(
    play: Callable[[str, str, dict[str, str]], Answer], login: RedfishLogin | None = None
) -> AsyncIterator[tuple[RedfishReader, Played]]:
    """The reader in front of it; the account is used as over TLS, whose layer other tests have."""
    service = Played(play)
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = RedfishLink("127.0.0.1", port, None, RedfishLogin(), "shelf", timeout_s=0.5)
    link._login = login
    try:
        yield RedfishReader(SHELF, link, CHASSIS), service
    finally:
        await link.close()
        server.close()


CONTROL: dict[str, Any] = {"SetPoint": 100_000, "ControlMode": "Automatic", "@odata.etag": '"b"'}


async def test_a_resource_that_changed_meanwhile_is_read_and_changed_once_more() -> None:
    etags = iter(['"a"', '"b"', '"c"'])

    def play(method: str, path: str, headers: dict[str, str]) -> Answer:
        if method == "PATCH":
            return (204, {}, None) if headers["if-match"] == '"b"' else (412, {}, {"error": {}})
        return 200, {"ETag": next(etags)}, CONTROL

    async with played(play) as (reader, service):
        assert await reader.write(LIMIT, 100e3, permit) == 100e3
        patches = [headers["if-match"] for method, _, headers, _ in service.asked if method == "PATCH"]
        assert patches == ['"a"', '"b"']
        assert json.loads(service.asked[-1][3]) == {"SetPoint": 100_000}


async def test_the_etag_may_stand_in_the_document_only_or_nowhere() -> None:
    for document, expected in ((CONTROL, '"b"'), ({"SetPoint": 1.0}, None)):
        async with played(lambda *_, d=document: (200, {}, d)) as (reader, service):
            await reader.write(LIMIT, 100e3, permit)
            assert service.asked[-1][2].get("if-match") == expected


async def test_a_change_that_is_accepted_for_later_gets_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("igoudar.collectors.redfish.LATE_S", 0.0)
    shown = iter([132_000, 132_000, 132_000, 100_000])

    def play(method: str, path: str, headers: dict[str, str]) -> Answer:
        if method == "PATCH":
            return 202, {"Location": "/redfish/v1/TaskService/Tasks/1"}, {"Id": "1"}
        return 200, {}, {"SetPoint": next(shown)}

    async with played(play) as (reader, service):
        await reader.write(LIMIT, 100e3, permit)
        assert [method for method, *_ in service.asked] == ["GET", "PATCH", "GET", "GET", "GET"]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"error": {"@Message.ExtendedInfo": [{"MessageId": "Base.1.8.PropertyNotWritable"}]}},
            "PropertyNotWritable",
        ),
        ({"error": {"code": "Base.1.0.GeneralError", "message": "no\x1b[2J way"}}, "GeneralError"),
        ({"error": "odd"}, "HTTP 400"),
        ([], "HTTP 400"),
        (None, "HTTP 400"),
    ],
)
async def test_a_refusal_is_told_whatever_its_form(document: object, words: str) -> None:
    def play(method: str, path: str, headers: dict[str, str]) -> Answer:
        return (400, {}, document) if method == "PATCH" else (200, {}, CONTROL)

    async with played(play) as (reader, _):
        with pytest.raises(DeviceFault, match=words) as caught:
            await reader.write(LIMIT, 100e3, permit)
        assert str(caught.value).isprintable()


@pytest.fixture
def login(tmp_path: Path) -> RedfishLogin:
    (tmp_path / "user").write_text("igoudar\n")
    (tmp_path / "password").write_text("secret\n")
    return RedfishLogin(str(tmp_path / "user"), str(tmp_path / "password"))


async def test_a_session_is_opened_renewed_and_closed(login: RedfishLogin) -> None:
    tokens: list[str] = []

    def play(method: str, path: str, headers: dict[str, str]) -> Answer:
        if method == "POST":
            tokens.append(f"t{len(tokens)}")
            session = f"http://h{path}/{len(tokens)}"
            return 201, {"X-Auth-Token": tokens[-1], "Location": session}, {}
        if method == "GET" and (headers.get("x-auth-token") != tokens[-1] or len(tokens) == 1):
            return 401, {}, {}
        return 200, {}, {"PowerWatts": {"Reading": 1.0}, **CONTROL}

    async with played(play, login) as (reader, service):
        await reader.read(slow=False)
        sign_ins = [json.loads(body) for method, _, _, body in service.asked if method == "POST"]
        assert sign_ins == [{"UserName": "igoudar", "Password": "secret"}] * 2
    method, path, *_ = service.asked[-1]
    assert (method, path) == ("DELETE", "/redfish/v1/SessionService/Sessions/2")


async def test_basic_authentication_goes_with_every_request(login: RedfishLogin) -> None:
    basic = RedfishLogin(login.user_file, login.password_file, session=False)
    async with played(lambda *_: (200, {}, CONTROL), basic) as (reader, service):
        await reader.read(slow=False)
        assert all(h["authorization"] == "Basic aWdvdWRhcjpzZWNyZXQ=" for _, _, h, _ in service.asked)


async def test_an_account_is_never_told_in_the_clear(login: RedfishLogin) -> None:
    assert RedfishLink("127.0.0.1", 1, None, login, "shelf")._login is None


async def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    login = RedfishLogin(str(tmp_path / "nobody"), str(tmp_path / "nothing"))
    async with played(lambda *_: (200, {}, CONTROL), login) as (reader, _):
        with pytest.raises(LinkFault, match="account can't be read"):
            await reader.read(slow=False)


async def test_what_a_service_wants_in_a_header_cannot_break_the_request() -> None:
    document = {**CONTROL, "@odata.etag": "x\r\nX-Evil: 1"}
    async with played(lambda *_: (200, {}, document)) as (reader, service):
        await reader.write(LIMIT, 100e3, permit)
        assert all("x-evil" not in headers for _, _, headers, _ in service.asked)
