"""Modbus over TLS: verified by default, both ways where the device asks for it."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvloop

from igoudar.collectors.faults import Backoff, LinkFault
from igoudar.collectors.links import build
from igoudar.collectors.modbus import ModbusLink
from igoudar.collectors.modbus_links import SECTION
from igoudar.collectors.modbus_wire import Tcp
from igoudar.collectors.profiles import load_profiles
from igoudar.core.errors import ConfigError
from igoudar.core.model import ModbusRules, Reason, TlsFiles
from igoudar.core.tls import client_context
from tests.peers.authority import Authority

from .hostile import Asked, hostile
from .rigs import device

METER = load_profiles()["schneider-iem3000"]


async def well(asked: Asked, writer: asyncio.StreamWriter) -> None:
    writer.write(asked.right())


def server_context(
    authority: Authority, address: str = "127.0.0.1", *, mutual: bool = False
) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.ca))
    context.load_cert_chain(*map(str, authority.issue("device", address)))
    context.verify_mode = ssl.CERT_REQUIRED if mutual else ssl.CERT_NONE
    return context


@asynccontextmanager
async def link_to(server: ssl.SSLContext | None, files: TlsFiles) -> AsyncIterator[ModbusLink]:
    async with hostile(well, server) as seen:
        dial = Tcp("127.0.0.1", seen.port, client_context(files, SECTION))
        link = ModbusLink(dial, ModbusRules(timeout_s=2.0), Backoff(60.0))
        yield link
        link.release()


async def refused(link: ModbusLink) -> str:
    with pytest.raises(LinkFault) as caught:
        await link.read(1, 3, 0, 2)
    assert caught.value.reason is Reason.NO_CONNECTION
    return str(caught.value)


async def test_line_33_registers_come_over_a_verified_connection(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with link_to(server_context(authority), TlsFiles(ca=str(authority.ca))) as link:
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


def test_it_works_on_the_loop_that_the_collector_runs_on(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def once() -> None:
        async with link_to(server_context(authority), TlsFiles(ca=str(authority.ca))) as link:
            assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"

    uvloop.run(once())


async def test_line_33_a_device_signed_by_somebody_else_is_not_spoken_to(tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    async with link_to(server_context(theirs), TlsFiles(ca=str(ours.ca))) as link:
        assert "links.tls" in await refused(link)


async def test_line_33_a_certificate_for_another_address_is_not_accepted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with link_to(server_context(authority, "192.0.2.1"), TlsFiles(ca=str(authority.ca))) as link:
        assert "certificate" in await refused(link)


async def test_without_a_named_authority_only_the_systems_are_trusted(tmp_path: Path) -> None:
    async with link_to(server_context(Authority(tmp_path)), TlsFiles()) as link:
        assert "links.tls" in await refused(link)


async def test_a_site_may_say_that_it_does_not_verify(tmp_path: Path) -> None:
    async with link_to(server_context(Authority(tmp_path)), TlsFiles(verify=False)) as link:
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"


async def test_a_device_that_asks_for_our_certificate_gets_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("collector")
    files = TlsFiles(str(authority.ca), str(certificate), str(key))
    async with link_to(server_context(authority, mutual=True), files) as link:
        assert await link.read(1, 3, 0, 2) == b"\0\7\0\7"
    async with link_to(server_context(authority, mutual=True), TlsFiles(ca=str(authority.ca))) as link:
        with pytest.raises(LinkFault):
            await link.read(1, 3, 0, 2)


async def test_a_server_without_tls_is_a_fault_within_the_timeout(tmp_path: Path) -> None:
    async with link_to(None, TlsFiles(ca=str(Authority(tmp_path).ca))) as link:
        await asyncio.wait_for(refused(link), 10)


def test_files_that_are_not_there_or_hold_something_else_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.pem"):
        client_context(TlsFiles(ca=str(tmp_path / "nowhere.pem")), SECTION)
    (tmp_path / "ca.pem").write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"links\.tls"):
        client_context(TlsFiles(ca=str(tmp_path / "ca.pem")), SECTION)


def test_line_33_the_port_is_802_unless_said_and_plain_links_are_counted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    secret, clear, near = (
        device("s", METER, "modbus-tls://192.0.2.9/1"),
        device("c", METER, "modbus-tcp://192.0.2.9:502/1"),
        device("n", METER, "modbus-tcp://127.0.0.1:502/1"),
    )
    links = build([secret, clear, near], {METER.name: METER}, {}, 1.0, tls=TlsFiles(ca=str(authority.ca)))
    assert {link.where for link in links.modbus} >= {"192.0.2.9:802", "192.0.2.9:502"}
    assert links.unprotected == ["c"]
